# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a backup holds, what it costs, and what it never holds."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from case_mgmt.store.sqlcipher import connect
from crypto.xwing import recipient_from_seed
from tests.support.case_office import DB_KEY
from tests.support.house import BLOB, INTAKE_KEY, House
from tests.support.org import seed
from whistle.backup.databases import NAMES, connected, read_key
from whistle.backup.errors import DamageError, SourceError
from whistle.backup.shelf import Shelf
from whistle.backup.taking import alone
from whistle.backup.tallies import differences, tally


def all_files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_what_is_opened_is_what_was_there(house: House, tmp_path: Path) -> None:
    (house.layout.tor / "hs-intake").mkdir()
    (house.layout.tor / "hs-intake" / "hs_ed25519_secret_key").write_bytes(b"onion secret")
    (house.layout.tor / "data").mkdir()
    (house.layout.tor / "data" / "state").write_bytes(b"guards of this machine")
    house.take()
    content = house.open(tmp_path / "out")
    found = all_files(tmp_path / "out")
    for name in ("org/manifest.json", "org/manifest.sig", "cases/db.key", "intake/service.key"):
        assert found[name] == (house.layout.state / name).read_bytes()
    assert found["tor/hs-intake/hs_ed25519_secret_key"] == b"onion secret"
    assert found[f"intake/blobs/{BLOB}"] == (house.layout.intake / "blobs" / BLOB).read_bytes()
    assert not [name for name in found if name.startswith("tor/data")]
    assert {"cases/cases.db", "intake/intake.db"} <= set(found)
    for service, name in NAMES.items():
        key = {"intake": INTAKE_KEY, "cases": DB_KEY}[service]
        counted = tally(service, tmp_path / "out" / service / name, key)
        assert differences(content.tallies[service], counted) == []
    assert content.tallies["cases"]["rows"]["cases"] == 3
    assert content.tallies["intake"]["rows"]["records"] == 2


def test_no_keystore_and_no_root_key_is_in_it(house: House, tmp_path: Path) -> None:
    house.take()
    house.open(tmp_path / "out")
    for data in all_files(tmp_path / "out").values():
        assert b"WHSK" not in data
        assert b"WHSR" not in data


def test_the_shelf_holds_nothing_in_clear(house: House) -> None:
    house.take()
    secrets = [DB_KEY.encode(), INTAKE_KEY.encode(), b"sealed dossier", BLOB.encode()]
    secrets += [house.org.service_seeds["cases"].hex().encode(), b"penyidik-1", b"intake.db"]
    for name, data in all_files(house.shelf.folder).items():
        for secret in secrets:
            assert secret not in data, name
            assert secret.decode() not in name


def test_the_second_backup_costs_what_has_changed(house: House) -> None:
    house.add_blob("intake", "0e" * 16, 2_000_000)
    first = house.take()
    second = house.take()
    assert second.number == first.number + 1
    assert second.new_objects == 1  # its own list
    house.add_thread(77)
    third = house.take()
    assert 1 < third.new_objects <= 4
    assert third.new_bytes < first.new_bytes / 2


def test_lost_memory_costs_a_whole_backup_and_nothing_else(house: House, tmp_path: Path) -> None:
    first = house.take()
    (house.layout.state / "backup" / "memory.json").unlink()
    second = house.take()
    assert second.number == 2
    assert second.new_objects == first.new_objects
    assert house.open(tmp_path / "out").number == 2


def test_a_lost_object_is_stored_again(house: House, tmp_path: Path) -> None:
    house.take()
    for path in (house.shelf.folder / "objects").glob("??/*"):
        path.unlink()
    house.take()
    assert house.open(tmp_path / "out").files


def test_other_recipients_get_a_whole_backup(house: House, tmp_path: Path) -> None:
    house.take()
    other = seed("another operator")
    changed = replace(house, recipients=(recipient_from_seed(other),))
    changed.take()
    assert changed.open(tmp_path / "out", other).files
    with pytest.raises(DamageError, match="identity"):
        changed.open(tmp_path / "no")


def test_every_recipient_can_open_it(house: House, tmp_path: Path) -> None:
    other = seed("another operator")
    both = replace(house, recipients=(*house.recipients, recipient_from_seed(other)))
    both.take()
    assert both.open(tmp_path / "one").files == both.open(tmp_path / "two", other).files


@pytest.mark.slow
def test_a_writing_server_goes_on_and_the_copy_is_whole(house: House, tmp_path: Path) -> None:
    stop = threading.Event()
    errors: list[Exception] = []

    def serve() -> None:
        connection = connect(house.layout.cases / "cases.db", DB_KEY, writable=True)
        number = 0
        try:
            while not stop.is_set():
                number += 1
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(
                    "INSERT INTO settings VALUES (?, ?)", (f"one {number}", "x" * 900)
                )
                connection.execute("INSERT INTO settings VALUES (?, ?)", (f"two {number}", "y"))
                connection.execute("COMMIT")
                stop.wait(0.005)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    writer = threading.Thread(target=serve)
    writer.start()
    try:
        for _ in range(2):
            house.take()
    finally:
        stop.set()
        writer.join()
    assert errors == []
    for number in house.shelf.numbers():
        out = tmp_path / str(number)
        content = house.shelf.read(number)
        assert content.content.number == number
    house.open(out)
    with connected(out / "cases" / "cases.db", DB_KEY) as connection:
        ones = connection.execute("SELECT count(*) FROM settings WHERE name LIKE 'one %'")
        twos = connection.execute("SELECT count(*) FROM settings WHERE name LIKE 'two %'")
        assert ones.fetchone() == twos.fetchone() != (0,)


def test_the_case_server_is_held_before_the_intake_is_copied(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a report could be acknowledged, and erased at the intake, between the two copies."""
    order = []
    from whistle.backup import source  # noqa: PLC0415

    hold, copy = source.frozen, source.copy_frozen
    monkeypatch.setattr(
        source, "frozen", lambda path, key: order.append(path.name) or hold(path, key)
    )
    monkeypatch.setattr(
        source, "copy_frozen", lambda path, to: order.append(f"copy {path.name}") or copy(path, to)
    )
    house.take()
    assert order == ["cases.db", "intake.db", "copy intake.db", "copy cases.db"]


def test_one_server_alone(house: House, tmp_path: Path) -> None:
    house.take("intake", "org")
    house.open(tmp_path / "out")
    assert not (tmp_path / "out" / "cases").exists()
    assert house.newest().content.signer == "intake"


def test_growing_files_and_locks_stay_behind(house: House, tmp_path: Path) -> None:
    house.layout.intake.joinpath("lock").touch()
    house.layout.intake.joinpath("blobs", "0f" * 16 + ".part").write_bytes(b"half a file")
    house.take()
    house.open(tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").rglob("*")}
    assert "lock" not in names
    assert not [name for name in names if name.endswith(".part")]


def test_nothing_is_left_aside(house: House) -> None:
    house.take()
    assert sorted(path.name for path in (house.layout.state / "backup").iterdir()) == [
        "lock",
        "memory.json",
    ]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda layout: (layout.cases / "db.key").write_text("11" * 32), "does not open"),
        (lambda layout: (layout.cases / "db.key").write_text("short"), "64 hexadecimal"),
        (lambda layout: (layout.cases / "service.key").write_text("11" * 32), "service key"),
        (lambda layout: (layout.org / "manifest.sig").write_bytes(bytes(64)), "organisation"),
        (lambda layout: (layout.cases / "a name with blanks").write_bytes(b"?"), "not a name"),
    ],
)
def test_what_is_not_in_order_stops_it(house: House, spoil: object, said: str) -> None:
    spoil(house.layout)  # type: ignore[operator]
    with pytest.raises(SourceError, match=said):
        house.take()
    assert house.shelf.folder.exists() is False or house.shelf.numbers() == []


def test_a_damaged_page_is_never_backed_up_silently(house: House) -> None:
    house.take()
    house.store.close()
    path = house.layout.cases / "cases.db"
    data = bytearray(path.read_bytes())
    data[9000] ^= 1
    path.write_bytes(data)
    with pytest.raises(SourceError):
        house.take()
    assert house.shelf.numbers() == [1]


def test_two_at_once_are_refused(house: House) -> None:
    with alone(house.layout), pytest.raises(SourceError, match="another backup"):
        house.take()


def test_no_room(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from whistle.backup import source  # noqa: PLC0415

    full = source.shutil.disk_usage(house.layout.state)._replace(free=1000)
    monkeypatch.setattr(source.shutil, "disk_usage", lambda path: full)
    with pytest.raises(SourceError, match="MiB more must be free"):
        house.take()


def test_numbers_go_on_over_several_shelves(house: House, tmp_path: Path) -> None:
    house.take()
    elsewhere = replace(house, shelf=Shelf(tmp_path / "second disk"))
    assert elsewhere.take().number == 2
    assert elsewhere.newest().content.previous is None
    assert house.take().number == 3
    assert house.newest().content.previous == house.shelf.read(1).hash


def test_keys_are_private_on_the_shelf(house: House) -> None:
    house.take()
    for path in house.shelf.folder.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0
    assert read_key(house.layout.cases / "db.key") == DB_KEY
