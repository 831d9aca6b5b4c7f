# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a witness is asked and what it decides: it cosigns only what extends the last checkpoint.

Invariants
* `decide` is a pure function; it cosigns at most one root per size and never a smaller tree.
* What it returns in `Answer.seen` must be stored durably before the answer leaves, and no other
  request of the same log may be decided in between.
* Only the log's verified signatures and the witness's own are kept and shown: nobody can make a
  witness publish text of theirs.

Source: C2SP tlog-witness v1.0.0.  A second root for one size is answered with 409, as that version
says; the later text has 422, and a client takes both for a conflict.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from crypto.tlog.checkpoint import Checkpoint, parse_checkpoint
from crypto.tlog.cosignature import cosign
from crypto.tlog.errors import LogFormatError, ProofError, SignatureError
from crypto.tlog.lines import KeyType, decode_decimal, decode_hash, encode_base64
from crypto.tlog.note import (
    MAX_NOTE,
    SignerKey,
    VerifierKey,
    open_note,
    parse_signatures,
    split_note,
)
from crypto.tlog.tree import EMPTY_ROOT, MAX_PROOF, verify_consistency

MAX_REQUEST: Final = MAX_NOTE + 64 * 64  # bytes
PATH: Final = "/add-checkpoint"
TEXT: Final = "text/plain; charset=utf-8"
SIZE_TYPE: Final = "text/x.tlog.size"

Logs = Mapping[str, Sequence[VerifierKey]]
"""From a log's origin to the keys trusted for it."""


@dataclass(frozen=True)
class AddCheckpoint:
    """A request: cosign `note`, which extends the tree of `old` leaves as `proof` shows."""

    old: int
    proof: tuple[bytes, ...]
    note: str

    def encode(self) -> bytes:
        """The body of the request."""
        lines = [f"old {self.old}", *map(encode_base64, self.proof), ""]
        return ("".join(f"{each}\n" for each in lines) + self.note).encode()

    @property
    def origin(self) -> str:
        """Whose checkpoint it claims to be; only good for finding the state.

        Raises LogFormatError.
        """
        return split_note(self.note)[0].partition("\n")[0]


@dataclass(frozen=True)
class Seen:
    """The latest checkpoint a witness cosigned for one log, as a note with its cosignature."""

    checkpoint: Checkpoint
    note: str


@dataclass(frozen=True)
class Answer:
    """What to answer; `seen` is what to remember first, None if nothing changed.

    `evidence` is a note of the log that, beside the remembered one, proves to anybody that the log
    signed two histories; it is to be kept.
    """

    status: int
    body: str
    content_type: str = TEXT
    seen: Seen | None = None
    evidence: str | None = None


BAD_REQUEST: Final = Answer(400, "not an add-checkpoint request\n")
FORBIDDEN: Final = Answer(403, "not signed by a key that is trusted for this log\n")
UNKNOWN: Final = Answer(404, "unknown log\n")
SECOND_ROOT: Final = Answer(409, "another root was cosigned for this size\n")
UNPROVEN: Final = Answer(422, "the proof does not show that the log only grew\n")


def origin_hash(origin: str) -> str:
    """The name under which a witness shows its latest checkpoint of a log: 64 hex digits."""
    return hashlib.sha256(origin.encode()).hexdigest()


def parse_add_checkpoint(data: bytes) -> AddCheckpoint:
    """Read the body of a request; nothing is verified.  Raises LogFormatError."""
    if len(data) > MAX_REQUEST:
        raise LogFormatError("request is too large")
    try:
        head, separator, note = data.decode("utf-8").partition("\n\n")
    except UnicodeDecodeError as error:
        raise LogFormatError("request is not UTF-8") from error
    first, *lines = head.split("\n")
    if not separator or not first.startswith("old ") or len(lines) > MAX_PROOF:
        raise LogFormatError("not an add-checkpoint request")
    request = AddCheckpoint(
        decode_decimal(first.removeprefix("old ")), tuple(map(decode_hash, lines)), note
    )
    parse_checkpoint(split_note(note)[0])
    return request


def decide(
    signer: SignerKey, logs: Logs, seen: Seen | None, request: AddCheckpoint, time: int
) -> Answer:
    """Judge a request for a log of which `seen` is the latest cosigned checkpoint.

    `signer` is the witness's own key (type COSIGNATURE), `time` whole seconds since 1970.
    """
    keys = logs.get(request.origin)
    if not keys:
        return UNKNOWN
    try:
        note = open_note(request.note, keys)
        checkpoint = parse_checkpoint(note.text)
    except SignatureError:
        return FORBIDDEN
    except LogFormatError:
        return BAD_REQUEST
    signed = f"{note.text}\n{note.lines_of(note.verified)}"
    refusal = _refusal(checkpoint, seen, request)
    if refusal is not None:
        return replace(refusal, evidence=signed) if refusal is SECOND_ROOT else refusal
    return _cosigned(signer, note.text, signed, time)


def open_seen(note: str | bytes, signer: VerifierKey) -> Seen:
    """Read back what `decide` had remembered; only with this witness's own cosignature on it.

    Raises LogFormatError, SignatureError: it was damaged.
    """
    opened = open_note(note, [signer])
    text = note.decode("utf-8") if isinstance(note, bytes) else note
    return Seen(parse_checkpoint(opened.text), text)


def parse_size(body: bytes) -> int:
    """Read the size a witness names in a conflict.  Raises LogFormatError."""
    text = body[:64].decode("ascii", errors="replace")
    if not text.endswith("\n"):
        raise LogFormatError("not a size")
    return decode_decimal(text[:-1])


def accept_cosignature(note: str, body: bytes, witness: VerifierKey) -> tuple[str, int]:
    """Return the witness's newest line from its answer, verified for this note, and its time.

    Raises LogFormatError, SignatureError: the answer holds no cosignature of this witness.
    """
    if witness.kind is not KeyType.COSIGNATURE:
        raise LogFormatError("not a witness's key")
    text = split_note(note)[0]
    try:
        opened = open_note(f"{text}\n{body.decode('utf-8')}", [witness])
    except UnicodeDecodeError as error:
        raise LogFormatError("answer is not UTF-8") from error
    if opened.text != text:
        raise LogFormatError("answer is not a cosignature")
    own = [each for each in opened.signatures if (each.name, each.key_id) == _id(witness)]
    return max(own, key=lambda each: each.signature[:8]).line(), opened.times[witness]


def add_lines(note: str, lines: Iterable[str]) -> str:
    """The note with further signature lines, each once.  Raises LogFormatError."""
    text, signatures = split_note(note)
    present = dict.fromkeys(each.line() for each in signatures)
    for each in lines:
        present.update(dict.fromkeys(line.line() for line in parse_signatures(each)))
    added = f"{text}\n" + "".join(present)
    split_note(added)
    return added


def _cosigned(signer: SignerKey, text: str, signed: str, time: int) -> Answer:
    line = cosign(signer.seed, signer.name, text, time)
    try:
        return Answer(200, line, seen=open_seen(signed + line, signer.verifier))
    except LogFormatError:
        return BAD_REQUEST  # so large that it could not be read back


def _id(key: VerifierKey) -> tuple[str, bytes]:
    return key.name, key.key_id


def _refusal(checkpoint: Checkpoint, seen: Seen | None, request: AddCheckpoint) -> Answer | None:
    last, root = (0, EMPTY_ROOT) if seen is None else (seen.checkpoint.size, seen.checkpoint.root)
    if request.old > checkpoint.size:
        return BAD_REQUEST
    if request.old != last:
        return Answer(409, f"{last}\n", SIZE_TYPE)
    if seen is not None and checkpoint.size == last and checkpoint.root != root:
        return SECOND_ROOT
    try:
        verify_consistency(last, root, checkpoint.size, checkpoint.root, request.proof)
    except ProofError:
        return UNPROVEN
    return None
