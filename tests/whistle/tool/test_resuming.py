# SPDX-License-Identifier: AGPL-3.0-or-later
"""A connection that breaks again and again costs time, not the report."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.support.intake import Intake
from tests.support.office import Office
from tests.whistle.tool.running import pinned, tool, write_answers
from whistle.tool import sending

CUT_AFTER = 1_500_000  # bytes of one connection


@asynccontextmanager
async def breaking(port: int, cuts: list[int]) -> AsyncIterator[str]:
    """A relay that drops connections that have carried so many bytes, as often as `cuts` says."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inward, outward = await asyncio.open_connection("127.0.0.1", port)
        back = asyncio.create_task(pour(inward, writer))
        carried = 0
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                outward.write(data)
                await outward.drain()
                carried += len(data)
                if carried > CUT_AFTER and cuts:
                    cuts.pop()
                    writer.transport.abort()
                    break
        outward.close()
        await back
        writer.close()

    async def pour(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65536):
                target.write(data)
                await target.drain()

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def test_upload_goes_on_where_it_broke(
    intake: Intake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "PAUSE", 0.05)
    photo = tmp_path / "foto.jpg"
    photo.write_bytes(os.urandom(4_500_000))
    cuts = [1, 2, 3]
    async with breaking(intake.port, cuts) as base:
        done = await tool(
            "seal", photo, "--manifest", intake.org.dir, *pinned(intake), "--send", base, "--json",
            "--answers", write_answers(tmp_path), "--out", tmp_path / "b.whb",
        )  # fmt: skip
    assert done.code == 0, done.err
    assert cuts == []
    assert done.json["sent"]
    (case,) = await Office(intake).collect()
    assert len(case.record["blobs"]) == 1


async def test_a_site_that_is_gone_leaves_the_bundle(
    intake: Intake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "PAUSE", 0.0)
    done = await tool(
        "seal", "--manifest", intake.org.dir, *pinned(intake), "--send", "http://127.0.0.1:9",
        "--json", "--answers", write_answers(tmp_path), "--out", tmp_path / "b.whb",
    )  # fmt: skip
    assert done.code == 1
    assert not done.json["sent"]
    assert "NOT sent" in done.err
    assert (tmp_path / "b.whb").stat().st_size == done.json["size"]
