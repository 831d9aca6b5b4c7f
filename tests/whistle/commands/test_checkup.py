# SPDX-License-Identifier: AGPL-3.0-or-later
"""What `whistle doctor` finds in what the servers have stored."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.case_office import TODAY
from tests.support.faults import damage
from tests.support.house import BLOB, House, a_house
from whistle.commands.checkup import check_stored
from whistle.commands.findings import Finding, Patient
from whistle.layout import Layout


def bad(layout: Layout, days: int = 0) -> list[str]:
    found: list[Finding] = list(check_stored(Patient(layout, TODAY + timedelta(days=days))))
    return [finding.what for finding in found if finding.level == "bad"]


def a_closed_house(folder: Path) -> House:
    with a_house(folder) as house:
        return house


def test_sound_servers(tmp_path: Path) -> None:
    house = a_closed_house(tmp_path)
    assert bad(house.layout) == []
    found = list(check_stored(Patient(house.layout, TODAY)))
    assert [finding.what for finding in found] == [
        "every page of intake.db is whole", "every page of cases.db is whole",
    ]  # fmt: skip


def test_nothing_stored_yet(tmp_path: Path) -> None:
    assert list(check_stored(Patient(Layout(tmp_path), TODAY))) == []


@pytest.mark.parametrize("page", [0, 1, -1])
@pytest.mark.parametrize("server", ["intake", "cases"])
def test_one_damaged_page(tmp_path: Path, server: str, page: int) -> None:
    house = a_closed_house(tmp_path)
    path = house.layout.state / server / f"{server}.db"
    damage(path, page % (path.stat().st_size // 4096))
    assert bad(house.layout) == [f"{path} is damaged, or db.key is another one's"]


@pytest.mark.parametrize("left", [b"", b"half", None])
def test_a_file_that_is_not_whole(tmp_path: Path, left: bytes | None) -> None:
    house = a_closed_house(tmp_path)
    path = house.layout.intake / "blobs" / BLOB
    if left is None:
        path.unlink()
    else:
        path.write_bytes(left)
    assert bad(house.layout) == [f"{path} is not whole; it had 70000 bytes"]


def test_a_report_of_tomorrow(tmp_path: Path) -> None:
    house = a_closed_house(tmp_path)
    assert bad(house.layout, days=-1) == [
        f"a report was stored on {TODAY}, and today is {TODAY - timedelta(days=1)}"
    ]


def test_servers_that_run_are_not_disturbed(tmp_path: Path) -> None:
    with a_house(tmp_path) as house:
        assert bad(house.layout) == []
        house.add_thread(9)
        assert bad(house.layout) == []
