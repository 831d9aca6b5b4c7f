# SPDX-License-Identifier: AGPL-3.0-or-later
"""Checkpoints: what a log says about itself at one moment: its name, its size, its root.

Invariants
* A checkpoint's text has one spelling; `parse_checkpoint` accepts exactly what `text` makes.
* `open_checkpoint` believes only the key that is named after the origin.
* We write no extension lines; a reader keeps those of others as they are.

Source: C2SP tlog-checkpoint v1.0.0.
"""

from dataclasses import dataclass
from typing import Final

from crypto.tlog.errors import LogFormatError, SignatureError
from crypto.tlog.lines import HASH, MAX_NUMBER, decode_decimal, decode_hash, encode_base64
from crypto.tlog.note import SignerKey, VerifierKey, open_note, sign_note

MAX_LINES: Final = 32


@dataclass(frozen=True)
class Checkpoint:
    """The log `origin` has `size` leaves and this root (32 bytes)."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """The text to sign.  Raises LogFormatError: a value is out of form."""
        if not 0 <= self.size <= MAX_NUMBER or len(self.root) != HASH:
            raise LogFormatError("not a checkpoint")
        lines = (self.origin, str(self.size), encode_base64(self.root), *self.extensions)
        if len(lines) > MAX_LINES or any(not each or "\n" in each for each in lines):
            raise LogFormatError("not a checkpoint")
        return "".join(f"{each}\n" for each in lines)


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a verified note.  Raises LogFormatError."""
    if not text.endswith("\n"):
        raise LogFormatError("not a checkpoint")
    lines = text[:-1].split("\n")
    if not 3 <= len(lines) <= MAX_LINES or "" in lines:
        raise LogFormatError("not a checkpoint")
    return Checkpoint(lines[0], decode_decimal(lines[1]), decode_hash(lines[2]), tuple(lines[3:]))


def sign_checkpoint(checkpoint: Checkpoint, signer: SignerKey) -> str:
    """Return the signed note.  Raises LogFormatError: the key is not named after the origin."""
    if signer.name != checkpoint.origin:
        raise LogFormatError("a log signs under the name of its origin")
    return sign_note(checkpoint.text(), [signer])


def open_checkpoint(note: str | bytes, log_key: VerifierKey) -> Checkpoint:
    """Return the checkpoint this log signed.

    Raises LogFormatError: not a checkpoint; SignatureError: not by this log.
    """
    checkpoint = parse_checkpoint(open_note(note, [log_key]).text)
    if checkpoint.origin != log_key.name:
        raise SignatureError("absent", log_key.name)
    return checkpoint
