# SPDX-License-Identifier: AGPL-3.0-or-later
"""Archives in the oldest form every computer opens: ustar, written one file at a time.

Invariants:

* the bytes follow from names and contents alone: sorted, one owner, one mode, no time, no folder;
* the length is known before the first byte, and no more than one piece of one file is in memory;
* a file that is not as long as it was said to be ends the archive at once, with an error.

Source: POSIX.1-1988 (ustar interchange format); docs/spec/http.md section 2.
"""

import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from whistle.errors import StoreError

BLOCK: Final = 512
END: Final = bytes(2 * BLOCK)
TYPE: Final = "application/x-tar"
_MODE: Final = 0o644


@dataclass(frozen=True)
class Member:
    """One file of an archive; the content is bytes, or lies in a file of this size."""

    name: str
    size: int
    source: bytes | Path

    @classmethod
    def of(cls, name: str, content: bytes) -> "Member":
        """A file whose content is at hand."""
        return cls(name, len(content), content)

    @property
    def header(self) -> bytes:
        """The block before the content.  Raises ValueError: the name or size has no room in it."""
        info = tarfile.TarInfo(self.name)
        info.size, info.mode = self.size, _MODE
        return info.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict")


class Archive:
    """Files in the order of their names.  Raises ValueError: a name is too long, or used twice."""

    def __init__(self, members: Iterable[Member]) -> None:
        self._members = sorted(members, key=lambda each: each.name)
        if len({each.name for each in self._members}) != len(self._members):
            raise ValueError("two files of one name")
        for each in self._members:
            each.header  # noqa: B018 - before anything is sent
        self.size: Final = len(END) + sum(
            BLOCK + each.size + _padding(each.size) for each in self._members
        )

    def pieces(self, length: int) -> Iterator[bytes]:
        """The archive, in pieces of at most `length` bytes.  Raises StoreError, OSError."""
        for each in self._members:
            yield each.header
            yield from _content(each, length)
            if _padding(each.size):
                yield bytes(_padding(each.size))
        yield END


def _padding(size: int) -> int:
    return -size % BLOCK


def _content(member: Member, length: int) -> Iterator[bytes]:
    if isinstance(member.source, bytes):
        for start in range(0, member.size, length):
            yield member.source[start : start + length]
        return
    left = member.size
    with member.source.open("rb") as file:
        while left:
            piece = file.read(min(length, left))
            if not piece:
                raise StoreError("a public file is shorter than it was")
            left -= len(piece)
            yield piece
