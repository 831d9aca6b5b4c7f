# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle backup, restore, rotate` as commands: what they refuse, and the words for it."""

from pathlib import Path

import pytest

from crypto.handover import Handover
from crypto.signing import public_from_seed
from tests.support.case_office import TODAY
from tests.support.house import House, a_house
from whistle.cli import main
from whistle.statelock import hold


@pytest.mark.parametrize("server", ["state", "intake", "cases", "backup"])
def test_nothing_rotates_beside_a_running_server(
    tmp_path: Path, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with a_house(tmp_path) as house:
        folder = house.layout.state if server == "state" else house.layout.state / server
        folder.mkdir(exist_ok=True)
        key = (house.layout.cases / "db.key").read_bytes()
        with hold(folder):
            for words in (["rotate", "database"], ["rotate", "finish"], ["backup", "resend"]):
                assert main([*words, "--state", str(house.layout.state)]) == 1
        assert "another" in capsys.readouterr().err
        assert (house.layout.cases / "db.key").read_bytes() == key


def test_no_organisation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rotate", "database", "--state", str(tmp_path)]) == 1
    assert "no organisation" in capsys.readouterr().err


def test_an_unsigned_key_keeps_waiting(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with a_house(tmp_path) as house:
        state = ["--state", str(house.layout.state)]
        old = (house.layout.cases / "service.key").read_bytes()
        assert main(["rotate", "service-key", "--server", "cases", *state]) == 0
        assert "root sign" in capsys.readouterr().out
        assert main(["rotate", "finish", *state]) == 1
        assert "still waits" in capsys.readouterr().err
        assert (house.layout.cases / "service.key").read_bytes() == old


def test_a_wrong_recipient_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, content in (("empty", b""), ("binary", b"\xff\x00"), ("long", b"a" * 5000)):
        (tmp_path / name).write_bytes(content)
    for name in ("empty", "binary", "long", "absent"):
        words = ["backup", "make", "--state", str(tmp_path), "--to", str(tmp_path / "shelf")]
        assert main([*words, "--recipient", str(tmp_path / name)]) == 1
        assert "not the public key of a backup" in capsys.readouterr().err


def opening(house: House, instance: str) -> list[str]:
    return ["--from", str(house.shelf.folder), "--identity", "none", "--instance", instance]


def test_a_mistyped_instance_id(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with a_house(tmp_path) as house:
        for text in ("", "abc", "z" * 64):
            new = ["restore", "--state", str(tmp_path / "new"), *opening(house, text)]
            assert main(new) == 1
            assert "64 hexadecimal" in capsys.readouterr().err
        house.take()
        words = ["restore", "--state", str(house.layout.state), *opening(house, "ab" * 32)]
        assert main(words) == 1
        assert "not empty" in capsys.readouterr().err


def test_a_hand_over_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = bytes(32), bytes([1]) * 32
    handover = Handover(public_from_seed(old), public_from_seed(new), TODAY, "lost_control")
    path = tmp_path / "handover.json"
    path.write_bytes(handover.document(old, new) + b"\n")
    check = ["rotate", "check-hand-over", str(path), "--instance"]
    assert main([*check, handover.old.hex()]) == 0
    assert handover.new.hex() in capsys.readouterr().out
    for instance in (handover.new.hex(), "nonsense", ""):
        assert main([*check, instance]) == 1
    path.write_bytes(b"{" * 9000)
    assert main([*check, handover.old.hex()]) == 1
