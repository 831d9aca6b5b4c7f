# SPDX-License-Identifier: AGPL-3.0-or-later
"""The operator's commands on the offline computer: identity, opening, hand-over of the root."""

from pathlib import Path

import pytest

from crypto.handover import verify_handover
from crypto.xwing import Recipient
from tests.support.house import a_house
from tests.whistle.desk.bureau import PASSPHRASE
from tests.whistle.desk.commands import run
from whistle.backup.shelf import Shelf

CHEAP = ("--memory-mib", "64", "--json", "--lang", "en")


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    path = tmp_path / "passphrase"
    path.write_text(PASSPHRASE)
    return path


def test_from_an_identity_to_opened_files(tmp_path: Path, passphrase: Path) -> None:
    identity = tmp_path / "backup.identity"
    made = run("backup", "new", "--out", identity, "--passphrase-file", passphrase, *CHEAP).json
    assert identity.stat().st_mode & 0o777 == 0o600
    assert b"AGE-SECRET-KEY" not in identity.read_bytes()
    recipient = Recipient.from_age(Path(made["recipient"]).read_text().strip())
    with a_house(tmp_path) as house:
        house.recipients = (recipient,)
        house.take()
        words = ("backup", "open", "--backups", house.shelf.folder, "--number", "1", "--json")
        opening = (*words, "--identity", identity, "--passphrase-file", passphrase)
        opened = run(*opening, "--out", tmp_path / "out").json
        assert opened["number"] == 1
        assert opened["tallies"]["cases"]["rows"]["cases"] == 3
        assert (tmp_path / "out" / "cases" / "cases.db").exists()
        assert run(*opening, "--out", tmp_path / "out").code == 2  # never into a used folder

        wrong = tmp_path / "wrong"
        wrong.write_text("another passphrase")
        refused = run(
            *words, "--identity", identity, "--passphrase-file", wrong, "--out", tmp_path / "no"
        )
        assert refused.code == 4
        assert not (tmp_path / "no").exists()

        Shelf(house.shelf.folder).forget(1)
        assert run(*opening, "--out", tmp_path / "gone").code == 4


def test_an_identity_is_never_overwritten(tmp_path: Path, passphrase: Path) -> None:
    words = ("backup", "new", "--out", tmp_path / "a.identity", "--passphrase-file", passphrase)
    assert run(*words, *CHEAP).code == 0
    assert run(*words, *CHEAP).code == 2


def test_a_hand_over(tmp_path: Path, passphrase: Path) -> None:
    ids = {}
    for name in ("old", "new"):
        made = run(
            "root", "new", "--out", tmp_path / f"{name}.key", "--passphrase-file", passphrase,
            *CHEAP,
        )  # fmt: skip
        ids[name] = bytes.fromhex(made.json["instance"])
    flags = (
        "--passphrase-file", passphrase, "--new-passphrase-file", passphrase,
        "--day", "2027-01-04", "--json",
    )  # fmt: skip
    document = tmp_path / "handover.json"
    done = run(
        "root", "hand-over", "--root", tmp_path / "old.key", "--new-root", tmp_path / "new.key",
        "--out", document, *flags,
    )  # fmt: skip
    assert done.json == {"old": ids["old"].hex(), "new": ids["new"].hex()}
    found = verify_handover(document.read_bytes().strip(), ids["old"])
    assert (found.new, found.day.isoformat(), found.reason) == (ids["new"], "2027-01-04", "planned")
    same = run(
        "root", "hand-over", "--root", tmp_path / "old.key", "--new-root", tmp_path / "old.key",
        "--out", tmp_path / "same.json", *flags,
    )  # fmt: skip
    assert same.code == 2
