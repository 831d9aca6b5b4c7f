# SPDX-License-Identifier: AGPL-3.0-or-later
"""Names what has gone wrong around a server in the words of the operator's guide.

An error that a disk, the memory or the network caused is logged with its `kind`: a heading of
docs/operations.md, where the operator reads what it means and what to do.

Invariants:

* a kind is a constant of ours; no text of an error is read for more than recognising it;
* the whole chain of causes is looked at, the innermost first: our errors wrap a library's.

Source: errno(3), https://www.sqlite.org/rescode.html (primary codes are the low 8 bits).
"""

import errno
from typing import Final

DISK_FULL: Final = "disk full"
DISK_READ_ONLY: Final = "disk read-only"
DISK_FAILING: Final = "disk failing"
DATABASE_DAMAGED: Final = "database damaged"
DATABASE_LOCKED: Final = "database locked"
FILE_DAMAGED: Final = "file damaged"
NO_MEMORY: Final = "no memory left"
NO_DESCRIPTORS: Final = "no descriptors left"
FEED_LOST: Final = "feed lost"
FEED_REFUSED: Final = "feed refused"
CLOCK_WENT_BACK: Final = "clock went back"

KINDS: Final = (
    DISK_FULL, DISK_READ_ONLY, DISK_FAILING, DATABASE_DAMAGED, DATABASE_LOCKED, FILE_DAMAGED,
    NO_MEMORY, NO_DESCRIPTORS, FEED_LOST, FEED_REFUSED, CLOCK_WENT_BACK,
)  # fmt: skip
"""Every heading of the guide's table."""

_BY_ERRNO: Final = {
    errno.ENOSPC: DISK_FULL,
    errno.EDQUOT: DISK_FULL,
    errno.EROFS: DISK_READ_ONLY,
    errno.EIO: DISK_FAILING,
    errno.ENOMEM: NO_MEMORY,
    errno.EMFILE: NO_DESCRIPTORS,
    errno.ENFILE: NO_DESCRIPTORS,
}
_BY_SQLITE: Final = {
    5: DATABASE_LOCKED,  # SQLITE_BUSY
    6: DATABASE_LOCKED,  # SQLITE_LOCKED
    7: NO_MEMORY,  # SQLITE_NOMEM
    8: DISK_READ_ONLY,  # SQLITE_READONLY
    10: DISK_FAILING,  # SQLITE_IOERR
    11: DATABASE_DAMAGED,  # SQLITE_CORRUPT
    13: DISK_FULL,  # SQLITE_FULL
    14: DISK_FAILING,  # SQLITE_CANTOPEN
    26: DATABASE_DAMAGED,  # SQLITE_NOTADB
}
_PRIMARY: Final = 0xFF
_DEEPEST: Final = 8  # causes looked at


def kind_of(error: BaseException) -> str | None:
    """Return the kind of an error, or None if it is none of them."""
    known = [kind for each in _causes(error) if (kind := _own_kind(each)) is not None]
    return known[-1] if known else None


def _causes(error: BaseException) -> list[BaseException]:
    """Return the error and what it was raised from, outermost first."""
    chain: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and len(chain) < _DEEPEST:
        chain.append(following)
        following = following.__cause__ or getattr(following, "orig", None)
    return chain


def _own_kind(error: BaseException) -> str | None:
    if isinstance(error, MemoryError):
        return NO_MEMORY
    given = getattr(error, "kind", None)
    if given in KINDS:
        return str(given)
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(code, int):
        return _BY_SQLITE.get(code & _PRIMARY)
    return _BY_ERRNO.get(error.errno or 0) if isinstance(error, OSError) else None
