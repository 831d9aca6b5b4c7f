# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a server can check of sealed things without a key: sizes and syntax.

Invariant: whatever passes has one of the sizes of docs/spec/envelope.md and no room for anything
else, so that a client cannot use the intake to store or to carry other things.
"""

from pathlib import Path
from typing import Final

from crypto.age.header import PAYLOAD_NONCE
from crypto.age.stream import plain_length
from crypto.age.writer import header_length
from crypto.attachment import ciphertext_size
from crypto.envelope import check_container, split
from crypto.errors import MalformedError
from crypto.padding import ATTACHMENT_FLOOR, FRAME_SIZES, padme
from whistle.intake.problems import ProblemError
from whistle.limits import MAX_DOSSIER

BLOB_HEADER: Final = header_length(1)
_DOSSIER_STEP: Final = 256
_SEAL: Final = 28  # nonce and tag of ChaCha20-Poly1305


def largest_blob(max_file_bytes: int) -> int:
    """Return the size of the blob of the largest file."""
    return ciphertext_size(padme(max_file_bytes))


def require_blob_size(size: int, max_file_bytes: int) -> None:
    """Raise ProblemError unless a sealed file can have this size."""
    if size > largest_blob(max_file_bytes):
        raise ProblemError("too_large")
    try:
        plain = plain_length(size - BLOB_HEADER - PAYLOAD_NONCE)
    except MalformedError:
        raise ProblemError("size") from None
    if plain < ATTACHMENT_FLOOR or padme(plain) != plain:
        raise ProblemError("size")


def require_blob_head(head: bytes) -> None:
    """Raise ProblemError unless these bytes are the header of a container with one stanza."""
    try:
        header, rest = split(head[:BLOB_HEADER])
    except MalformedError:
        raise ProblemError("container") from None
    if len(header) != BLOB_HEADER or rest:
        raise ProblemError("container")


def require_blob_file(path: Path, size: int) -> None:
    """Raise ProblemError unless the file is a sealed file of this size."""
    try:
        with path.open("rb") as file:
            head = file.read(BLOB_HEADER)
            length = file.seek(0, 2)
    except FileNotFoundError:
        raise ProblemError("incomplete") from None
    if length != size:
        raise ProblemError("incomplete")
    require_blob_head(head)


def require_container(container: bytes, recipients: int | None) -> None:
    """Raise ProblemError unless this is a sealed frame, for that many people if told."""
    try:
        info = check_container(container)
    except MalformedError:
        raise ProblemError("container") from None
    if recipients is not None and info.recipients != recipients:
        raise ProblemError("recipients")


def require_dossier(dossier: bytes) -> None:
    """Raise ProblemError unless a dossier can have this length."""
    length = len(dossier) - _SEAL
    if not 0 < length <= MAX_DOSSIER - _SEAL or length % _DOSSIER_STEP:
        raise ProblemError("bad_request")


def require_own_copy(box: bytes) -> None:
    """Raise ProblemError unless an own copy can have this length."""
    if len(box) - _SEAL not in FRAME_SIZES:
        raise ProblemError("bad_request")
