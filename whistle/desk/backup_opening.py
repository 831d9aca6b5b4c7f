# SPDX-License-Identifier: AGPL-3.0-or-later
"""Opening a backup with the operator's identity: the sealed list, then file by file.

Invariants
* A file appears under its name once all its pieces are authentic and its SHA-256 is the one the
  list names; a piece whose ciphertext is not the one its name says is not even tried.
* Nothing is written outside the folder, and nothing in it is overwritten.
* What comes out is what a server's disk held (keys, ciphertext): the reports stay sealed.

Source: docs/spec/backup.md.
"""

import hashlib
import os
from pathlib import Path

from crypto.errors import CryptoError, KeystoreError, MalformedError
from crypto.private.age_open import open_all
from crypto.private.sealed_file import Cost, open_file, seal_file
from crypto.rng import Rng
from crypto.xwing import IDENTITY_PREFIX, identity_from_age
from whistle.backup.errors import DamageError, PlaceError
from whistle.backup.files import PRIVATE_FILE, make_private
from whistle.backup.listing import SealedList, StoredFile, parse_sealed_list
from whistle.backup.shelf import Found, Shelf

MAGIC = b"WHSB"
SEED_BYTES = 32


def seal_identity(seed: bytes, passphrase: str, cost: Cost, rng: Rng) -> bytes:
    """The identity's file, sealed under a passphrase.  Raises KeystoreError."""
    return seal_file(MAGIC, seed, passphrase, cost, rng)


def is_sealed(data: bytes) -> bool:
    """Whether a passphrase is needed."""
    return data.startswith(MAGIC)


def read_identity(data: bytes, passphrase: str | None) -> bytes:
    """The seed in a file of ours or in a stock age identity file.  Raises KeystoreError."""
    if is_sealed(data):
        seed = open_file(MAGIC, data, passphrase or "")
        if len(seed) != SEED_BYTES:
            raise KeystoreError("identity file has the wrong size")
        return seed
    lines = [line.strip() for line in data.decode("ascii", "replace").splitlines()]
    keys = [line for line in lines if line.startswith(IDENTITY_PREFIX.upper())]
    if len(keys) != 1:
        raise KeystoreError("not an identity of a backup, or several")
    try:
        return identity_from_age(keys[0])
    except MalformedError as error:
        raise KeystoreError("the identity has a wrong character") from error


def open_backup(shelf: Shelf, found: Found, seed: bytes, target: Path) -> SealedList:
    """Write every file of a backup below `target`.

    Raises DamageError for a backup that is incomplete or changed, or is not for this identity, and
    PlaceError when the folder cannot be written.
    """
    content = parse_sealed_list(_piece(shelf, found.content.index, seed), found.content)
    for each in content.files:
        _write(shelf, each, seed, target)
    return content


def _piece(shelf: Shelf, name: str, seed: bytes) -> bytes:
    try:
        return open_all(seed, shelf.get(name))
    except CryptoError as error:
        raise DamageError("a piece does not open: is this the identity it was made for?") from error


def _write(shelf: Shelf, each: StoredFile, seed: bytes, target: Path) -> None:
    path = target / each.path
    try:
        make_private(path.parent)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        with os.fdopen(descriptor, "wb") as file:
            whole, size = hashlib.sha256(), 0
            for name in each.objects:
                data = _piece(shelf, name, seed)
                whole.update(data)
                size += len(data)
                file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise PlaceError(f"the files cannot be written ({error.strerror})") from error
    if size != each.size or whole.hexdigest() != each.sha256:
        raise DamageError("a file of the backup is not what its list says")
