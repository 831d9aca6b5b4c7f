# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a release is counted from: a log that is signed, witnessed and whole, and its cards."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from case_mgmt.figures.definitions import UNKNOWN
from crypto.encoding import canonical_json
from tests.support.city import City
from tests.support.org import seed
from tests.support.published import Town
from tests.support.sample_release import SMALL, city_catalogue, sample_inputs
from tests.whistle.release.conftest import Built
from whistle.release.build import build
from whistle.release.errors import FolderError, InputError
from whistle.release.folder import release_digest
from whistle.release.gather import (
    Card,
    carded,
    domains,
    read_earlier,
    read_log,
    revealed,
)
from whistle.release.inputs import ORGANISATION_FILES
from whistle.release.signing import sign


def organisation(town: Town) -> dict[str, bytes]:
    return {name: (town.org.dir / name).read_bytes() for name in ORGANISATION_FILES}


def log_files(town: Town, city: City, witnesses: Any = None) -> dict[str, bytes]:
    names = {} if witnesses is None else {"witnesses": witnesses}
    files = town.log_files(city.entries, **names)
    return {path.removeprefix("log/"): data for path, data in files.items()}


def test_an_honest_log_is_read(built: Built) -> None:
    log = read_log(built.inputs.organisation, built.inputs.log_files)
    assert log.leaves == tuple(built.city.leaves)
    assert log.head == built.inputs.log
    assert len(log.cases) == built.inputs.figures["received"] + len(built.city.canaries)


def test_a_log_without_quorum_is_refused(built: Built) -> None:
    files = log_files(built.town, built.city, ("kampus",))
    with pytest.raises(InputError, match="witnesses"):
        read_log(organisation(built.town), files)


@pytest.mark.parametrize("fault", ["no checkpoint", "cut tile", "changed entry", "no policy"])
def test_a_broken_log_is_refused(built: Built, fault: str) -> None:
    parts, files = dict(built.inputs.organisation), dict(built.inputs.log_files)
    entries = next(path for path in files if path.startswith("tile/entries"))
    if fault == "no checkpoint":
        del files["checkpoint"]
    elif fault == "no policy":
        del parts["log-policy.txt"]
    elif fault == "cut tile":
        files[entries] = files[entries][:-1]
    else:
        files[entries] = files[entries][:-1] + bytes([files[entries][-1] ^ 1])
    with pytest.raises(InputError):
        read_log(parts, files)


def test_a_log_that_breaks_a_rule_is_refused(built: Built) -> None:
    """Well signed and witnessed, but one report is in it twice."""
    city = City(SMALL)
    city.leaves = [*built.city.leaves, built.city.leaves[1]]
    with pytest.raises(InputError, match="rule"):
        read_log(organisation(built.town), log_files(built.town, city))


def test_test_reports_open_their_commitment(built: Built) -> None:
    log = read_log(built.inputs.organisation, built.inputs.log_files)
    found = revealed(built.inputs.canaries, log.cases)
    assert found == {each.pseudonym for each in built.city.canaries}


def false_canaries(built: Built) -> list[bytes]:
    real = next(
        each for each in built.city.cases if not each.is_canary and each not in built.city.canaries
    )
    entry = {"case": real.pseudonym.hex(), "secret": bytes(32).hex()}
    right = json.loads(built.inputs.canaries)
    return [
        canonical_json({"v": 1, "revealed": [entry]}),
        canonical_json({"v": 1, "revealed": [{**entry, "case": "00" * 16}]}),
        canonical_json({"v": 2, "revealed": []}),
        canonical_json({"v": 1, "revealed": [{"case": 1}]}),
        json.dumps(right, indent=1).encode(),
        b"[]",
        b"",
    ]


@pytest.mark.parametrize("number", range(7))
def test_no_real_report_passes_for_a_test(built: Built, number: int) -> None:
    log = read_log(built.inputs.organisation, built.inputs.log_files)
    with pytest.raises(InputError):
        revealed(false_canaries(built)[number], log.cases)


def test_cards_belong_to_logged_cases(built: Built) -> None:
    log = read_log(built.inputs.organisation, built.inputs.log_files)
    logged = {case.pseudonym for case in log.cases}
    card = Card("kantor-01", "kk", "witnessed", "spoken", "zero", "zero")
    made = carded(log.cases, {log.cases[0].pseudonym: card}, logged)
    assert (made[0].unit, made[1].unit) == ("kantor-01", UNKNOWN)
    with pytest.raises(InputError, match="not in the log"):
        carded(log.cases, {bytes(16): card}, logged)


def test_domains_do_not_depend_on_reports() -> None:
    found = domains(city_catalogue(3))
    assert found["unit"] == ("kantor-01", "kantor-02", "kantor-03")
    assert "asked_refused" in found["subject"]
    assert set(found) == {"unit", "service", "subject", "how", "asked", "paid"}


def test_an_unreadable_earlier_release_is_named(tmp_path: Path) -> None:
    with pytest.raises(FolderError):
        read_earlier(tmp_path)
    (tmp_path / "release.json").write_bytes(b'{"id":"2024-q1"}')
    with pytest.raises(FolderError, match="earlier"):
        read_earlier(tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_quarters_follow_each_other(tmp_path: Path) -> None:
    """The second names the first, begins where it ended, and survives the attack on both."""
    plan = replace(SMALL, reports=900, days=182, offices=8, slow_office=None)
    town, city = Town.found(tmp_path, plan.last_day), City(plan)
    folders: list[Path] = []
    for number, days in enumerate((91, 182), start=1):
        day = plan.opening + timedelta(days=days)
        city.run_until(day + timedelta(days=1))
        inputs = sample_inputs(town, city, name=f"2024-q{number}", earlier=folders)
        folders.append(build(inputs, tmp_path / inputs.id))
        for person in ("penerbit", "pengawas"):
            sign(folders[-1], person, seed(f"device {person}"))
        city.release(release_digest(folders[-1]), day)
    first, second = (json.loads((each / "release.json").read_bytes()) for each in folders)
    assert second["previous"] == {"id": "2024-q1", "sha256": release_digest(folders[0]).hex()}
    assert second["period"]["from"] > first["period"]["to"]
    assert second["log"]["size"] > first["log"]["size"]
    suppression = json.loads((folders[1] / "data/suppression.json").read_bytes())
    assert suppression["attack"]["releases"] == 2
    assert suppression["attack"]["found"] == 0
    assert "2024-q1" in (folders[1] / "en/index.html").read_text("utf-8")
