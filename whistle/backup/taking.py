# SPDX-License-Identifier: AGPL-3.0-or-later
"""Taking a backup: copies aside, pieces sealed to the recipients, a signed list at the end.

Invariants
* Every byte that leaves the server is sealed to the backup recipients (age, `mlkem768x25519`); the
  server has no key that could open it again.
* A piece that is stored already is not sealed again, so a backup costs what has changed.
* A backup that was interrupted is none; the next one continues with the pieces that are there.

Source: docs/spec/backup.md.
"""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from crypto.age.writer import seal_all
from crypto.errors import CryptoError
from crypto.manifest import Manifest, verify_manifest
from crypto.rng import Rng
from crypto.signing import public_from_seed
from crypto.xwing import Recipient
from whistle import statelock
from whistle.backup.databases import NAMES, read_key
from whistle.backup.errors import SourceError
from whistle.backup.files import make_private
from whistle.backup.listing import OpenList, SealedList, StoredFile, check_path, sign_list
from whistle.backup.memory import Memory, recall
from whistle.backup.shelf import Shelf
from whistle.backup.source import Staged, backup_folder, staged
from whistle.errors import ConfigError
from whistle.layout import Layout

DATABASE_PIECE: Final = 256 * 1024  # bytes: a changed page makes one of these new
FILE_PIECE: Final = 16 * 1024 * 1024  # bytes: attachments never change


@dataclass(frozen=True)
class Order:
    """What to back up, for whom, on which day."""

    layout: Layout
    parts: tuple[str, ...]
    recipients: tuple[Recipient, ...]
    today: date


@dataclass(frozen=True)
class Taken:
    """What was done."""

    number: int
    files: int
    bytes: int
    """Of the files."""
    new_objects: int
    new_bytes: int
    """Written to the shelf."""


@dataclass(frozen=True)
class _Signer:
    service: str
    seed: bytes
    instance: bytes


@contextlib.contextmanager
def alone(layout: Layout) -> Iterator[Path]:
    """The folder of what is remembered, for one process at a time.  Raises SourceError."""
    folder = backup_folder(layout)
    try:
        make_private(folder)
        lock = statelock.hold(folder)
    except OSError as error:
        raise SourceError(f"{folder} cannot be written ({error.strerror})") from error
    except ConfigError as error:
        raise SourceError("another backup or rotation is at work here") from error
    with lock:
        yield folder


def take(order: Order, shelf: Shelf, rng: Rng) -> Taken:
    """Add one backup to the shelf.  Raises SourceError, DestinationError, DamageError."""
    with alone(order.layout) as folder:
        signer = _signer(order)
        shelf.prepare()
        numbers = shelf.numbers()
        newest = shelf.read(numbers[-1]) if numbers else None
        memory = recall(folder, order.recipients)
        number = max(memory.number, numbers[-1] if numbers else 0) + 1
        with staged(order.layout, order.parts) as copies:
            packing = _Packing(shelf, order.recipients, memory, rng)
            files = tuple(packing.file(path, file) for path, file in copies.files())
            content = SealedList(number, files, copies.tallies)
            index = packing.piece(content.encode())
            outer = OpenList(
                number=number,
                previous=newest.hash if newest else None,
                day=order.today,
                instance=signer.instance.hex(),
                signer=signer.service,
                parts=_parts(copies),
                index=index,
                objects=dict(sorted(packing.used.items())),
            )
        data = outer.encode()
        shelf.publish(number, data, sign_list(signer.seed, data))
        memory.known = {
            content: stored
            for content, stored in memory.known.items()
            if stored[0] in packing.used and stored[0] != index
        }
        memory.number, memory.day = number, order.today.isoformat()
        memory.save(folder)
    total = sum(each.size for each in files)
    return Taken(number, len(files), total, packing.new_objects, packing.new_bytes)


def _signer(order: Order) -> _Signer:
    """The key this backup is signed with, which the manifest must name.  Raises SourceError."""
    service = next((each for each in NAMES if each in order.parts and each == "cases"), "intake")
    if service not in order.parts or "org" not in order.parts:
        raise SourceError("there is no founded server here: org/, and intake/ or cases/")
    seed = bytes.fromhex(read_key(order.layout.state / service / "service.key"))
    org = order.layout.org
    manifest = read_org(org)
    if manifest.services.get(service) != public_from_seed(seed):
        raise SourceError("the manifest does not name this server's service key")
    return _Signer(service, seed, manifest.instance_id)


def read_org(org: Path, instance: str | None = None) -> Manifest:
    """The manifest of a folder, verified as of its own first day: one that has run out still says
    whose backup this is.  `instance` is the organisation's id, if it is known from elsewhere.

    Raises SourceError.
    """
    try:
        root = instance or (org / "instance.id").read_text(encoding="ascii").strip()
        data, signature = (org / "manifest.json").read_bytes(), (org / "manifest.sig").read_bytes()
        first_day = date.fromisoformat(json.loads(data)["not_before"])
        return verify_manifest(data, signature, bytes.fromhex(root), first_day)
    except (OSError, ValueError, KeyError, TypeError, CryptoError) as error:
        raise SourceError(f"the organisation's files cannot be used: {error}") from error


def _parts(copies: Staged) -> tuple[str, ...]:
    present = {path.split("/", 1)[0] for path, _file in copies.files()}
    return tuple(part for part in copies.parts if part in present)


class _Packing:
    """Seals pieces, unless they are there, and remembers which are in use."""

    def __init__(
        self, shelf: Shelf, recipients: Sequence[Recipient], memory: Memory, rng: Rng
    ) -> None:
        self._shelf = shelf
        self._recipients = recipients
        self._memory = memory
        self._rng = rng
        self.used: dict[str, int] = {}
        self.new_objects = 0
        self.new_bytes = 0

    def file(self, path: str, source: Path) -> StoredFile:
        """Store one file.  Raises SourceError for a name that could not be put back."""
        try:
            check_path(path)
        except CryptoError as error:
            raise SourceError(f"{path} is not a name of ours: move the file away") from error
        whole = hashlib.sha256()
        size = 0
        objects = []
        length = DATABASE_PIECE if source.name in NAMES.values() else FILE_PIECE
        with source.open("rb") as stream:
            while piece := stream.read(length):
                whole.update(piece)
                size += len(piece)
                objects.append(self.piece(piece))
        return StoredFile(path, size, whole.hexdigest(), tuple(objects))

    def piece(self, data: bytes) -> str:
        """Store one piece; return the object's name."""
        content = hashlib.sha256(data).hexdigest()
        name, size = self._memory.known.get(content, ("", 0))
        if not name or not self._shelf.has(name, size):
            sealed = seal_all(self._recipients, data, self._rng)
            name, size = self._shelf.put(sealed), len(sealed)
            self._memory.known[content] = (name, size)
            self.new_objects += 1
            self.new_bytes += size
        self.used[name] = size
        return name
