# SPDX-License-Identifier: AGPL-3.0-or-later
"""A witness's memory: founding, reading back, damage."""

import os
import stat
from pathlib import Path

import pytest

from crypto.tlog.witness import AddCheckpoint, Seen, decide, origin_hash
from tests.support.sample_log import FIRST, LOG, ORIGIN, SECOND, TIME, SampleLog
from whistle.errors import ConfigError, StoreError
from whistle.witness.store import EVIDENCE, KEY, LOGS, NAME, WitnessStore, create, load


def seed(length: int) -> bytes:
    return FIRST.seed[:length]


def seen(size: int, signer: WitnessStore) -> Seen:
    log = SampleLog.of(size)
    request = AddCheckpoint(0, (), log.note())
    answer = decide(signer.signer, {ORIGIN: [LOG.verifier]}, None, request, TIME)
    assert answer.seen is not None
    return answer.seen


@pytest.fixture
def store(tmp_path: Path) -> WitnessStore:
    create(tmp_path, FIRST.name, seed)
    return load(tmp_path)


def test_founding_makes_a_private_key_once(tmp_path: Path) -> None:
    state = tmp_path / "new"
    signer = create(state, FIRST.name, seed)
    assert signer == FIRST
    assert load(state).signer == FIRST
    assert (state / KEY).stat().st_mode & 0o077 == 0
    with pytest.raises(ConfigError):
        create(state, FIRST.name, seed)
    assert load(state).signer == FIRST


def test_founding_may_be_repeated_if_it_broke_off_before_the_key(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("half.example\n")
    assert create(tmp_path, FIRST.name, seed).name == FIRST.name


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u00a0b"])
def test_a_name_that_cannot_name_a_key(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError):
        create(tmp_path, name, seed)
    assert not (tmp_path / KEY).exists()


@pytest.mark.parametrize(
    ("file", "content"),
    [
        (NAME, None),
        (KEY, None),
        (NAME, b"a b\n"),
        (NAME, b"\xff\n"),
        (KEY, b"short\n"),
        (KEY, b"\xff\n"),
        (KEY, b"A" * 64),
    ],
)
def test_a_damaged_directory_is_not_served(
    tmp_path: Path, file: str, content: bytes | None
) -> None:
    create(tmp_path, FIRST.name, seed)
    (tmp_path / file).unlink()
    if content is not None:
        (tmp_path / file).write_bytes(content)
    with pytest.raises(ConfigError):
        load(tmp_path)


def test_a_missing_folder_of_logs_is_not_taken_for_an_empty_memory(tmp_path: Path) -> None:
    create(tmp_path, FIRST.name, seed)
    (tmp_path / LOGS).rmdir()
    with pytest.raises(ConfigError):
        load(tmp_path)


def test_what_was_remembered_survives_a_new_start(tmp_path: Path, store: WitnessStore) -> None:
    assert store.seen(ORIGIN) is None
    for size in (3, 7):
        store.remember(seen(size, store))
    again = load(tmp_path)
    found = again.seen(ORIGIN)
    assert found is not None
    assert found.checkpoint == SampleLog.of(7).checkpoint()
    assert again.shown(origin_hash(ORIGIN)) == found.note.encode()
    assert sorted(path.name for path in (tmp_path / LOGS).iterdir()) == [origin_hash(ORIGIN)]


def test_a_memory_that_was_changed_stops_the_witness(tmp_path: Path, store: WitnessStore) -> None:
    store.remember(seen(7, store))
    path = tmp_path / LOGS / origin_hash(ORIGIN)
    good = path.read_bytes()
    for bad in (b"", good[:-9], good.replace(b"\n7\n", b"\n3\n"), good + b"x", bytes(400_000)):
        path.write_bytes(bad)
        with pytest.raises(StoreError):
            store.seen(ORIGIN)
    path.write_bytes(good)
    path.rename(path.with_name(origin_hash("other.example/log")))
    with pytest.raises(StoreError):
        store.seen("other.example/log")
    path.with_name(origin_hash("other.example/log")).rename(path)
    (tmp_path / KEY).write_text(SECOND.seed.hex())
    with pytest.raises(StoreError):
        load(tmp_path).seen(ORIGIN)


@pytest.mark.parametrize("name", ["", "..", "../witness.key", "A" * 64, "a" * 63, "a" * 65])
def test_nothing_but_a_hash_names_a_file(store: WitnessStore, name: str) -> None:
    assert store.shown(name) is None


def test_the_disk_has_it_before_the_name_does(
    tmp_path: Path, store: WitnessStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    synchronise, replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        synchronise(descriptor)

    def rename(self: Path, target: Path) -> Path:
        done.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", rename)
    store.remember(seen(3, store))
    assert done == ["file", "rename", "folder"]


def test_a_full_disk_is_told(store: WitnessStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError("no space")

    remembered = seen(3, store)
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StoreError):
        store.remember(remembered)
    assert store.seen(ORIGIN) is None


def test_the_first_evidence_of_a_log_is_kept(tmp_path: Path, store: WitnessStore) -> None:
    known = seen(7, store)
    fork = SampleLog.of(7, b"fork").note()
    assert store.keep_evidence(known, fork)
    assert not store.keep_evidence(known, SampleLog.of(7, b"third").note())
    kept = (tmp_path / EVIDENCE / origin_hash(ORIGIN)).read_text(encoding="utf-8")
    assert kept == f"{known.note}\n{fork}"
