# SPDX-License-Identifier: AGPL-3.0-or-later
"""Each check is shown a healthy and a sick patient."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.org import make_org
from whistle.cases.witnessed import NAME, WitnessFile
from whistle.cli import main
from whistle.commands import doctor
from whistle.commands.doctor import examine
from whistle.commands.findings import Finding, Patient
from whistle.layout import Layout
from whistle.witness.client import ALARMING, Outcome, Result


def today() -> date:
    return (datetime.now(UTC) + timedelta(hours=7)).date()


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    """A founded state directory with private files."""
    layout = Layout(tmp_path / "state")
    layout.make()
    org = make_org(layout.state, today())
    for server in ("intake", "cases"):
        org.write_state(layout.state / server, server)
    return Patient(layout, today())


def bad(findings: list[Finding]) -> list[str]:
    return [finding.what for finding in findings if finding.level == "bad"]


def test_a_healthy_patient(patient: Patient) -> None:
    assert bad(examine(patient)) == []


def test_everything_bad_or_doubtful_says_how_to_mend_it(tmp_path: Path) -> None:
    findings = examine(Patient(Layout(tmp_path / "nowhere"), today()))
    assert bad(findings)
    assert all(finding.mend for finding in findings if finding.level != "ok")


def test_open_permissions_are_found(patient: Patient) -> None:
    (patient.layout.intake / "service.key").chmod(0o644)
    (patient.layout.cases).chmod(0o755)
    found = bad(list(doctor.check_permissions(patient)))
    assert len(found) == 2


def test_a_key_of_a_wrong_length_is_found(patient: Patient) -> None:
    (patient.layout.intake / "db.key").write_text("ab" * 31)
    assert len(bad(list(doctor.check_key_files(patient)))) == 1


@pytest.mark.parametrize("outcome", sorted(ALARMING))
def test_a_witness_that_saw_another_history(patient: Patient, outcome: Outcome) -> None:
    results = [
        Result("kampus", outcome), Result("pers", Outcome.COSIGNED, 1),
        Result("lembaga", Outcome.UNREACHABLE),
    ]  # fmt: skip
    WitnessFile(patient.layout.cases / NAME).remember(results)
    found = list(doctor.check_witnesses(patient))
    assert [each.level for each in found] == ["bad", "warn", "ok"]
    assert "kampus" in found[0].what
    assert all(each.mend for each in found if each.level != "ok")
    assert bad(examine(patient)) == [found[0].what]


def test_a_forged_manifest_is_found(patient: Patient) -> None:
    path = patient.layout.org / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b"penyidik-1", b"penyidik-9"))
    assert "cannot be used" in bad(list(doctor.check_manifest(patient)))[0]


def test_a_manifest_near_its_end_is_found(patient: Patient) -> None:
    late = Patient(patient.layout, today() + timedelta(days=720))
    assert [finding.level for finding in doctor.check_manifest(late)] == ["warn"]


def test_a_stranger_in_our_packages_is_found(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    owners = {"crypto": ["whistle-intake", "crypto"], "whistle": ["whistle-intake"]}
    monkeypatch.setattr(doctor, "packages_distributions", lambda: owners)
    assert "crypto" in bad(list(doctor.check_package_ownership(patient)))[0]


def test_missing_tor_is_found(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(patient.layout.state))
    assert bad(list(doctor.check_tor(patient))) == ["tor is not installed"]


def test_the_command_prints_and_judges(
    patient: Patient, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    state = str(patient.layout.state)
    assert main(["doctor", "--state", state]) == 0
    assert " ✓ " in capsys.readouterr().out
    assert main(["doctor", "--state", state + "-absent", "--json"]) == 1
    assert any(row["level"] == "bad" for row in json.loads(capsys.readouterr().out))


def test_a_key_that_waits_is_told(patient: Patient) -> None:
    assert list(doctor.check_rotation(patient)) == []
    (patient.layout.cases / "db.key.next").write_text("ab" * 32)
    (patient.layout.tor / "hs-intake.next").mkdir()
    mends = [finding.mend for finding in doctor.check_rotation(patient)]
    assert ["database" in mend for mend in mends] == [True, False]


def test_the_age_of_the_last_backup(patient: Patient) -> None:
    assert [each.level for each in doctor.check_backup(patient)] == ["warn"]
    (patient.layout.state / "backup").mkdir()
    for age, level in ((0, "ok"), (2, "ok"), (3, "warn")):
        day = (patient.today - timedelta(days=age)).isoformat()
        memory = patient.layout.state / "backup" / "memory.json"
        memory.write_text(json.dumps({"number": 7, "day": day}))
        assert [each.level for each in doctor.check_backup(patient)] == [level]
