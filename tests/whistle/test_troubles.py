# SPDX-License-Identifier: AGPL-3.0-or-later
"""Errors get the word under which the operator's guide explains them."""

import errno
from pathlib import Path

import pytest
from sqlcipher3 import dbapi2

from case_mgmt.errors import StoreError
from tests.support.faults import kinds, listening_to_logs
from whistle import troubles
from whistle.cases.errors import FeedClosedError, FeedError, FeedGoneError, FeedLostError
from whistle.errors import RefusedError
from whistle.intake.blobs import busy_if_exhausted
from whistle.troubles import kind_of


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, "disk full"),
        (errno.EDQUOT, "disk full"),
        (errno.EROFS, "disk read-only"),
        (errno.EIO, "disk failing"),
        (errno.ENOMEM, "no memory left"),
        (errno.EMFILE, "no descriptors left"),
        (errno.ENFILE, "no descriptors left"),
        (errno.ENOENT, None),
    ],
)
def test_errors_of_the_system(number: int, kind: str | None) -> None:
    assert kind_of(OSError(number, "text")) == kind


def sqlite_error(code: int) -> Exception:
    error = dbapi2.OperationalError("text")
    error.sqlite_errorcode = code
    return error  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (5, "database locked"),
        (517, "database locked"),  # SQLITE_BUSY_SNAPSHOT: extended codes keep their low 8 bits
        (7, "no memory left"),
        (8, "disk read-only"),
        (778, "disk failing"),  # SQLITE_IOERR_WRITE
        (11, "database damaged"),
        (13, "disk full"),
        (26, "database damaged"),
        (1, None),
        (19, None),
    ],
)
def test_errors_of_the_database(code: int, kind: str | None) -> None:
    assert kind_of(sqlite_error(code)) == kind


def test_the_codes_are_those_of_the_library(tmp_path: Path) -> None:
    path = tmp_path / "no.db"
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(dbapi2.DatabaseError) as caught:
        dbapi2.connect(str(path)).execute("SELECT * FROM sqlite_master")
    assert kind_of(caught.value) == "database damaged"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError(), "no memory left"),
        (FeedLostError(), "feed lost"),
        (FeedClosedError(), "feed refused"),
        (FeedGoneError(), "file damaged"),
        (FeedError(), None),
        (ValueError("disk full"), None),
    ],
)
def test_our_own_errors(error: Exception, kind: str | None) -> None:
    assert kind_of(error) == kind


def test_the_innermost_cause_counts() -> None:
    error = StoreError("the database refused")
    error.__cause__ = sqlite_error(13)
    assert kind_of(error) == "disk full"
    lost = FeedLostError()
    lost.__cause__ = error
    assert kind_of(lost) == "disk full"


def test_a_circle_of_causes_ends() -> None:
    one, other = ValueError(), ValueError()
    one.__cause__, other.__cause__ = other, one
    assert kind_of(one) is None


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EMFILE])
def test_a_file_that_finds_no_place_is_told(number: int) -> None:
    with listening_to_logs() as log, pytest.raises(RefusedError), busy_if_exhausted():
        raise OSError(number, "text")
    assert kinds(log.getvalue()) == [kind_of(OSError(number, "text"))]


def test_every_kind_may_stand_in_a_log() -> None:
    from whistle.logs import is_plain  # noqa: PLC0415 - after what it is about

    assert all(is_plain(kind) for kind in troubles.KINDS)
