# SPDX-License-Identifier: AGPL-3.0-or-later
"""Write age v1 containers, for mlkem768x25519 recipients only.

Invariants: 1 to 16 distinct recipients; a fresh file key and nonce per container; the header's
length depends on the number of recipients alone.

Source: C2SP age; docs/spec/envelope.md section 5.
"""

from collections.abc import Sequence
from typing import Final

from crypto.age import stanza, stream
from crypto.age.header import FILE_KEY, PAYLOAD_NONCE, build_header, payload_key
from crypto.age.stream import Data
from crypto.errors import MalformedError
from crypto.rng import Rng
from crypto.xwing import Recipient

MAX_RECIPIENTS: Final = 16
HEADER_BASE: Final = 70  # bytes of a header without its stanzas


def header_length(recipients: int) -> int:
    """Return the bytes of the header of a container for this many recipients."""
    return HEADER_BASE + stanza.STANZA_LENGTH * recipients


class Sealer:
    """Seal a stream: `header`, then every `update`, then `final`, make the container."""

    def __init__(self, recipients: Sequence[Recipient], rng: Rng) -> None:
        file_key = rng(FILE_KEY)
        nonce = rng(PAYLOAD_NONCE)
        self.header = wrap_file_key(file_key, recipients) + nonce
        self._stream = stream.StreamSealer(payload_key(file_key, nonce))

    def update(self, data: Data) -> bytes:
        """Take plaintext, return sealed bytes (perhaps none yet)."""
        return self._stream.update(data)

    def final(self) -> bytes:
        """Return the end of the container."""
        return self._stream.final()


def seal_all(recipients: Sequence[Recipient], data: Data, rng: Rng) -> bytes:
    """Return the whole container of `data`."""
    file_key = rng(FILE_KEY)
    nonce = rng(PAYLOAD_NONCE)
    header = wrap_file_key(file_key, recipients)
    return header + nonce + stream.seal_all(payload_key(file_key, nonce), data)


def wrap_file_key(file_key: bytes, recipients: Sequence[Recipient]) -> bytes:
    """Return a header that gives every recipient this file key."""
    if not 0 < len(recipients) <= MAX_RECIPIENTS:
        raise MalformedError("a container has 1 to 16 recipients")
    if len({recipient.raw for recipient in recipients}) != len(recipients):
        raise MalformedError("a recipient is listed twice")
    return build_header([stanza.wrap(each, file_key) for each in recipients], file_key)
