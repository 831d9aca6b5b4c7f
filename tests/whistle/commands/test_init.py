# SPDX-License-Identifier: AGPL-3.0-or-later
"""The founding ceremony as an operator does it, with the real `whistle-desk` for the private
parts.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from crypto.rng import system_rng
from tests.support.org import seed
from whistle import clock
from whistle.cli import main
from whistle.commands.doctor import Patient, check_manifest
from whistle.commands.errors import CommandError
from whistle.commands.founding import call_desk, found_demo
from whistle.layout import Layout

pytestmark = pytest.mark.slow

PEOPLE = (
    ("sari", "investigator", "inspektorat-1"),
    ("budi", "investigator", "inspektorat-2"),
    ("wati", "supervisor", "inspektorat-pengaduan"),
)


class Ceremony:
    """An offline computer with a root key, and three people with keystores."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.passphrase = folder / "passphrase.txt"
        self.passphrase.write_text("enam kata yang tidak ditebak\n")
        self.root = folder / "root.key"
        self.state = folder / "state"
        self.instance = self.desk("root", "new", "--out", self.root)["instance"]
        for person, _, _ in PEOPLE:
            self.desk(
                "keys", "new", "--person", person, "--instance", self.instance,
                "--out", folder / f"{person}.keystore",
            )  # fmt: skip

    def desk(self, *words: str | Path) -> dict[str, Any]:
        return call_desk(*words, "--passphrase-file", self.passphrase, "--memory-mib", "64")

    def init(self, *more: str) -> int:
        people: list[str] = []
        for person, role, unit in PEOPLE:
            enrolment = self.folder / f"{person}.enrolment.json"
            people += ["--person", f"{enrolment}:{role}:{unit}:{person.title()}: A"]
        return main(
            ["init", "--state", str(self.state), "--name-id", "Inspektorat Kota",
             "--name-en", "City Inspectorate", *people, *more]
        )  # fmt: skip


@pytest.fixture
def ceremony(tmp_path: Path) -> Ceremony:
    return Ceremony(tmp_path)


def test_with_the_root_key_at_hand(ceremony: Ceremony) -> None:
    code = ceremony.init(
        "--root", str(ceremony.root), "--root-passphrase-file", str(ceremony.passphrase)
    )
    assert code == 0
    layout = Layout(ceremony.state)
    findings = list(check_manifest(Patient(layout, clock.today(7))))
    assert [finding.level for finding in findings] == ["ok"]
    manifest = json.loads((layout.org / "manifest.json").read_text())
    assert manifest["demo"] is False
    assert [person["name"] for person in manifest["people"]] == ["Sari: A", "Budi: A", "Wati: A"]
    assert not (layout.org / "manifest-draft.json").exists()


def test_with_the_root_key_offline(ceremony: Ceremony, capsys: pytest.CaptureFixture[str]) -> None:
    assert ceremony.init() == 0
    assert "whistle-desk root sign" in capsys.readouterr().out
    draft = ceremony.state / "draft" / "manifest-draft.json"
    signed = ceremony.folder / "signed"
    call_desk(
        "root", "sign", "--root", ceremony.root, "--passphrase-file", ceremony.passphrase,
        "--manifest-draft", draft, "--out", signed,
    )  # fmt: skip
    assert {path.name for path in signed.iterdir()} == {
        "manifest.json", "manifest.sig", "instance.id",
    }  # fmt: skip
    assert (signed / "instance.id").read_text().strip() == ceremony.instance
    assert main(["init", "--state", str(ceremony.state), "--install", str(signed)]) == 0
    findings = list(check_manifest(Patient(Layout(ceremony.state), clock.today(7))))
    assert [finding.level for finding in findings] == ["ok"]


def test_a_draft_leaves_the_files_in_force_alone(ceremony: Ceremony) -> None:
    flags = ("--root", str(ceremony.root), "--root-passphrase-file", str(ceremony.passphrase))
    assert ceremony.init(*flags) == 0
    org = ceremony.state / "org"
    before = {path.name: path.read_bytes() for path in org.iterdir()}
    assert ceremony.init("--serial", "2") == 0
    assert {path.name: path.read_bytes() for path in org.iterdir()} == before


def test_a_lower_serial_or_foreign_files_are_not_installed(
    ceremony: Ceremony, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ("--root", str(ceremony.root), "--root-passphrase-file", str(ceremony.passphrase))
    assert ceremony.init(*flags, "--serial", "5") == 0
    assert ceremony.init(*flags, "--serial", "4") == 1
    assert "serial" in capsys.readouterr().err
    policy = ceremony.state / "draft" / "policy.json"
    policy.write_bytes(policy.read_bytes() + b" ")
    code = main(
        ["init", "--state", str(ceremony.state), "--install", str(ceremony.state / "draft")]
    )
    assert code == 1
    assert "policy.json" in capsys.readouterr().err


def test_a_second_founding_is_refused(
    ceremony: Ceremony, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ("--root", str(ceremony.root), "--root-passphrase-file", str(ceremony.passphrase))
    assert ceremony.init(*flags) == 0
    assert ceremony.init(*flags) == 1
    assert "--serial" in capsys.readouterr().err
    assert ceremony.init(*flags, "--serial", "2") == 0


BAD_PEOPLE = {
    "too few parts": "file.json:investigator",
    "no such role": "{enrolment}:king:inspektorat-1:X",
    "no such unit": "{enrolment}:investigator:nowhere:X",
    "no such file": "/nowhere.json:investigator:inspektorat-1:X",
}


@pytest.mark.parametrize("text", BAD_PEOPLE.values(), ids=BAD_PEOPLE)
def test_a_wrong_person_is_explained(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    enrolment = tmp_path / "x.json"
    enrolment.write_text(json.dumps({"person": "x", "recipient": "", "desk": seed("x").hex()}))
    code = main(
        ["init", "--state", str(tmp_path / "s"), "--name-id", "A", "--name-en", "B",
         "--person", text.format(enrolment=enrolment)]
    )  # fmt: skip
    assert code == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "s").exists()


def test_the_demo_is_founded_once(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "state")
    found_demo(layout, clock.today(7), system_rng)
    assert sorted(layout.keystores()) == [
        "auditor",
        "penerbit",
        "pengawas",
        "penyidik-1",
        "penyidik-2",
    ]
    assert not (layout.state / ".founding").exists()
    assert layout.passphrase_file.stat().st_mode & 0o077 == 0
    assert (layout.root / "root.key").stat().st_mode & 0o077 == 0


def test_an_interrupted_founding_can_be_repeated(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "state")
    half = Layout(layout.state / ".founding")
    half.make()
    half.root.mkdir()
    (half.root / "root.key").write_bytes(b"half")
    found_demo(layout, clock.today(7), system_rng)
    assert layout.is_founded


def test_an_interrupted_move_is_finished(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "state")
    found_demo(layout, clock.today(7), system_rng)
    manifest = (layout.org / "manifest.json").read_bytes()
    building = layout.state / ".founding"
    building.mkdir()
    (building / "complete").touch()
    layout.org.rename(building / "org")
    found_demo(layout, clock.today(7), system_rng)
    assert (layout.org / "manifest.json").read_bytes() == manifest


def test_a_demo_is_not_founded_among_other_keys(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "state")
    layout.people.mkdir(parents=True)
    (layout.people / "sari.keystore").write_bytes(b"hers")
    with pytest.raises(CommandError, match="not empty"):
        found_demo(layout, clock.today(7), system_rng)
    assert (layout.people / "sari.keystore").read_bytes() == b"hers"
