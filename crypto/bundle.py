# SPDX-License-Identifier: AGPL-3.0-or-later
"""The bundle `WHB1`: one sealed report as a file, carried to the intake by any means.

Layout: magic (4) ‖ length of the head (u32) ‖ head (canonical JSON) ‖ container ‖ blobs in order.

Invariants:
- the head says exactly how many bytes follow; anything else is refused;
- its signature, by the key that stays with the thread, covers organisation, thread and container,
  and the container's frame names every blob: nobody can exchange a part for another one;
- the head holds nothing the intake would not be told by a reporter's client anyway.

What the receiver still owes: that container and blobs have permitted forms and the recipients are
in the manifest.

Source: docs/spec/offline.md, "Bundle".
"""

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from crypto import jsonfields as read
from crypto.body import MAX_ATTACHMENTS
from crypto.domains import Domain
from crypto.encoding import b64, canonical_json, parse_json, unb64
from crypto.errors import MalformedError
from crypto.signing import SIGNATURE, sign, verify

MAGIC: Final = b"WHB1"
PREFIX: Final = 8  # magic and length
MAX_HEAD: Final = 65536
MAX_BUNDLE_CONTAINER: Final = 2 * 1024 * 1024
MAX_DOSSIER: Final = 4096
_LENGTH: Final = struct.Struct(">I")


@dataclass(frozen=True)
class BundleBlob:
    """A sealed attachment in a bundle."""

    id: str
    size: int


@dataclass(frozen=True, repr=False)
class BundleHead:
    """What a bundle says about itself; `container` is the container's length in bytes."""

    lookup_id: bytes
    auth_public: bytes
    signature: bytes
    mailbox_key: bytes
    dossier: bytes
    recipients: tuple[str, ...]
    container: int
    blobs: tuple[BundleBlob, ...]
    commitment: bytes | None = None  # without it there is no promise

    def encode(self) -> bytes:
        """Return magic, length and JSON: everything before the container."""
        data = canonical_json(
            {
                "lookup_id": self.lookup_id.hex(),
                "auth_public": self.auth_public.hex(),
                "signature": b64(self.signature),
                "mailbox_key": self.mailbox_key.hex(),
                "commitment": None if self.commitment is None else self.commitment.hex(),
                "dossier": b64(self.dossier),
                "recipients": list(self.recipients),
                "container": self.container,
                "blobs": [{"id": blob.id, "size": blob.size} for blob in self.blobs],
            }
        )
        return MAGIC + _LENGTH.pack(len(data)) + data

    @property
    def total(self) -> int:
        """Return the bytes of the whole bundle."""
        return len(self.encode()) + self.container + sum(blob.size for blob in self.blobs)

    def verify(self, instance_id: bytes, container: bytes) -> None:
        """Raise `AuthenticationError` unless the holder of this thread made this bundle here."""
        parts = _covered(instance_id, self.lookup_id, container)
        verify(self.auth_public, self.signature, Domain.BUNDLE, *parts)


def sign_bundle(auth_seed: bytes, instance_id: bytes, lookup_id: bytes, container: bytes) -> bytes:
    """Return the signature of a bundle's head."""
    return sign(auth_seed, Domain.BUNDLE, *_covered(instance_id, lookup_id, container))


def head_length(prefix: bytes) -> int:
    """Return how many bytes of JSON follow the first eight bytes of a bundle."""
    if len(prefix) != PREFIX or not prefix.startswith(MAGIC):
        raise MalformedError("not a bundle")
    length = int(_LENGTH.unpack_from(prefix, len(MAGIC))[0])
    if not 0 < length <= MAX_HEAD:
        raise MalformedError("bundle head is too long")
    return length


def parse_head(data: bytes) -> BundleHead:
    """Parse the JSON of a bundle; only its one encoding is accepted."""
    source = read.members(parse_json(data, max_bytes=MAX_HEAD))
    head = BundleHead(
        lookup_id=read.hexadecimal(source, "lookup_id", 16),
        auth_public=read.hexadecimal(source, "auth_public", 32),
        signature=_binary(source, "signature", SIGNATURE, SIGNATURE),
        mailbox_key=read.hexadecimal(source, "mailbox_key", 32),
        dossier=_binary(source, "dossier", 1, MAX_DOSSIER),
        recipients=tuple(_recipients(source)),
        container=_size(source, "container", MAX_BUNDLE_CONTAINER),
        blobs=tuple(_blob(each) for each in read.items(source, "blobs", MAX_ATTACHMENTS)),
        commitment=_commitment(source),
    )
    if len({blob.id for blob in head.blobs}) != len(head.blobs):
        raise MalformedError("a blob is listed twice")
    if head.encode()[PREFIX:] != data:
        raise MalformedError("bundle head is not in its one form")
    return head


def _covered(instance_id: bytes, lookup_id: bytes, container: bytes) -> tuple[bytes, ...]:
    return instance_id, lookup_id, hashlib.sha256(container).digest()


def _binary(source: Mapping[str, Any], key: str, least: int, most: int) -> bytes:
    data = unb64(read.text(source, key, 2 * most))
    if not least <= len(data) <= most:
        raise MalformedError("member of the wrong length")
    return data


def _size(source: Mapping[str, Any], key: str, most: int) -> int:
    size = read.integer(source, key)
    if not 0 < size <= most:
        raise MalformedError("size out of range")
    return size


def _commitment(source: Mapping[str, Any]) -> bytes | None:
    return None if source.get("commitment") is None else read.hexadecimal(source, "commitment", 32)


def _recipients(source: Mapping[str, Any]) -> list[str]:
    people = read.items(source, "recipients", 16)
    if not people or not all(isinstance(person, str) and len(person) <= 63 for person in people):
        raise MalformedError("not a list of people")
    return list(people)


def _blob(value: Any) -> BundleBlob:
    source = read.members(value)
    return BundleBlob(read.hexadecimal(source, "id", 16).hex(), _size(source, "size", 2**40))
