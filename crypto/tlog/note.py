# SPDX-License-Identifier: AGPL-3.0-or-later
"""Signed notes: a text, a blank line, and lines saying who signed it.

Invariants
* The text is looked at only after a known key's signature has been verified: `open_note` is the one
  way in.
* Unknown keys are ignored, even under a known name; one wrong signature by a known key spoils the
  note.
* Valid UTF-8, no control character but the newline, at most `MAX_NOTE` bytes and `MAX_SIGNATURES`
  signatures.
* A note that begins like a cosigned message is never signed, so that a log's signature cannot be
  passed off as a cosignature.

Source: C2SP signed-note v1.0.0.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from crypto.signing import PUBLIC
from crypto.tlog import cosignature
from crypto.tlog.errors import LogFormatError, SignatureError
from crypto.tlog.lines import (
    DASH,
    KEY_ID,
    KeyType,
    check_key_name,
    decode_base64,
    encode_base64,
    key_id,
    public_key,
    sign_raw,
    signature_line,
    verify_raw,
)

MAX_NOTE: Final = 262_144  # bytes; sixteen post-quantum signatures of 5 kB fit twice
MAX_SIGNATURES: Final = 64
MAX_KEY: Final = 1_024  # characters of a verifier key


@dataclass(frozen=True)
class VerifierKey:
    """A key that signs notes (`kind` ED25519) or cosigns them (COSIGNATURE), and its name."""

    name: str
    kind: KeyType
    public: bytes

    @property
    def key_id(self) -> bytes:
        """Four bytes."""
        return key_id(self.name, self.kind, self.public)

    def encode(self) -> str:
        """The `name+id+key` form."""
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(bytes((self.kind,)) + self.public)}"

    @classmethod
    def parse(cls, vkey: str) -> "VerifierKey":
        """Read the `name+id+key` form; the id must be the one the key has.

        Raises LogFormatError: the form, a type other than 0x01 and 0x04, or the id is wrong.
        """
        parts = vkey.split("+", 2)
        if len(vkey) > MAX_KEY or len(parts) != 3:
            raise LogFormatError("not a verifier key")
        name, identifier, encoded = parts
        check_key_name(name)
        raw = decode_base64(encoded)
        if len(raw) != 1 + PUBLIC or raw[0] not in tuple(KeyType):
            raise LogFormatError("verifier key of a type that is not in use")
        key = cls(name, KeyType(raw[0]), raw[1:])
        if key.key_id.hex() != identifier:
            raise LogFormatError("verifier key and its id do not belong together")
        return key


@dataclass(frozen=True)
class SignerKey:
    """A private key with its name; the seed has 32 bytes."""

    name: str
    seed: bytes = field(repr=False)
    kind: KeyType = KeyType.ED25519

    @property
    def verifier(self) -> VerifierKey:
        """Its public half."""
        return VerifierKey(self.name, self.kind, public_key(self.seed))


@dataclass(frozen=True)
class Signature:
    """One signature line, verified or not."""

    name: str
    key_id: bytes
    signature: bytes

    def line(self) -> str:
        """The line with its newline."""
        return signature_line(self.name, self.key_id, self.signature)


@dataclass(frozen=True)
class Note:
    """A note at least one known key signed."""

    text: str
    signatures: tuple[Signature, ...]
    """All of them, in their order, unknown ones included."""
    verified: tuple[VerifierKey, ...]
    """The known keys that signed, each once."""
    times: Mapping[VerifierKey, int]
    """When a cosigner signed: seconds since 1970, the latest if it signed more than once."""

    def lines_of(self, keys: Iterable[VerifierKey]) -> str:
        """The signature lines of these keys."""
        wanted = {(key.name, key.key_id) for key in keys}
        return "".join(
            each.line() for each in self.signatures if (each.name, each.key_id) in wanted
        )


def sign_note(text: str, signers: Sequence[SignerKey]) -> str:
    """Return the note of this text with one signature per signer.

    Raises LogFormatError: the text cannot be a note's, or a signer's key is a cosigner's.
    """
    _check_text(text)
    if text.startswith(cosignature.HEADER + "\n"):
        raise LogFormatError("a note must not look like a cosigned message")
    return text + "\n" + "".join(_sign(text, each) for each in signers)


def open_note(data: str | bytes, known: Iterable[VerifierKey]) -> Note:
    """Return the note if a known key signed it.

    Raises:
        LogFormatError: not a note.
        SignatureError: a known key's signature is wrong, or none of the known keys signed.
    """
    text, signatures = split_note(data)
    keys = {(key.name, key.key_id): key for key in known}
    verified: list[VerifierKey] = []
    times: dict[VerifierKey, int] = {}
    for each in signatures:
        key = keys.get((each.name, each.key_id))
        if key is None:
            continue
        time = _verify(key, each.signature, text)
        if time is not None:
            times[key] = max(time, times.get(key, 0))
        if key not in verified:
            verified.append(key)
    if not verified:
        raise SignatureError("absent", ", ".join(sorted({name for name, _ in keys})))
    return Note(text, signatures, tuple(verified), times)


def split_note(data: str | bytes) -> tuple[str, tuple[Signature, ...]]:
    """Return text and signatures of a note; nothing is verified.  Raises LogFormatError."""
    whole = _decoded(data)
    text, separator, tail = whole.rpartition("\n\n")
    text += "\n"
    if not separator or not tail.endswith("\n"):
        raise LogFormatError("not a signed note")
    _check_text(text)
    return text, parse_signatures(tail)


def parse_signatures(tail: str) -> tuple[Signature, ...]:
    """Parse one or more signature lines, each with its newline.  Raises LogFormatError."""
    if not tail.endswith("\n"):
        raise LogFormatError("signature line without its end")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise LogFormatError("more signatures than are looked at")
    return tuple(_parse_signature(line) for line in lines)


def _decoded(data: str | bytes) -> str:
    size = len(data.encode("utf-8", "replace")) if isinstance(data, str) else len(data)
    if size > MAX_NOTE:
        raise LogFormatError("note is too large")
    if isinstance(data, str):
        return data
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LogFormatError("note is not UTF-8") from error


def _check_text(text: str) -> None:
    if not text.endswith("\n") or any(each < " " and each != "\n" for each in text):
        raise LogFormatError("not the text of a note")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise LogFormatError("not the text of a note") from error


def _parse_signature(line: str) -> Signature:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != DASH:
        raise LogFormatError("not a signature line")
    check_key_name(parts[1])
    raw = decode_base64(parts[2])
    if len(raw) <= KEY_ID:
        raise LogFormatError("not a signature line")
    return Signature(parts[1], raw[:KEY_ID], raw[KEY_ID:])


def _sign(text: str, signer: SignerKey) -> str:
    if signer.kind is not KeyType.ED25519:
        raise LogFormatError("a cosigner's key does not sign notes")
    check_key_name(signer.name)
    return signature_line(signer.name, signer.verifier.key_id, sign_raw(signer.seed, text.encode()))


def _verify(key: VerifierKey, signature: bytes, text: str) -> int | None:
    """Return a cosignature's time, None for a plain signature.  Raises SignatureError."""
    if key.kind is KeyType.COSIGNATURE:
        time = cosignature.verify_cosignature(key.public, signature, text)
        if time is None:
            raise SignatureError("wrong", key.name)
        return time
    if not verify_raw(key.public, signature, text.encode()):
        raise SignatureError("wrong", key.name)
    return None
