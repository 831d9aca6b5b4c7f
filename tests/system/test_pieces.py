# SPDX-License-Identifier: AGPL-3.0-or-later
"""Uploads in pieces against a real server process: killed on the way, and at full size.

The reporter's client asks what has arrived and sends what is missing; a piece it was told is
stored must be there after every SIGKILL, and a report it was told is stored must be on the feed.
"""

import asyncio
import random
from pathlib import Path

import aiohttp
import psutil
import pytest

from crypto.attachment import ciphertext_size
from crypto.padding import padme
from crypto.rng import system_rng
from tests.support.sealed_client import SealedClient, SealedFile, Sealer, seal_file
from tests.system.test_kill import House
from whistle.limits import MIB, PIECE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

KILLS = 20
BIG = 200_000_000
BROKEN = (aiohttp.ClientError, ConnectionError, TimeoutError, asyncio.IncompleteReadError)


async def upload(client: SealedClient, file: SealedFile, told: set[int]) -> None:
    """Send what is missing; `told` are the pieces that were acknowledged before."""
    _, state = await client.call("GET", f"/api/v1/blobs/{file.id}", **file.headers)
    assert told <= set(state["received"]), "an acknowledged piece was lost"
    missing = [n for n in range(len(file.pieces)) if n not in state["received"]]
    random.shuffle(missing)
    for number in missing:
        if await client.put(file, number) == 200:
            told.add(number)


async def send_one(house: House, sealer: Sealer, file: SealedFile) -> None:
    """Upload a file and report it, however often the connection breaks."""
    told: set[int] = set()
    value = sealer.report("laporan", [file])
    while True:
        try:
            async with SealedClient(house.url) as client:
                status, answer = await client.report(sealer, value)
                if status == 200:
                    return
                assert answer == {"error": "incomplete"}, answer
                await upload(client, file, told)
        except BROKEN:
            await asyncio.sleep(0.05)


async def send_until(house: House, stop: asyncio.Event, sent: list[tuple[Sealer, str]]) -> None:
    while not stop.is_set():
        sealer, file = Sealer(house.org), seal_file(system_rng(6 * PIECE + 77))
        await send_one(house, sealer, file)
        sent.append((sealer, file.id))


async def test_uploads_resume_after_a_killed_server(tmp_path: Path) -> None:
    chance = random.Random(6)
    house, stop = House(tmp_path), asyncio.Event()
    sent: list[tuple[Sealer, str]] = []
    await house.intake.start()
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(2):
                group.create_task(send_until(house, stop, sent))
            for _ in range(KILLS):
                await asyncio.sleep(chance.uniform(0.05, 0.6))
                house.intake.kill()
                await house.intake.start()
            stop.set()
        assert len(sent) >= 2
        house.intake.kill()
        await house.intake.start()
    finally:
        house.intake.stop()
    house.check_integrity("intake")
    assert house.count("intake", "SELECT count(*) FROM threads") == len(sent)
    assert house.count("intake", "SELECT count(*) FROM records") == len(sent)
    assert house.count("intake", "SELECT count(*) FROM uploads") == 0
    files = {path.name for path in (house.intake_state / "blobs").iterdir()}
    assert files == {blob for _, blob in sent}


async def test_memory_stays_flat_for_200_mb(tmp_path: Path) -> None:
    house = House(tmp_path)
    await house.intake.start()
    try:
        process = psutil.Process(house.intake._process.pid)  # type: ignore[union-attr]
        idle = most = process.memory_info().rss
        head = seal_file(b"x")
        size = ciphertext_size(padme(BIG))
        headers = {**head.headers, "Whistle-Size": str(size)}
        first = head.data[:1700].ljust(PIECE, b"\0")
        async with SealedClient(house.url) as client:
            for number in range(-(-size // PIECE)):
                piece = first[: size - number * PIECE]
                path = f"/api/v1/blobs/{head.id}/{number}"
                assert (await client.call("PUT", path, piece, **headers))[0] == 200
                most = max(most, process.memory_info().rss)
            sealer = Sealer(house.org)
            value = {**sealer.report("x"), "blobs": [{**head.claim, "size": size}]}
            assert (await client.report(sealer, value))[0] == 200
        assert most - idle <= 64 * MIB
        assert (house.intake_state / "blobs" / head.id).stat().st_size == size
    finally:
        house.intake.stop()
