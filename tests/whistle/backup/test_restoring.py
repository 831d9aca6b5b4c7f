# SPDX-License-Identifier: AGPL-3.0-or-later
"""Opening, proving, placing: what is changed, forged, hidden or not ours never comes into force."""

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from crypto.age.writer import seal_all
from crypto.errors import KeystoreError
from crypto.private.sealed_file import MIN_MEMORY, Cost
from crypto.rng import system_rng
from crypto.xwing import identity_to_age
from tests.support.house import BLOB, IDENTITY, House
from tests.support.org import make_org, seed
from whistle.backup.databases import connected
from whistle.backup.errors import DamageError, PlaceError
from whistle.backup.keeping import inspect, prune
from whistle.backup.listing import (
    PARTS,
    OpenList,
    SealedList,
    StoredFile,
    sign_list,
)
from whistle.backup.placing import choose, place, room
from whistle.backup.proving import Opened, opened, prove
from whistle.backup.taking import read_org
from whistle.desk.backup_opening import is_sealed, read_identity, seal_identity
from whistle.layout import Layout


def instance(house: House) -> str:
    return house.org.instance_id.hex()


def open_up(house: House, folder: Path, of: str | None = None) -> Opened:
    """The newest backup, opened and its maker verified."""
    found = house.newest()
    content = house.open(folder)
    return opened(folder, found, content.tallies, of or instance(house))


def test_restored_into_an_empty_directory(house: House, tmp_path: Path) -> None:
    house.take()
    target = Layout(tmp_path / "new")
    with room(target) as folder:
        one = open_up(house, folder / "opened")
        said = prove(one)
        place(one, target)
    assert any("3 ledgers" in line and "every chain verifies" in line for line in said)
    assert target.is_founded
    assert sorted(path.name for path in target.state.iterdir()) == [
        "backup", "cases", "intake", "org",
    ]  # fmt: skip
    assert json.loads((target.state / "backup" / "memory.json").read_bytes())["number"] == 1


def test_a_directory_in_use_is_not_touched(house: House) -> None:
    with pytest.raises(PlaceError, match="not empty"), room(house.layout):
        raise AssertionError("never reached")
    assert house.layout.is_founded


def test_an_interrupted_restore_is_repeated(house: House, tmp_path: Path) -> None:
    house.take()
    target = Layout(tmp_path / "new")
    (target.state / ".restoring" / "half").mkdir(parents=True)
    (target.state / "cases").mkdir()  # placed before the kill; org/ was not
    (target.people).mkdir()
    with room(target) as folder:
        one = open_up(house, folder / "opened")
        place(one, target)
    assert (target.cases / "cases.db").exists()
    assert target.people.exists()


def test_every_changed_object_is_found(house: House, tmp_path: Path) -> None:
    house.take()
    for path in sorted((house.shelf.folder / "objects").glob("??/*")):
        kept = path.read_bytes()
        path.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
        with pytest.raises(DamageError, match="changed"):
            house.open(tmp_path / "out")
        with pytest.raises(DamageError):
            inspect(house.shelf, read_org(house.layout.org), deep=True)
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        path.write_bytes(kept)
    house.open(tmp_path / "out")


def test_a_missing_object_is_found_without_any_key(house: House) -> None:
    house.take()
    victim = next((house.shelf.folder / "objects").glob("??/*"))
    victim.unlink()
    with pytest.raises(DamageError, match="missing"):
        inspect(house.shelf, read_org(house.layout.org), deep=False)


@pytest.mark.parametrize("place_of_change", [20, 200, -20])
def test_a_changed_list_is_found(house: House, place_of_change: int, tmp_path: Path) -> None:
    house.take()
    path = house.shelf.folder / "0000000001.json"
    data = bytearray(path.read_bytes())
    data[place_of_change] = data[place_of_change] ^ 1
    path.write_bytes(data)
    with pytest.raises(DamageError):
        open_up(house, tmp_path / "out")


def test_another_organisations_backup_is_refused(house: House, tmp_path: Path) -> None:
    house.take()
    with pytest.raises(DamageError, match="instance id"):
        open_up(house, tmp_path / "out", "11" * 32)


def test_what_a_stranger_sealed_to_us_is_refused(house: House, tmp_path: Path) -> None:
    """The recipient is public: a stranger with a root key of his own makes a perfect backup."""
    stranger = make_org(tmp_path / "stranger", house.org.today, root="a stranger")
    shutil.rmtree(house.layout.org)
    shutil.copytree(stranger.dir, house.layout.org)
    house.take()
    with pytest.raises(DamageError, match="instance id"):
        open_up(house, tmp_path / "out")


def forged(house: House, files: tuple[StoredFile, ...], signer: bytes) -> OpenList:
    """A backup put on the shelf by somebody who knows the recipient only."""
    index = house.shelf.put(
        seal_all(house.recipients, SealedList(9, files, {}).encode(), system_rng)
    )
    names = {name for each in files for name in each.objects} | {index}
    sizes = {
        name: (house.shelf.folder / "objects" / name[:2] / name).stat().st_size for name in names
    }
    content = OpenList(
        9,
        None,
        house.org.today,
        instance(house),
        "cases",
        PARTS,
        index,
        dict(sorted(sizes.items())),
    )
    house.shelf.publish(9, content.encode(), sign_list(signer, content.encode()))
    return content


def stored(house: House, path: str, data: bytes) -> StoredFile:
    house.shelf.prepare()
    name = house.shelf.put(seal_all(house.recipients, data, system_rng))
    return StoredFile(path, len(data), hashlib.sha256(data).hexdigest(), (name,))


def test_a_climbing_path_is_not_written(house: House, tmp_path: Path) -> None:
    for path in ("../climbed", "people/me.keystore", "cases/../../climbed", "backup/memory.json"):
        forged(house, (stored(house, path, b"mine"),), house.org.service_seeds["cases"])
        with pytest.raises(DamageError, match="list"):
            house.open(tmp_path / "out")
    assert not list(tmp_path.rglob("climbed"))


def test_a_forged_signature_is_refused(house: House, tmp_path: Path) -> None:
    files = tuple(
        stored(house, f"org/{path.name}", path.read_bytes())
        for path in sorted(house.layout.org.iterdir())
    )
    forged(house, files, seed("somebody"))
    with pytest.raises(DamageError, match="not signed"):
        open_up(house, tmp_path / "out")
    with pytest.raises(DamageError, match="not signed"):
        inspect(house.shelf, read_org(house.layout.org), deep=False)


def test_a_ledger_that_does_not_verify_is_refused(house: House, tmp_path: Path) -> None:
    with house.store.writing() as unit:
        unit._connection.exec_driver_sql("UPDATE acts SET signature = zeroblob(64) WHERE seq = 2")
    house.take()
    one = open_up(house, tmp_path / "out")
    with pytest.raises(DamageError, match="ledger"):
        prove(one)


def test_a_missing_sealed_file_is_found(house: House, tmp_path: Path) -> None:
    (house.layout.intake / "blobs" / BLOB).unlink()
    house.take()
    with pytest.raises(DamageError, match="sealed file"):
        prove(open_up(house, tmp_path / "out"))


def test_other_rows_than_counted_are_found(house: House, tmp_path: Path) -> None:
    house.take()
    one = open_up(house, tmp_path / "out")
    key = (house.layout.intake / "db.key").read_text().strip()
    with connected(tmp_path / "out" / "intake" / "intake.db", key) as connection:
        connection.execute("DELETE FROM mailbox WHERE seq = 1")
    with pytest.raises(DamageError, match="mailbox: 0 rows, not 2"):
        prove(one)
    with pytest.raises(DamageError, match="not counted"):
        prove(replace(one, tallies={}))


def test_the_newest_is_chosen_and_a_hidden_one_noticed(house: House) -> None:
    for _ in range(3):
        house.take()
    assert choose(house.shelf, None, 0).content.number == 3
    assert choose(house.shelf, 2, 0).content.number == 2
    house.shelf.forget(3)
    with pytest.raises(DamageError, match="newest backup here is 2"):
        choose(house.shelf, None, 3)
    with pytest.raises(DamageError, match="no such backup"):
        choose(house.shelf, 3, 0)
    house.shelf.forget(1)
    with pytest.raises(DamageError, match="no such backup"):
        choose(house.shelf, 1, 0)


def test_pruning_keeps_what_is_named(house: House, tmp_path: Path) -> None:
    house.take()
    (house.layout.intake / "blobs" / BLOB).write_bytes(b"another content" * 1000)
    for _ in range(3):
        house.take()
    backups, objects = prune(house.shelf, 2)
    assert (backups, house.shelf.numbers()) == (2, [3, 4])
    assert objects >= 2
    seen = inspect(house.shelf, read_org(house.layout.org), deep=True)
    assert seen.numbers == (3, 4)
    house.open(tmp_path / "out")
    assert prune(house.shelf, 0)[0] == 1  # the newest stays, whatever is asked
    assert house.shelf.numbers() == [4]
    assert house.take().number == 5


def test_an_exchanged_list_breaks_the_chain(house: House) -> None:
    for _ in range(3):
        house.take()
    first = house.shelf.read(1)
    other = replace(first.content, day=first.content.day.replace(year=2020)).encode()
    house.shelf.publish(1, other, sign_list(house.org.service_seeds["cases"], other))
    with pytest.raises(DamageError, match="does not follow"):
        inspect(house.shelf, read_org(house.layout.org), deep=False)
    with pytest.raises(DamageError, match="follows on another"):
        choose(house.shelf, 1, 0)


def test_identities() -> None:
    assert read_identity(identity_to_age(IDENTITY).encode() + b"\n", None) == IDENTITY
    stock = f"# created: 2026\n# public key: age1pq1…\n{identity_to_age(IDENTITY)}\n"
    assert read_identity(stock.encode(), None) == IDENTITY
    sealed = seal_identity(IDENTITY, "kata sandi panjang", Cost(1, MIN_MEMORY), system_rng)
    assert is_sealed(sealed)
    assert read_identity(sealed, "kata sandi panjang") == IDENTITY
    with pytest.raises(KeystoreError):
        read_identity(sealed, "kata sandi salah")
    for bad in (
        b"",
        b"AGE-SECRET-KEY-PQ-1XYZ",
        b"\xff\xfe",
        identity_to_age(IDENTITY).encode() * 2,
    ):
        with pytest.raises(KeystoreError):
            read_identity(bad, None)
