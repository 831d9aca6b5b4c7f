# SPDX-License-Identifier: AGPL-3.0-or-later
"""Looking after a shelf without any private key: is everything there, and what may go.

Invariants
* `inspect` believes a list only if a service key signed it that the organisation's manifest names,
  now or formerly.
* `prune` never removes the newest backup, and removes an object only when no list that is left
  names it.
"""

from dataclasses import dataclass

from crypto.manifest import Manifest
from whistle.backup.errors import DamageError
from whistle.backup.listing import verify_list
from whistle.backup.shelf import Found, Shelf


@dataclass(frozen=True)
class Inspection:
    """What was looked at."""

    numbers: tuple[int, ...]
    objects: int
    bytes: int


def inspect(shelf: Shelf, manifest: Manifest, *, deep: bool) -> Inspection:
    """Verify all lists, their order, and that their objects are there (`deep`: unchanged too).

    Raises DamageError, DestinationError.
    """
    seen: dict[str, int] = {}
    before: Found | None = None
    numbers = shelf.numbers()
    for number in numbers:
        found = shelf.read(number)
        _require_ours(found, manifest)
        if before is not None and found.content.previous != before.hash:
            raise DamageError(f"backup {number} does not follow on backup {before.content.number}")
        for name, size in found.content.objects.items():
            if name in seen:
                continue
            if not shelf.has(name, size):
                raise DamageError(f"an object of backup {number} is missing or not whole")
            if deep:
                shelf.get(name)
            seen[name] = size
        before = found
    return Inspection(tuple(numbers), len(seen), sum(seen.values()))


def prune(shelf: Shelf, keep: int) -> tuple[int, int]:
    """Keep the newest `keep` backups; return how many backups and objects went.

    Raises DamageError (then nothing is removed), DestinationError.
    """
    numbers = shelf.numbers()
    leaving = numbers[: -max(1, keep)]
    staying = [shelf.read(number) for number in numbers[-max(1, keep) :]]
    for number in leaving:
        shelf.forget(number)
    removed = shelf.sweep(name for found in staying for name in found.content.objects)
    return len(leaving), removed


def _require_ours(found: Found, manifest: Manifest) -> None:
    content = found.content
    keys = [key for name, key in manifest.services.items() if name == content.signer]
    keys += [each.public for each in manifest.former_services if each.id == content.signer]
    for public in keys:
        try:
            verify_list(public, found.signature, found.data)
        except DamageError:
            continue
        if content.instance == manifest.instance_id.hex():
            return
    raise DamageError(f"backup {content.number} is not signed by this organisation")
