# SPDX-License-Identifier: AGPL-3.0-or-later
"""What counts as swap, and who may start with it."""

from pathlib import Path

import pytest

from whistle.swap import REFUSAL, SwapRule, disk_swap, verdict

HEAD = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"


def areas(tmp_path: Path, lines: str, behind: str | None = None) -> list[str]:
    swaps = tmp_path / "swaps"
    swaps.write_text(HEAD + lines, encoding="utf-8")
    if behind is not None:
        (tmp_path / "block/zram0").mkdir(parents=True)
        (tmp_path / "block/zram0/backing_dev").write_text(behind, encoding="ascii")
    return disk_swap(swaps, tmp_path / "block")


def test_no_swap(tmp_path: Path) -> None:
    assert areas(tmp_path, "") == []


def test_partitions_and_files_are_swap(tmp_path: Path) -> None:
    lines = "/dev/sda5 partition 976892 0 -2\n/swapfile file 2097148 0 -3\n"
    assert areas(tmp_path, lines) == ["/dev/sda5", "/swapfile"]


@pytest.mark.parametrize(("behind", "counts"), [("none\n", 0), (None, 0), ("/dev/sda7\n", 1)])
def test_compressed_memory_counts_only_with_a_disk_behind_it(
    tmp_path: Path, behind: str | None, counts: int
) -> None:
    assert len(areas(tmp_path, "/dev/zram0 partition 8 0 100\n", behind)) == counts


def test_a_system_that_does_not_tell(tmp_path: Path) -> None:
    assert disk_swap(tmp_path / "absent", tmp_path) == []


@pytest.mark.parametrize(
    ("swap", "demo", "allowed", "refused"),
    [
        ([], False, False, False),
        (["/dev/sda5"], False, False, True),
        (["/dev/sda5"], True, False, False),
        (["/dev/sda5"], False, True, False),
    ],
)
def test_who_may_start(swap: list[str], *, demo: bool, allowed: bool, refused: bool) -> None:
    said = verdict(swap, SwapRule(is_demo=demo, is_allowed=allowed))
    assert said == (REFUSAL if refused else None)
