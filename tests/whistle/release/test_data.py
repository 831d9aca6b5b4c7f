# SPDX-License-Identifier: AGPL-3.0-or-later
"""CSV, data package and DCAT record: they say what the JSON says, and tools accept them."""

import csv
import hashlib
import io
import json
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.whistle.release.conftest import Built
from whistle.release.sheets import SHEETS, Sheet


def rows(built: Built, name: str) -> list[dict[str, str]]:
    text = (built.folder / "data" / f"{name}.csv").read_bytes().decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_a_sheet_has_its_columns_and_rows(built: Built, sheet: Sheet) -> None:
    found = rows(built, sheet.name)
    assert found
    assert list(found[0]) == list(sheet.columns)


def test_sheets_say_what_the_objects_say(built: Built) -> None:
    figures, tables = built.inputs.figures, built.inputs.tables
    weekly = [row for row in rows(built, "weekly") if row["measure"] == "followed_up"]
    assert len(weekly) == 4 * len(figures["weekly"])
    first = figures["weekly"][0]["followed_up"][1]
    assert weekly[1]["count"] == str(first["count"])
    assert weekly[1]["mature"] == "true"
    assert weekly[-1]["mature"] == "false"
    assert weekly[-1]["share"] == ""
    cells = [cell for table in tables["oneway"] for cell in table["cells"]]
    shown = ["" if cell["count"] is None else str(cell["count"]) for cell in cells]
    assert [row["count"] for row in rows(built, "counts")] == shown
    assert sum(int(row["count"]) for row in rows(built, "open_ages")) == figures["open"]


def test_the_package_describes_the_files_beside_it(built: Built) -> None:
    package = json.loads((built.folder / "datapackage.json").read_bytes())
    assert package["licenses"][0]["name"] == "CC-BY-4.0"
    paths = {resource["path"] for resource in package["resources"]}
    assert paths == {
        each.relative_to(built.folder).as_posix() for each in (built.folder / "data").iterdir()
    }
    for resource in package["resources"]:
        data = (built.folder / resource["path"]).read_bytes()
        assert resource["hash"] == f"sha256:{hashlib.sha256(data).hexdigest()}"
        assert resource["bytes"] == len(data)


def validated(folder: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frictionless = pytest.importorskip("frictionless")
        package = frictionless.Package(str(folder / "datapackage.json"))
        return package.validate()


def test_the_package_is_valid_for_the_reference_library(built: Built) -> None:
    report = validated(built.folder)
    assert report.valid, report.flatten(["title", "message"])
    assert report.stats["tasks"] >= len(SHEETS)


def test_the_reference_library_sees_a_broken_table(built: Built, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for path in ("datapackage.json", *(sheet.path for sheet in SHEETS)):
        (tmp_path / path).write_bytes((built.folder / path).read_bytes())
    for name in ("figures", "tables", "suppression"):
        path = f"data/{name}.json"
        (tmp_path / path).write_bytes((built.folder / path).read_bytes())
    broken = tmp_path / "data/open_ages.csv"
    broken.write_bytes(broken.read_bytes().replace(b"0,7,", b"none,7,"))
    assert not validated(tmp_path).valid


def test_the_catalogue_record_names_every_data_file(built: Built) -> None:
    record = json.loads((built.folder / "dcat.jsonld").read_bytes())
    assert record["@type"] == "dcat:Dataset"
    for entry in record["dcat:distribution"]:
        path = built.folder / entry["dcat:downloadURL"]["@id"]
        assert path.stat().st_size == entry["dcat:byteSize"]
    assert len(record["dcat:distribution"]) == len(list((built.folder / "data").iterdir()))


def test_the_licence_is_in_the_folder(built: Built) -> None:
    assert "CC-BY-4.0" in (built.folder / "LICENSE.txt").read_text("utf-8")
