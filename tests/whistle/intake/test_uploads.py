# SPDX-License-Identifier: AGPL-3.0-or-later
"""Blobs on disk: whole, private, blurred, or gone."""

import os
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from crypto.rng import system_rng
from whistle.errors import RefusedError
from whistle.intake import uploads
from whistle.intake.blobs import BlobFolder
from whistle.intake.memory import Budget
from whistle.intake.uploads import BlobUpload, Disk
from whistle.limits import (
    DISK_RESERVE,
    MIB,
    UPLOAD_BUFFERS,
    UPLOAD_PIECE_LEAST,
    UPLOAD_QUEUE,
    UPLOAD_QUEUE_ALL,
)

ID = "0123456789abcdef" * 2
DAY = date(2026, 4, 7)


@pytest.fixture
def folder(tmp_path: Path) -> BlobFolder:
    return BlobFolder(tmp_path / "blobs")


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


async def test_pieces_of_any_size_arrive_in_order(
    folder: BlobFolder, executor: ThreadPoolExecutor
) -> None:
    upload = BlobUpload(Disk(folder, executor), ID)
    content = system_rng(5 * MIB + 12_345)
    start = 0
    for size in (1, 70_000, MIB - 1, 2 * MIB, MIB + 5, 10**9):
        upload.add(content[start : start + size])
        start += size
        await upload.catch_up()
    await upload.finish(DAY)
    assert upload.size == len(content)
    assert [path.name for path in folder.folder.iterdir()] == [f"{ID}.part"]
    folder.publish([ID])
    assert folder.path(ID).read_bytes() == content


async def test_files_are_private_and_their_times_are_days(
    folder: BlobFolder, executor: ThreadPoolExecutor
) -> None:
    upload = BlobUpload(Disk(folder, executor), ID)
    upload.add(b"x")
    await upload.finish(DAY)
    folder.publish([ID])
    state = folder.path(ID).stat()
    assert stat.S_IMODE(state.st_mode) == 0o600
    assert stat.S_IMODE(folder.folder.stat().st_mode) == 0o700
    assert datetime.fromtimestamp(state.st_mtime, UTC) == datetime(2026, 4, 7, tzinfo=UTC)
    assert state.st_atime == state.st_mtime


async def test_a_slow_disk_holds_the_reader_back(
    folder: BlobFolder, executor: ThreadPoolExecutor
) -> None:
    upload = BlobUpload(Disk(folder, executor), ID)
    for _ in range(UPLOAD_QUEUE + 1):
        upload.add(bytes(MIB))
    assert upload.is_behind
    await upload.catch_up()
    assert not upload.is_behind
    await upload.abandon()


async def test_many_uploads_share_one_backlog(
    folder: BlobFolder, executor: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    real = os.pwrite

    def slow(*arguments: Any) -> int:
        gate.wait(10)
        return real(*arguments)

    monkeypatch.setattr(uploads.os, "pwrite", slow)
    disk = Disk(folder, executor)
    many = [BlobUpload(disk, f"{number:032x}") for number in range(UPLOAD_QUEUE_ALL + 2)]
    for upload in many:
        upload.add(bytes(MIB))
    assert all(upload.is_behind for upload in many)
    gate.set()
    for upload in many:
        await upload.catch_up()
        await upload.finish(DAY)
        await upload.abandon()
    assert disk.backlog.pieces == 0
    assert list(folder.folder.iterdir()) == []


async def test_many_open_files_gather_little(
    folder: BlobFolder, executor: ThreadPoolExecutor
) -> None:
    disk = Disk(folder, executor)
    many = [BlobUpload(disk, f"{number:032x}") for number in range(200)]
    for upload in many:
        for _ in range(20):
            upload.add(bytes(40_000))
            await upload.catch_up()
    assert disk.memory.used < 2 * UPLOAD_BUFFERS + UPLOAD_QUEUE_ALL * UPLOAD_PIECE_LEAST * 10
    for upload in many[:100]:
        await upload.finish(DAY)
    for upload in many:
        await upload.abandon()
    assert disk.memory.used == 0
    assert disk.backlog.files == 0


async def test_room_is_looked_at_while_a_file_grows(
    folder: BlobFolder, executor: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that began together must not eat the reserve together."""
    room = DISK_RESERVE + 10 * MIB
    taken = 0

    def free(_self: BlobFolder) -> int:
        written = sum(path.stat().st_size for path in folder.folder.iterdir())
        return room - written

    monkeypatch.setattr(BlobFolder, "free_bytes", free)
    disk = Disk(folder, executor)
    disk.require_room()
    many = [BlobUpload(disk, f"{number:032x}") for number in range(8)]

    async def fill() -> None:
        nonlocal taken
        for number in range(400):
            many[number % 8].add(bytes(MIB // 2))
            taken += MIB // 2
            await many[number % 8].catch_up()

    with pytest.raises(RefusedError, match="busy"):
        await fill()
    assert taken <= 11 * MIB
    assert free(folder) >= DISK_RESERVE
    for upload in many:
        await upload.abandon()


async def test_bytes_beyond_the_budget_are_refused(
    folder: BlobFolder, executor: ThreadPoolExecutor
) -> None:
    disk = Disk(folder, executor, memory=Budget(100_000))
    upload = BlobUpload(disk, ID)
    upload.add(bytes(90_000))
    with pytest.raises(RefusedError, match="busy"):
        upload.add(bytes(20_000))
    await upload.abandon()
    assert disk.memory.used == 0


@pytest.mark.parametrize("stage", ["empty", "growing", "finished", "published"])
async def test_abandoning_leaves_nothing(
    folder: BlobFolder, executor: ThreadPoolExecutor, stage: str
) -> None:
    upload = BlobUpload(Disk(folder, executor), ID)
    if stage != "empty":
        upload.add(bytes(3 * MIB))
    if stage in {"finished", "published"}:
        await upload.finish(DAY)
    if stage == "published":
        folder.publish([ID])
    await upload.abandon()
    await upload.abandon()
    assert list(folder.folder.iterdir()) == []


async def test_a_disk_error_reaches_the_form(
    folder: BlobFolder, executor: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(uploads.os, "pwrite", full)
    upload = BlobUpload(Disk(folder, executor), ID)
    upload.add(b"x")
    with pytest.raises(RefusedError, match="busy"):
        await upload.finish(DAY)
    await upload.abandon()
    assert list(folder.folder.iterdir()) == []


async def test_the_disk_is_synced_on_the_way(
    folder: BlobFolder, executor: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    real = os.fdatasync
    monkeypatch.setattr(uploads.os, "fdatasync", lambda fd: (synced.append(fd), real(fd)))
    upload = BlobUpload(Disk(folder, executor), ID)
    for _ in range(40):
        upload.add(bytes(MIB))
        await upload.catch_up()
    await upload.finish(DAY)
    assert len(synced) == 2


def test_a_blob_is_never_overwritten(folder: BlobFolder) -> None:
    os.close(folder.create_part(ID))
    with pytest.raises(FileExistsError):
        folder.create_part(ID)


@pytest.mark.parametrize("name", ["", "x", "../db.key", ID + "0", ID[:-1], ID.upper(), ID + "\n"])
def test_only_ids_name_blobs(folder: BlobFolder, name: str) -> None:
    with pytest.raises(ValueError, match="not a blob id"):
        folder.path(name)


def test_sweeping_keeps_what_is_known(folder: BlobFolder) -> None:
    other = "f" * 32
    for name in (ID, other, f"{ID}.part", "stray"):
        (folder.folder / name).write_bytes(b"x")
    assert folder.sweep({ID}) == 3
    assert [path.name for path in folder.folder.iterdir()] == [ID]
    assert folder.sweep({ID}) == 0
