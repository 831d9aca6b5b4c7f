# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a publisher hands in: only what can be published, and no more than there is room for."""

from pathlib import Path

import pytest

from case_mgmt.errors import GateError
from whistle.cases import staging
from whistle.cases.staging import Staging
from whistle.intake.public_files import is_path

WRONG = ("_x", "-x", ".x", "a" * 81, "/".join("abcdefghi"), "../x", "a//b", "")


@pytest.mark.parametrize("path", WRONG)
def test_a_path_that_the_intake_would_refuse_is_refused_here(tmp_path: Path, path: str) -> None:
    assert not is_path(f"releases/2026-q1/{path}")
    with pytest.raises(GateError, match="release_files"):
        Staging(tmp_path).add("2026-q1", path, b"x")
    assert not any(tmp_path.rglob("*"))


@pytest.mark.parametrize("path", ["index.html", "log/tile/0/x001/234.p/5", "a" * 80])
def test_what_the_intake_serves_is_taken(tmp_path: Path, path: str) -> None:
    assert is_path(f"releases/2026-q1/{path}")
    Staging(tmp_path).add("2026-q1", path, b"x")
    assert (tmp_path / "2026-q1" / path).read_bytes() == b"x"


def test_what_others_left_half_handed_in_makes_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "MAX_STAGED_BYTES", 10_000)
    one = Staging(tmp_path)
    for number in range(6):
        one.add(f"2026-q{number}", "data.csv", bytes(1000))
    left = sorted(path.name for path in tmp_path.iterdir())
    assert "2026-q5" in left
    assert len(left) < 6


def test_empty_files_count_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "MAX_RELEASE_BYTES", 10_000)
    one = Staging(tmp_path)
    for number in range(9):
        one.add("2026-q1", f"empty-{number}", b"")
    with pytest.raises(GateError, match="release_files"):
        one.add("2026-q1", "one-more", bytes(1000))
