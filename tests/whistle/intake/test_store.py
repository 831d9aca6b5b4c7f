# SPDX-License-Identifier: AGPL-3.0-or-later
"""The store: durable, atomic, encrypted, forgetful."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlcipher3 import dbapi2

from crypto.rng import system_rng
from whistle import limits
from whistle.errors import ConfigError, ConflictError, RefusedError, StoreError, UndecidedError
from whistle.intake import database, schema
from whistle.intake.database import connect, load_or_create_secret
from whistle.intake.records import Blob, Entry, NewThread, OwnMessage, Record
from whistle.intake.store import Store
from whistle.intake.writer import Writer

KEY = "ab" * 32
DAY = date(2026, 4, 7)
AUTH = bytes(32)
NEW = NewThread(AUTH, b"")


def record(thread: bytes, **changes: Any) -> Record:
    one = Record(
        id=system_rng(16), thread=thread, kind="report", intent="message", day=DAY,
        recipients=("pengawas",), mailbox_key=bytes(32), container=b"sealed",
    )  # fmt: skip
    return replace(one, **changes)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "intake.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    one = Store(path, KEY)
    yield one
    one.close()


async def test_a_report_is_all_or_nothing_and_once(store: Store) -> None:
    thread = system_rng(16)
    first = record(thread, blobs=(Blob("0" * 32, 5),))
    assert await store.add_report(NewThread(AUTH, b"dossier"), first)
    assert not await store.add_report(
        NewThread(AUTH, b"other"), record(thread, blobs=(Blob("1" * 32, 5),))
    )
    assert store.records(10, 10**6) == [first]
    assert store.blob_ids() == {"0" * 32}
    view = store.thread(thread)
    assert view is not None
    assert (view.day, view.dossier, view.boxes, view.own) == (DAY, b"dossier", (), ())
    assert store.thread_day(thread) == DAY
    assert store.thread(system_rng(16)) is None


async def test_a_failing_item_does_not_sink_the_others(store: Store) -> None:
    """All are queued before the writer gets to work, so they share a commit."""
    good = [record(system_rng(16)) for _ in range(5)]
    bad = record(system_rng(16), kind="nonsense")
    results = await asyncio.gather(
        *(store.add_report(NEW, one) for one in (*good[:3], bad, *good[3:])),
        return_exceptions=True,
    )
    assert isinstance(results[3], dbapi2.IntegrityError)
    assert [one for one in results if one is True] == [True] * 5
    assert {one.id for one in store.records(10, 10**6)} == {one.id for one in good}
    assert store.thread(bad.thread) is None


async def test_waiting_writes_share_a_commit(path: Path) -> None:
    connection = connect(path, KEY, writable=True, cache_kib=256)
    connection.execute("CREATE TABLE t (n INTEGER)")
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    writer = Writer(connection)
    gate = threading.Event()

    def blocked(_connection: Any) -> None:
        gate.wait(5)

    first = asyncio.ensure_future(writer.do(blocked))
    await asyncio.sleep(0.05)
    rest = [
        asyncio.ensure_future(writer.do(lambda c, n=n: c.execute("INSERT INTO t VALUES (?)", (n,))))
        for n in range(10)
    ]
    await asyncio.sleep(0.05)
    gate.set()
    await asyncio.gather(first, *rest)
    writer.close()
    assert statements.count("COMMIT") == 2


async def test_a_failing_commit_fails_every_caller(path: Path) -> None:
    class Broken:
        """A connection whose commits fail."""

        def execute(self, statement: str, *_: Any) -> None:
            if statement == "COMMIT":
                raise OSError("disk")

        def close(self) -> None:
            return

    writer = Writer(Broken())
    results = await asyncio.gather(
        *(writer.do(lambda _c: 1) for _ in range(3)), return_exceptions=True
    )
    assert all(isinstance(one, OSError) for one in results)
    writer.close()
    with pytest.raises(StoreError):
        await writer.do(lambda _c: 1)


async def test_nobody_waits_for_a_disk_that_does_not_answer(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has not begun never happens; what has begun is said to be undecided."""
    monkeypatch.setattr(limits, "WRITE_DEADLINE", 0.2)
    gate, begun = threading.Event(), threading.Event()

    def slow(_connection: Any) -> None:
        begun.set()
        gate.wait(10)

    held = asyncio.create_task(store._writer.do(slow))
    await asyncio.to_thread(begun.wait, 5)
    one = record(b"t" * 16)
    with pytest.raises(RefusedError, match="busy") as refused:
        await store.add_report(NEW, one)
    assert not isinstance(refused.value, UndecidedError)
    with pytest.raises(UndecidedError):
        await held
    gate.set()
    monkeypatch.undo()
    await store.put_statistics("{}")
    assert store.records(10, 10**6) == []
    assert await store.add_report(NEW, one)


async def test_a_full_disk_is_busy_and_keeps_what_was_acknowledged(store: Store) -> None:
    connection = store._writer._connection
    stored = 0
    assert await store.add_report(NEW, record(bytes(16)))
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 20}")

    async def fill() -> None:
        nonlocal stored
        for number in range(1, 50):
            one = record(number.to_bytes(16), container=bytes(20_000))
            assert await store.add_report(NEW, one)
            stored = number

    with pytest.raises(RefusedError, match="busy"):
        await fill()
    assert 0 < stored < 49
    connection.execute("PRAGMA max_page_count = 100000")
    assert await store.add_report(NEW, record(b"t" * 16))
    assert len(store.records(100, 10**9)) == stored + 2


async def test_a_caller_that_left_does_not_stop_the_writer(store: Store) -> None:
    task = asyncio.create_task(store.add_report(NEW, record(system_rng(16))))
    await asyncio.sleep(0)
    task.cancel()
    assert await store.add_report(NEW, record(system_rng(16)))


async def test_what_was_acknowledged_survives_a_kill(path: Path) -> None:
    """The files as they lie there after the answer, without any closing, hold the report."""
    store = Store(path, KEY)
    thread = system_rng(16)
    await store.add_report(NEW, record(thread))
    copy = path.with_name("copy.db")
    for suffix in ("", "-wal"):
        Path(f"{copy}{suffix}").write_bytes(Path(f"{path}{suffix}").read_bytes())
    store.close()
    revived = Store(copy, KEY)
    assert revived.thread(thread) is not None
    assert revived._reading.execute("PRAGMA cipher_integrity_check").fetchall() == []
    revived.close()


async def test_acknowledging_erases(store: Store, path: Path) -> None:
    thread = system_rng(16)
    one = record(thread, blobs=(Blob("0" * 32, 5), Blob("1" * 32, 6)))
    await store.add_report(NEW, one)
    assert set(await store.acknowledge([one.id, system_rng(16)])) == {"0" * 32, "1" * 32}
    assert await store.acknowledge([one.id]) == ()
    assert store.records(10, 10**6) == []
    assert store.blob_ids() == set()
    assert store.blob_size("0" * 32) is None
    assert store.thread(thread) is not None


async def test_listing_stops_at_its_size_but_never_before_the_first(store: Store) -> None:
    for _ in range(4):
        await store.add_report(NEW, record(system_rng(16), container=bytes(1000)))
    assert len(store.records(10, 1)) == 1
    assert len(store.records(10, 2000)) == 2
    assert len(store.records(3, 10**6)) == 3


async def test_later_messages_are_stored_once_and_in_order(store: Store) -> None:
    thread = system_rng(16)
    await store.add_report(NEW, record(thread))
    messages = [OwnMessage(system_rng(16), DAY, bytes([n])) for n in range(3)]
    for message in messages:
        later = record(thread, kind="follow_up", mailbox_key=None)
        assert await store.add_follow_up(later, message)
        assert not await store.add_follow_up(record(thread, kind="follow_up"), message)
    view = store.thread(thread)
    assert view is not None
    assert view.own == tuple(messages)
    assert store.has_own_message(thread, messages[0].message_id)
    assert not store.has_own_message(system_rng(16), messages[0].message_id)
    assert len(store.records(10, 10**6)) == 4


async def test_the_mailbox_is_all_or_nothing(store: Store) -> None:
    thread = system_rng(16)
    await store.add_report(NEW, record(thread))
    await store.put_mailbox([Entry(thread, 2, b"b"), Entry(thread, 1, b"a")])
    with pytest.raises(ConflictError):
        await store.put_mailbox([Entry(thread, 3, b"c"), Entry(thread, 1, b"x")])
    with pytest.raises(ConflictError):
        await store.put_mailbox([Entry(system_rng(16), 1, b"x")])
    view = store.thread(thread)
    assert view is not None
    assert view.boxes == ((1, b"a"), (2, b"b"))


async def test_day_secrets(store: Store) -> None:
    one = await store.day_secret(DAY, system_rng)
    assert await store.day_secret(DAY, system_rng) == one
    assert await store.day_secret(date(2026, 4, 6), system_rng) != one
    await store.forget_secrets(date(2026, 4, 8))
    assert store._reading.execute("SELECT day FROM secrets").fetchall() == [("2026-04-07",)]
    assert await store.day_secret(DAY, system_rng) == one


async def test_the_highest_serial_is_remembered(store: Store, path: Path) -> None:
    """Also while others write, and from a thread that runs a loop."""
    assert store.highest_serial() == 0
    writes = [asyncio.create_task(store.put_statistics("{}")) for _ in range(3)]
    await asyncio.sleep(0)
    store.remember_serial(7)
    store.remember_serial(5)
    await asyncio.gather(*writes)
    assert store.highest_serial() == 7
    store.close()
    again = Store(path, KEY)
    assert again.highest_serial() == 7
    again.close()
    with pytest.raises(StoreError):
        again.remember_serial(8)


def test_what_cannot_be_remembered_is_an_error(store: Store) -> None:
    with pytest.raises(OverflowError):
        store.remember_serial(2**70)
    assert store.highest_serial() == 0


async def test_statistics_replace_each_other(store: Store) -> None:
    assert store.statistics() is None
    await store.put_statistics("{}")
    await store.put_statistics('{"v":1}')
    assert store.statistics() == '{"v":1}'


@pytest.mark.parametrize("key", ["", "ab" * 31, "ab" * 33, "AB" * 32, "zz" * 32, "passphrase"])
def test_only_raw_keys_are_keys(path: Path, key: str) -> None:
    with pytest.raises(StoreError):
        connect(path, key, writable=True, cache_kib=64)
    assert not path.exists()


def test_another_key_does_not_open(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Store(path, KEY).close()
    with pytest.raises(StoreError):
        Store(path, "cd" * 32)
    assert capfd.readouterr().err == ""  # SQLCipher would write timestamps here


async def test_nothing_is_legible_in_the_files(store: Store, path: Path) -> None:
    await store.add_report(NEW, record(system_rng(16), container=b"canary4711" * 50))
    for suffix in ("", "-wal", "-shm"):
        data = Path(f"{path}{suffix}").read_bytes()
        assert b"canary4711" not in data
        assert b"SQLite format" not in data
        assert b"threads" not in data


def test_the_connection_is_as_the_specification_says(store: Store) -> None:
    wanted = {
        "journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1,
        "temp_store": 2, "trusted_schema": 0, "cell_size_check": 1, "query_only": 1,
    }  # fmt: skip
    for pragma, value in wanted.items():
        assert store._reading.execute(f"PRAGMA {pragma}").fetchone() == (value,), pragma


def test_older_databases_are_brought_forward(path: Path) -> None:
    connection = connect(path, KEY, writable=True, cache_kib=64)
    schema.migrate(connection)
    more = (*schema.MIGRATIONS, ("CREATE TABLE later (n INTEGER)",))
    schema.migrate(connection, more)
    schema.migrate(connection, more)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(more),)
    with pytest.raises(StoreError, match="newer"):
        schema.migrate(connection)
    broken = (*more, ("CREATE TABLE half (n INTEGER)", "NONSENSE"))
    with pytest.raises(dbapi2.Error):
        schema.migrate(connection, broken)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(more),)
    assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'half'").fetchall()
    connection.close()


def test_database_files_are_private(store: Store, path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        assert Path(f"{path}{suffix}").stat().st_mode & 0o777 == 0o600, suffix


def test_key_files_are_private_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "db.key"
    one = load_or_create_secret(path, system_rng)
    assert load_or_create_secret(path, system_rng) == one
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("short")
    with pytest.raises(Exception, match="64 hexadecimal"):
        load_or_create_secret(path, system_rng)


def test_a_key_file_appears_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "db.key"

    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(database.os, "fsync", fail)
        with pytest.raises(OSError, match="No space"):
            load_or_create_secret(path, system_rng)
    assert list(tmp_path.iterdir()) == []
    load_or_create_secret(path, system_rng)
    assert [one.name for one in tmp_path.iterdir()] == ["db.key"]


def test_a_lost_key_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "db.key"
    used = tmp_path / "intake.db"
    used.write_bytes(b"x")
    with pytest.raises(ConfigError, match=r"db\.key is missing, but intake\.db was made with it"):
        load_or_create_secret(path, system_rng, used)
    assert not path.exists()


def old_database(path: Path) -> bytes:
    """A database as the first release left it, with a thread, its record and its blob."""
    connection = connect(path, KEY, writable=True, cache_kib=256)
    schema.migrate(connection, schema.MIGRATIONS[:1])
    thread = system_rng(16)
    rows = (
        ("threads", (thread, AUTH, DAY.isoformat(), b"dossier")),
        ("records", (b"r" * 16, thread, "report", "message", DAY.isoformat(), '["pengawas"]',
                     bytes(32), b"sealed")),
        ("blobs", ("0" * 32, b"r" * 16, 5)),
        ("mailbox", (thread, 1, b"box")),
        ("own_messages", (thread, b"m" * 16, DAY.isoformat(), b"own")),
    )  # fmt: skip
    for table, row in rows:
        connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
    connection.close()
    return thread


async def test_an_older_database_with_data_is_brought_up_to_date(path: Path) -> None:
    thread = old_database(path)
    for _ in range(2):  # once migrated it opens as it is
        store = Store(path, KEY)
        view = store.thread(thread)
        assert view is not None
        assert (view.mode, view.dossier, view.boxes) == ("arrival", b"dossier", ((1, b"box"),))
        assert view.commitment is None  # nobody knows any more what was forwarded
        assert view.own == (OwnMessage(b"m" * 16, DAY, b"own"),)
        assert store.submission(thread) == (DAY, None)
        (kept,) = store.records(10, 10**6)
        assert kept.blobs == (Blob("0" * 32, 5),)
        store.close()
    store = Store(path, KEY)
    new = record(system_rng(16))
    assert await store.add_report(NewThread(AUTH, b"", "browser", bytes(32)), new)
    assert store.submission(new.thread) == (DAY, bytes(32))
    with pytest.raises(dbapi2.IntegrityError):
        await store.add_report(NewThread(AUTH, b"", "other"), record(system_rng(16)))  # type: ignore[arg-type]
    store.close()


def test_a_migration_that_fails_changes_nothing(path: Path) -> None:
    old_database(path)
    connection = connect(path, KEY, writable=True, cache_kib=256)
    broken = (*schema.MIGRATIONS, ("CREATE TABLE extra (n INTEGER)", "nonsense"))
    with pytest.raises(dbapi2.OperationalError):
        schema.migrate(connection, broken)
    assert connection.execute("PRAGMA user_version").fetchone()[0] == len(schema.MIGRATIONS)
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    assert "extra" not in tables
    connection.close()
