# SPDX-License-Identifier: AGPL-3.0-or-later
"""Folders made by somebody who means harm: refused with a fault, never with a traceback."""

import json
from pathlib import Path
from typing import Any

import pytest

from crypto.encoding import canonical_json
from tests.support.published import write
from tests.whistle.verify.conftest import Scene
from whistle.verify.faults import Fault, FaultError, Found, Verdict
from whistle.verify.folder import MAX_FILE, Release
from whistle.verify.package import check_package
from whistle.verify.speaking import Speaker

HEADS: list[dict[str, Any]] = [
    {"v": 2},
    {"id": "../../etc"},
    {"instance": "00"},
    {"as_of": "2024-02-30"},
    {"period": None},
    {"previous": {"id": "2024-q1"}},
    {"log": {"origin": "x", "size": -1, "root": "00" * 32}},
    {"files": {"../secret": "00" * 32}},
    {"files": {"release.sig": "00" * 32}},
    {"files": {"a//b": "00" * 32}},
    {"files": {"a": "zz"}},
]


@pytest.mark.parametrize("change", HEADS, ids=[json.dumps(each)[:30] for each in HEADS])
def test_malformed_heads(scene: Scene, change: dict[str, Any]) -> None:
    scene.town.amend(scene.third, **change)
    with pytest.raises(FaultError) as caught:
        Release.open(scene.third)
    assert caught.value.found.fault is Fault.FOLDER_UNREADABLE


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"v":1.5}', b'{ "v": 1 }', b"\xff"])
def test_what_is_no_head_at_all(tmp_path: Path, data: bytes) -> None:
    write(tmp_path / "release.json", data)
    with pytest.raises(FaultError):
        Release.open(tmp_path)


def test_links_out_of_the_folder_are_not_followed(scene: Scene, tmp_path: Path) -> None:
    write(tmp_path / "outside", (scene.third / "policy.json").read_bytes())
    (scene.third / "policy.json").unlink()
    (scene.third / "policy.json").symlink_to(tmp_path / "outside")
    found = scene.verify(scene.third).faults
    assert Found(Fault.FILE_MISSING, "policy.json") in found
    assert Release.open(scene.third).read_optional("../outside") is None


def test_files_larger_than_any_release_has(scene: Scene) -> None:
    with (scene.third / "policy.json").open("wb") as file:
        file.truncate(MAX_FILE + 1)
    assert Found(Fault.FILE_MISSING, "policy.json") in scene.verify(scene.third).faults


GARBAGE = {
    "release.sig": Fault.SIGNATURES_MISSING,
    "manifest.json": Fault.MANIFEST_FORGED,
    "manifest.sig": Fault.MANIFEST_FORGED,
    "log-policy.txt": Fault.POLICY_REPLACED,
    "log/checkpoint": Fault.CHECKPOINT_FORGED,
    "canaries.json": Fault.FIGURES_MALFORMED,
    "data/figures.json": Fault.FIGURES_MALFORMED,
    "data/tables.json": Fault.FIGURES_MALFORMED,
    "datapackage.json": Fault.PACKAGE_INVALID,
}


@pytest.mark.parametrize("path", GARBAGE)
@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"[]", b"{}", b"9" * 5000])
def test_garbage_in_any_file(scene: Scene, path: str, data: bytes) -> None:
    write(scene.third / path, data)
    if path != "release.sig":
        scene.town.reseal(scene.third) if path != "manifest.json" else None
    faults = {each.fault for each in scene.verify(scene.third).faults}
    allowed = {GARBAGE[path], Fault.DEFINITIONS_UNKNOWN, Fault.CANARY_FALSE}
    assert faults & allowed


RESOURCE = {"name": "t", "path": "t.csv", "schema": {"fields": [
    {"name": "day", "type": "date", "constraints": {"required": True}},
    {"name": "n", "type": "integer", "constraints": {"minimum": 0, "maximum": 9}},
    {"name": "code", "type": "string", "constraints": {"enum": ["a", "b"], "maxLength": 1}},
], "primaryKey": "day", "missingValues": ["", {"value": "-", "label": "withheld"}]}}  # fmt: skip
GOOD = "day,n,code\n2024-01-01,3,a\n2024-01-02,-,b\n"
BAD_TABLES = {
    "columns": "day,n\n",
    "no columns": "",
    "row too short": "day,n,code\n2024-01-01,3\n",
    "not a day": "day,n,code\n2024-13-01,3,a\n",
    "required": "day,n,code\n,3,a\n",
    "not a number": "day,n,code\n2024-01-01,x,a\n",
    "below": "day,n,code\n2024-01-01,-1,a\n",
    "above": "day,n,code\n2024-01-01,10,a\n",
    "not listed": "day,n,code\n2024-01-01,3,c\n",
    "key twice": GOOD + "2024-01-01,3,a\n",
    "quotes": 'day,n,code\n"2024-01-01,3,a\n',
}


def package(**changes: Any) -> dict[str, bytes]:
    descriptor = {"resources": [{**RESOURCE, **changes}]}
    return {"datapackage.json": json.dumps(descriptor).encode(), "t.csv": GOOD.encode()}


def test_a_table_that_fits() -> None:
    assert check_package(package().get) == ([], 2)


@pytest.mark.parametrize("name", BAD_TABLES)
def test_tables_that_do_not_fit(name: str) -> None:
    files = {**package(), "t.csv": BAD_TABLES[name].encode()}
    found, _ = check_package(files.get)
    assert [each.fault for each in found] == [Fault.PACKAGE_INVALID]


@pytest.mark.parametrize("change", [
    {"path": "none.csv"}, {"path": 3}, {"hash": "sha256:00"}, {"bytes": 1}, {"schema": []},
    {"schema": {"fields": [{"name": "day", "type": "colour"}]}}, {"schema": {"fields": "x"}},
    {"schema": {**RESOURCE["schema"], "primaryKey": "none"}},  # type: ignore[dict-item]
    {"schema": {**RESOURCE["schema"], "missingValues": 5}},  # type: ignore[dict-item]
    {"schema": {**RESOURCE["schema"], "primaryKey": 5}},  # type: ignore[dict-item]
    {"schema": {"fields": [{"name": "day", "type": "date", "constraints": {"odd": 1}},
                           {"name": "n"}, {"name": "code"}]}},
    {"schema": {"fields": [{"name": "day", "constraints": {"pattern": "("}},
                           {"name": "n"}, {"name": "code"}]}},
    {"schema": {"fields": [{"name": "day", "type": ["date"]}, {"name": "n"}, {"name": "code"}]}},
])  # fmt: skip
def test_descriptors_that_do_not_hold(change: dict[str, Any]) -> None:
    found, _ = check_package(package(**change).get)
    assert [each.fault for each in found] == [Fault.PACKAGE_INVALID]


def test_words_from_a_file_cannot_rewrite_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    verdict = Verdict()
    verdict.judge("files", [Found(Fault.FILE_EXTRA, "a\x1b[2Jb")])
    Speaker.of("en", as_json=False).checklist(verdict)
    assert "\x1b" not in capsys.readouterr().out
    assert canonical_json({})
