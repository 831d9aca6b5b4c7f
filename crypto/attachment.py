# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sealing one attachment while it streams in, with nothing about it showing outside.

Invariants: every attachment has its own key pair, whose secret half travels in the message; its
container has exactly one stanza, so all have the same header length; the plaintext is the content
followed by zero bytes up to the Padmé length; at most one chunk is held, besides the padding that
`final` returns (64 KiB, or at most 1/32 of the content).

Opening is `crypto.private.open_report`.

Source: docs/spec/envelope.md section 9.
"""

import hashlib
from typing import Final

from crypto.age.header import PAYLOAD_NONCE
from crypto.age.stream import CHUNK, Data, sealed_length
from crypto.age.writer import Sealer, header_length
from crypto.body import AttachmentRef
from crypto.filenames import clean_media_type, clean_name
from crypto.padding import padme
from crypto.rng import Rng
from crypto.xwing import SEED, identity_to_age, recipient_from_seed

ID: Final = 16
_ZEROS: Final = bytes(CHUNK)


class AttachmentSealer:
    """Seal a stream: `header`, then every `update`, then `final`, make the blob."""

    def __init__(self, rng: Rng) -> None:
        self.id = rng(ID).hex()
        seed = rng(SEED)
        self._identity = identity_to_age(seed)
        self._sealer = Sealer([recipient_from_seed(seed)], rng)
        self._hash = hashlib.sha256()
        self._head = self._sealer.header
        self.size = 0

    def update(self, data: Data) -> bytes:
        """Take content, return sealed bytes (perhaps none yet); the first call adds the header."""
        self._hash.update(data)
        self.size += memoryview(data).nbytes
        return self._take_head() + self._sealer.update(data)

    def final(self, name: str, media_type: str) -> tuple[bytes, AttachmentRef]:
        """Return the end of the blob, and the reference that goes into the message."""
        padded = padme(self.size)
        tail = [self._take_head()]
        for start in range(self.size, padded, CHUNK):
            tail.append(self._sealer.update(memoryview(_ZEROS)[: min(CHUNK, padded - start)]))
        tail.append(self._sealer.final())
        reference = AttachmentRef(
            id=self.id,
            identity=self._identity,
            size=self.size,
            padded=padded,
            sha256=self._hash.hexdigest(),
            name=clean_name(name),
            type=clean_media_type(media_type),
            stripped=False,
        )
        return b"".join(tail), reference

    def _take_head(self) -> bytes:
        head, self._head = self._head, b""
        return head


def ciphertext_size(padded: int) -> int:
    """Return the size of the blob that holds this many padded bytes."""
    return header_length(1) + PAYLOAD_NONCE + sealed_length(padded)
