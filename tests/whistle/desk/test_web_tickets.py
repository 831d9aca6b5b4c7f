# SPDX-License-Identifier: AGPL-3.0-or-later
"""A desk started again lets in whoever it would have let in, and nobody else."""

from pathlib import Path

import pytest

from crypto.rng import system_rng
from whistle.desk.errors import KeysError
from whistle.desk.web.guard import Door
from whistle.desk.web.tickets import Ticket, TicketFile


def door(path: Path) -> Door:
    made = Door(system_rng, TicketFile(path, system_rng))
    made.listen_at(8081)
    return made


def token(made: Door) -> str:
    return made.address.partition("token=")[2]


def test_an_unused_token_survives_a_restart_and_a_used_one_does_not(tmp_path: Path) -> None:
    path = tmp_path / "desk.token"
    first = door(path)
    assert path.stat().st_mode & 0o777 == 0o600
    second = door(path)
    assert second.address == first.address
    assert second.admits(token(first))
    third = door(path)
    assert third.address == first.address
    assert not third.admits(token(first))
    assert [entry.name for entry in tmp_path.iterdir()] == ["desk.token"]


def test_the_session_stays_the_same(tmp_path: Path) -> None:
    kept = TicketFile(tmp_path / "desk.token", system_rng)
    before = kept.load()
    made = door(tmp_path / "desk.token")
    assert made.admits(token(made))
    after = kept.load()
    assert (before.secret, before.used, after.secret, after.used) == (
        after.secret, False, before.secret, True,
    )  # fmt: skip


def test_without_a_file_every_desk_has_its_own(tmp_path: Path) -> None:
    assert Door(system_rng).address != Door(system_rng).address
    assert door(tmp_path / "a").address != door(tmp_path / "b").address


GOOD = b'{"secret":"%s","token":"%s","used":false,"v":1}' % (b"0a" * 24, b"0b" * 24)
DAMAGED = {
    "empty": b"",
    "no json": b"x",
    "list": b"[]",
    "null": b"null",
    "short token": GOOD.replace(b"0b" * 24, b"0b"),
    "no hex": GOOD.replace(b"0b" * 24, b"zz" * 24),
    "number": GOOD.replace(b'"' + b"0b" * 24 + b'"', b"7"),
    "version": GOOD.replace(b'"v":1', b'"v":2'),
    "used is a number": GOOD.replace(b"false", b"0"),
    "missing": GOOD.replace(b'"used":false,', b""),
    "long": GOOD + b" " * 2000,
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "desk.token"
    path.write_bytes(DAMAGED[name])
    path.chmod(0o600)
    with pytest.raises(KeysError, match="token_file"):
        door(path)


def test_a_file_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "desk.token"
    path.write_bytes(GOOD)
    path.chmod(0o600)
    assert token(door(path)) == "0b" * 24
    path.chmod(0o644)
    with pytest.raises(KeysError, match="token_file"):
        door(path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match="cannot_write"):
        door(tmp_path / "none" / "desk.token")
    with pytest.raises(KeysError, match="cannot_read"):
        door(tmp_path)


def test_a_token_that_cannot_be_marked_as_used_opens_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    made = door(folder / "desk.token")
    (folder / "desk.token").unlink()
    folder.rmdir()
    with pytest.raises(KeysError, match="cannot_write"):
        made.admits(token(made))


def test_a_ticket_shows_nothing(tmp_path: Path) -> None:
    ticket = Ticket.new(system_rng)
    assert ticket.token not in repr(ticket)
