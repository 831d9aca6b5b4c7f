# SPDX-License-Identifier: AGPL-3.0-or-later
"""A desk's keystore: one person's two seeds, the organisation, and the person's id, in one file.

Invariants: the plaintext always has 160 bytes, so the file's size tells nothing about the person.

Source: docs/spec/envelope.md section 12.
"""

import struct
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from crypto.errors import KeystoreError
from crypto.private.sealed_file import (
    DEFAULT_MEMORY,
    DEFAULT_PASSES,
    Cost,
    open_file,
    seal_file,
)
from crypto.rng import Rng
from crypto.signing import public_from_seed
from crypto.xwing import Recipient, recipient_from_seed

MAGIC: Final = b"WHSK"
MAX_PERSON: Final = 63  # bytes
_PLAIN: Final = struct.Struct(f">32s32s32sB{MAX_PERSON}s")


@dataclass(frozen=True, repr=False)
class Identity:
    """Who sits at this desk, with the secrets that make it so."""

    person: str
    recipient_seed: bytes
    device_seed: bytes
    instance_id: bytes

    @cached_property
    def recipient(self) -> Recipient:
        """The key reports are sealed to."""
        return recipient_from_seed(self.recipient_seed)

    @cached_property
    def device_public(self) -> bytes:
        """The key this desk signs with."""
        return public_from_seed(self.device_seed)


def seal_keystore(
    identity: Identity,
    passphrase: str,
    rng: Rng,
    *,
    opslimit: int = DEFAULT_PASSES,
    memlimit: int = DEFAULT_MEMORY,
) -> bytes:
    """Return the keystore file; `memlimit` is in bytes."""
    person = identity.person.encode("utf-8")
    seeds = (identity.recipient_seed, identity.device_seed, identity.instance_id)
    if not 0 < len(person) <= MAX_PERSON or any(len(seed) != 32 for seed in seeds):
        raise KeystoreError("identity does not fit a keystore")
    plain = _PLAIN.pack(*seeds, len(person), person)
    return seal_file(MAGIC, plain, passphrase, Cost(opslimit, memlimit), rng)


def open_keystore(data: bytes, passphrase: str) -> Identity:
    """Return whose keystore this is, with the secrets."""
    plain = open_file(MAGIC, data, passphrase)
    if len(plain) != _PLAIN.size:
        raise KeystoreError("keystore has the wrong size")
    recipient_seed, device_seed, instance_id, length, padded = _PLAIN.unpack(plain)
    try:
        person = padded[:length].decode("utf-8")
    except UnicodeDecodeError as error:
        raise KeystoreError("keystore names nobody") from error
    if not 0 < length <= MAX_PERSON or any(padded[length:]):
        raise KeystoreError("keystore names nobody")
    return Identity(person, recipient_seed, device_seed, instance_id)
