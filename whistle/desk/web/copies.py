# SPDX-License-Identifier: AGPL-3.0-or-later
"""Keeps clean copies in memory between the page that makes them and the download.

Only the last few, oldest forgotten first, and all of them when the keys are locked or change hands.
"""

from typing import Final

from whistle.desk.cleaning import CleanCopy
from whistle.limits import MIB

MAX_COPIES: Final = 8
MAX_BYTES: Final = 320 * MIB

Key = tuple[str, int]
"""Case number and position of the file."""


class Copies:
    """The clean copies of the unlocked person."""

    def __init__(self) -> None:
        self._copies: dict[Key, CleanCopy] = {}

    def keep(self, key: Key, copy: CleanCopy) -> None:
        """Keeps a copy, in the place of an earlier one of the same file."""
        self._copies.pop(key, None)
        self._copies[key] = copy
        while len(self._copies) > MAX_COPIES or (len(self._copies) > 1 and self._bytes > MAX_BYTES):
            del self._copies[next(iter(self._copies))]

    def find(self, key: Key) -> CleanCopy | None:
        """The copy, if it is still here."""
        return self._copies.get(key)

    def clear(self) -> None:
        """Forgets everything."""
        self._copies.clear()

    @property
    def _bytes(self) -> int:
        return sum(len(copy.content) for copy in self._copies.values())
