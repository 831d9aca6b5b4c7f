# SPDX-License-Identifier: AGPL-3.0-or-later
"""The folder: complete, the same every time, never written twice, never with a number too small."""

import copy
import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from case_mgmt.figures.city import city_figures
from case_mgmt.publication.check import cases_from
from case_mgmt.publication.history import Window
from tests.whistle.release.conftest import Built
from whistle.release.build import build, check_disclosure, release_files
from whistle.release.errors import (
    AlreadyPublishedError,
    DisclosureError,
    FolderError,
    InputError,
)
from whistle.release.folder import check_folder, read_release, require_path, write_folder
from whistle.release.inputs import EarlierRelease, LogHead, check_inputs

ROOT = Path(__file__).resolve().parents[3]
EXPECTED = {
    *("manifest.json", "manifest.sig", "policy.json", "log-policy.txt", "canaries.json"),
    *("log/checkpoint", "data/figures.json", "data/tables.json", "data/suppression.json"),
    *("data/weekly.csv", "data/units.csv", "datapackage.json", "dcat.jsonld", "LICENSE.txt"),
    *("index.html", "id/index.html", "en/index.html", "id/method.html", "en/method.html"),
    *("style.css", "charts/id-weekly.svg", "charts/en-weekly-narrow.svg"),
}


def test_the_folder_holds_what_the_format_names(built: Built) -> None:
    check_folder(built.folder)
    head = read_release(built.folder)
    assert set(head["files"]) >= EXPECTED
    assert not {"release.json", "release.sig"} & set(head["files"])
    assert head["log"]["size"] == len(built.city.leaves)
    assert (head["previous"], head["reason"]) == (None, None)
    assert head["instance"] == built.town.org.instance_id.hex()
    assert head["period"]["from"] == (built.city.plan.opening + timedelta(days=1)).isoformat()
    assert head["as_of"] == head["period"]["to"] == built.city.leaves[-1].period.isoformat()


def test_the_figures_are_those_of_the_log(built: Built) -> None:
    published = json.loads((built.folder / "data/figures.json").read_bytes())
    hidden = {each.pseudonym for each in built.city.canaries}
    day = built.city.leaves[-1].period
    assert published == city_figures(cases_from(built.city.leaves), day, hidden)
    assert published["canaries"]["sent"] == len(hidden) > 0


def test_same_inputs_same_bytes(built: Built) -> None:
    again = release_files(replace(built.inputs))
    assert {path: hashlib.sha256(data).hexdigest() for path, data in again.items()} == {
        each.relative_to(built.folder).as_posix(): hashlib.sha256(each.read_bytes()).hexdigest()
        for each in built.folder.rglob("*")
        if each.is_file()
    }


def test_a_release_is_never_written_twice(built: Built) -> None:
    before = (built.folder / "release.json").read_bytes()
    with pytest.raises(AlreadyPublishedError, match="never changes"):
        build(replace(built.inputs, reason="second thoughts"), built.folder)
    assert (built.folder / "release.json").read_bytes() == before


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_another_process_makes_the_same_release(built: Built, tmp_path: Path) -> None:
    """Neither the hash seed nor the time of day, locale or home folder is in the files."""
    script = (
        "import sys; from pathlib import Path; "
        "from tests.support.sample_release import sample_inputs, sample_town; "
        "from whistle.release.build import build; "
        "base = Path(sys.argv[1]); build(sample_inputs(*sample_town(base)), base / '2024-q3')"
    )
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONHASHSEED": "7"}
    environment |= {"TZ": "Asia/Jakarta", "LC_ALL": "C"}
    command = [sys.executable, "-c", script, str(tmp_path)]
    subprocess.run(command, check=True, env=environment, cwd=ROOT, timeout=240)
    other = (tmp_path / "2024-q3" / "release.json").read_bytes()
    assert json.loads(other)["files"] == read_release(built.folder)["files"]


def smaller(tables: Any) -> Any:
    """Tables in which one shown cell is below ten."""
    changed = copy.deepcopy(tables)
    table = next(each for each in changed["oneway"] if each["by"] == "paid")
    cell = next(cell for cell in table["cells"] if cell["count"] is not None)
    cell["count"] = 5
    return changed


def test_a_number_below_ten_stops_the_release(built: Built, tmp_path: Path) -> None:
    out = tmp_path / "2024-q3"
    with pytest.raises(DisclosureError, match="below ten"):
        build(replace(built.inputs, tables=smaller(built.inputs.tables)), out)
    assert list(tmp_path.iterdir()) == []


def test_a_change_below_ten_since_the_last_release_stops_it(built: Built) -> None:
    earlier = EarlierRelease("2024-q2", "ab" * 32, built.inputs.figures, built.inputs.tables)
    tables, figures = copy.deepcopy(built.inputs.tables), copy.deepcopy(built.inputs.figures)
    day = (built.inputs.as_of + timedelta(days=7)).isoformat()
    tables["as_of"] = figures["as_of"] = day
    table = next(each for each in tables["oneway"] if each["by"] == "subject")
    shown = [cell for cell in table["cells"] if cell["count"] is not None]
    shown[0] |= {"count": shown[0]["count"] + 3, "since": day}
    figures["received"] += 3
    with pytest.raises(DisclosureError):
        check_disclosure(replace(built.inputs, tables=tables, figures=figures, earlier=(earlier,)))


@pytest.mark.parametrize(
    "change",
    [
        {"id": "third quarter"},
        {"id": "../2024-q3"},
        {"organisation": {"manifest.json": b"{}"}},
        {"log_files": {}},
        {"log": LogHead("origin", 1, b"short")},
        {"period": Window(date(2024, 9, 1), date(2024, 8, 1))},
        {"period": Window(date(2024, 1, 1), date(2034, 1, 1))},
        {"earlier": (EarlierRelease("2024-q3", "ab" * 32, {}, {}),)},
    ],
    ids="-".join,
)
def test_inputs_that_do_not_fit_are_refused(built: Built, change: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        check_inputs(replace(built.inputs, **change))


@pytest.mark.parametrize(
    "path", ["../up", "/root", ".hidden", "a//b", "a/../b", "a/", "", "a b", "a/.b", "é"]
)
def test_paths_that_leave_the_folder_are_refused(path: str, tmp_path: Path) -> None:
    with pytest.raises(FolderError):
        require_path(path)
    with pytest.raises(FolderError):
        write_folder({path: b""}, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_no_release(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        write_folder({"a": b"1", "a/b": b"2"}, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    write_folder({"a": b"1"}, tmp_path / "out")
    assert (tmp_path / "out" / "a").read_bytes() == b"1"


@pytest.mark.parametrize("fault", ["extra", "missing", "changed"])
def test_check_folder_names_what_is_wrong(tmp_path: Path, fault: str) -> None:
    digest = hashlib.sha256(b"1").hexdigest()
    head = json.dumps({"files": {"a": digest}}).encode()
    write_folder({"a": b"1", "release.json": head}, tmp_path / "out")
    check_folder(tmp_path / "out")
    target = tmp_path / "out" / ("b" if fault == "extra" else "a")
    if fault == "missing":
        target.unlink()
    else:
        target.write_bytes(b"2")
    with pytest.raises(FolderError):
        check_folder(tmp_path / "out")
