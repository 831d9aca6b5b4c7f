# SPDX-License-Identifier: AGPL-3.0-or-later
"""The encrypted file: keys, durability, one writer, readers that cannot write."""

import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from case_mgmt.errors import StoreError
from case_mgmt.store.sqlcipher import connect, open_store

KEY = "5a" * 32


def test_without_the_key_the_file_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "cases.db"
    store = open_store(path, KEY)
    with store.writing() as unit:
        unit.set_setting("canary", "a-very-unusual-value")
    for file in (path, path.with_name("cases.db-wal")):
        data = file.read_bytes()
        assert b"a-very-unusual-value" not in data
        assert b"SQLite format 3" not in data
        assert b"settings" not in data
    store.close()
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(path).execute("SELECT count(*) FROM sqlite_master")


@pytest.mark.parametrize(
    "key",
    ["", "5a" * 31, "5a" * 33, "5A" * 32, "zz" * 32, "passphrase", "5a" * 32 + "\n", "'" * 64],
)
def test_a_malformed_key_is_refused_before_a_file_is_made(tmp_path: Path, key: str) -> None:
    path = tmp_path / "cases.db"
    with pytest.raises(StoreError):
        open_store(path, key)
    assert not path.exists()


def test_a_wrong_key_is_refused_and_named_nowhere(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cases.db"
    open_store(path, KEY).close()
    with pytest.raises(StoreError) as caught:
        open_store(path, "5b" * 32)
    assert "5b5b" not in str(caught.value)
    assert "5b5b" not in str(caught.value.__cause__)
    assert capfd.readouterr() == ("", "")


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cases.db"
    open_store(path, KEY).close()
    path.write_bytes(b"\x00" * 4096)
    with pytest.raises(StoreError):
        open_store(path, KEY)


def test_pragmas_are_in_force(tmp_path: Path) -> None:
    connection = connect(tmp_path / "cases.db", KEY, writable=True)
    values = {
        name: connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "temp_store")
    }
    assert values == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "temp_store": 2,
    }
    connection.close()


def test_readers_cannot_write(tmp_path: Path) -> None:
    store = open_store(tmp_path / "cases.db", KEY)
    with pytest.raises(StoreError), store.reading() as unit:
        unit._connection.exec_driver_sql("DELETE FROM settings")
    connection = connect(tmp_path / "cases.db", KEY, writable=False)
    with pytest.raises(Exception, match="readonly"):
        connection.execute("DELETE FROM settings")
    connection.close()
    store.close()


def fail_after(_done: None) -> None:
    raise ZeroDivisionError


def test_an_error_undoes_the_unit(tmp_path: Path) -> None:
    store = open_store(tmp_path / "cases.db", KEY)
    with pytest.raises(ZeroDivisionError), store.writing() as unit:
        fail_after(unit.set_setting("b", "c"))
    with store.reading() as reader:
        assert reader.setting("b") is None
    store.close()


def test_a_reader_sees_one_moment(tmp_path: Path) -> None:
    store = open_store(tmp_path / "cases.db", KEY)
    with store.reading() as reader:
        assert reader.setting("a") is None
        with store.writing() as writer:
            writer.set_setting("a", "b")
        assert reader.setting("a") is None
    with store.reading() as reader:
        assert reader.setting("a") == "b"
    store.close()


def test_writers_take_turns(tmp_path: Path) -> None:
    store = open_store(tmp_path / "cases.db", KEY)
    with store.writing() as unit:
        unit.set_setting("n", "0")

    def count() -> None:
        for _ in range(10):
            with store.writing() as unit:
                unit.set_setting("n", str(int(unit.setting("n") or 0) + 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.reading() as unit:
        assert unit.setting("n") == "40"
    store.close()


WRITER = """
import sys
from pathlib import Path
from case_mgmt.store.sqlcipher import open_store
store = open_store(Path(sys.argv[1]), "5a" * 32)
number = 0
while True:
    number += 1
    with store.writing() as unit:
        unit.set_setting("n", str(number))
        unit.set_setting("same", str(number))
    print(number, flush=True)
"""


@pytest.mark.slow
def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "cases.db"
    for round_number in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        acknowledged = 0
        for _ in range(5 + 7 * round_number):
            acknowledged = int(process.stdout.readline())
        process.kill()
        process.stdout.close()
        process.wait()
        store = open_store(path, KEY)
        with store.reading() as unit:
            found = int(unit.setting("n") or 0)
            assert unit.setting("same") == str(found)
        assert found >= acknowledged
        store.close()
        connection = connect(path, KEY, writable=True)
        assert connection.execute("PRAGMA cipher_integrity_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.execute("DELETE FROM settings")
        connection.close()


def test_only_we_may_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "cases.db"
    open_store(path, KEY).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        open_store(tmp_path / "nowhere" / "cases.db", KEY)
