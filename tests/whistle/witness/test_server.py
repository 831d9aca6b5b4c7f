# SPDX-License-Identifier: AGPL-3.0-or-later
"""The witness over HTTP: the protocol's answers, limits, races, hostile requests."""

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from crypto.tlog.errors import SignatureError
from crypto.tlog.note import SignerKey, open_note
from crypto.tlog.witness import (
    BAD_REQUEST,
    MAX_REQUEST,
    UNKNOWN,
    AddCheckpoint,
    Seen,
    origin_hash,
)
from tests.support import independent_log
from tests.support.sample_log import FIRST, LOG, ORIGIN, TIME, SampleLog
from whistle.errors import StoreError
from whistle.http import serve
from whistle.witness import server
from whistle.witness.server import Witness, create_app
from whistle.witness.store import WitnessStore, create, load


@dataclass
class Running:
    """A served witness and somebody who asks it."""

    url: str
    store: WitnessStore
    http: aiohttp.ClientSession

    async def ask(self, body: bytes) -> tuple[int, str, str]:
        async with self.http.post(f"{self.url}/add-checkpoint", data=body) as answer:
            return answer.status, await answer.text(), answer.headers["Content-Type"]

    async def add(self, log: SampleLog, old: int, new: int) -> tuple[int, str, str]:
        proof = tuple(log.tree.consistency(old, new)) if old <= new else ()
        return await self.ask(AddCheckpoint(old, proof, log.note(size=new)).encode())


@pytest.fixture
async def witness(tmp_path: Path) -> AsyncIterator[Running]:
    create(tmp_path, FIRST.name, lambda length: FIRST.seed[:length])
    store = load(tmp_path)
    app = create_app(Witness(store, [LOG.verifier], lambda: TIME))
    async with (
        serve.listening(app, tcp=("127.0.0.1", 0)) as running,
        aiohttp.ClientSession() as http,
    ):
        yield Running(f"http://127.0.0.1:{running.port}", store, http)


async def test_a_growing_log_is_cosigned(witness: Running) -> None:
    log = SampleLog.of(40)
    for old, new in ((0, 3), (3, 3), (3, 40)):
        status, body, _ = await witness.add(log, old, new)
        assert status == 200
        note = (log.note(size=new) + body).encode()
        assert independent_log.signed_by(note, FIRST.verifier.encode())[1] == TIME
    seen = witness.store.seen(ORIGIN)
    assert seen is not None
    assert seen.checkpoint == log.checkpoint()


async def test_a_monitor_sees_the_latest_checkpoint(witness: Running) -> None:
    log = SampleLog.of(9)
    address = f"{witness.url}/{independent_log.sha256(ORIGIN.encode()).hex()}/checkpoint"
    async with witness.http.get(address) as answer:
        assert answer.status == 404
    await witness.add(log, 0, 9)
    async with witness.http.get(address) as answer:
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "no-store"
        note = await answer.text()
    opened = open_note(note, [LOG.verifier, FIRST.verifier])
    assert len(opened.verified) == len(opened.signatures) == 2
    assert opened.text == log.checkpoint().text()


async def test_every_refusal(witness: Running) -> None:
    log, fork = SampleLog.of(40), SampleLog.of(40, b"fork")
    stranger = SampleLog(SignerKey("stranger.example/log", b"\x55" * 32))
    impostor = SampleLog(SignerKey(ORIGIN, b"\x56" * 32))
    await witness.add(log, 0, 20)
    for asked, wanted in (
        (witness.add(stranger, 0, 0), 404),
        (witness.add(impostor, 0, 0), 403),
        (witness.add(log, 30, 20), 400),
        (witness.add(fork, 20, 40), 422),
        (witness.add(fork, 20, 20), 409),
        (witness.ask(b"anything"), 400),
        (witness.ask(b""), 400),
        (witness.ask(b"\xff" * 900), 400),
        (witness.ask(b"x" * (MAX_REQUEST + 1)), 413),
    ):
        status, body, _ = await asked
        assert status == wanted
        assert "—" not in body
    status, body, kind = await witness.add(log, 5, 40)
    assert (status, body, kind) == (409, "20\n", "text/x.tlog.size")


async def test_a_log_that_signs_two_histories_leaves_evidence(
    witness: Running, tmp_path: Path
) -> None:
    log, fork = SampleLog.of(20), SampleLog.of(20, b"fork")
    await witness.add(log, 0, 20)
    await witness.add(fork, 7, 20)
    assert not (tmp_path / "evidence").exists()
    assert (await witness.add(fork, 20, 20))[0] == 409
    kept = (tmp_path / "evidence" / origin_hash(ORIGIN)).read_bytes()
    assert fork.note().encode() in kept
    assert (await witness.add(log, 20, 20))[0] == 200


async def test_a_body_without_a_length_is_limited_too(witness: Running) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b"x" * 16_384

    try:
        async with witness.http.post(f"{witness.url}/add-checkpoint", data=endless()) as answer:
            assert answer.status == 413
    except aiohttp.ClientError:
        pass  # the connection may be closed while the rest is still being sent
    assert (await witness.add(SampleLog.of(3), 0, 3))[0] == 200


async def test_a_slow_body_is_cut_off(witness: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "BODY_SECONDS", 0.05)
    _, _, port = witness.url.rpartition(":")
    reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
    writer.write(b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nold 1")
    await writer.drain()
    assert b" 408 " in await reader.readline()
    writer.close()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/add-checkpoint", 405),
        ("PUT", "/add-checkpoint", 405),
        ("POST", "/add-checkpoint/", 404),
        ("GET", f"/{'A' * 64}/checkpoint", 404),
        ("GET", "/witness.key/checkpoint", 404),
        ("GET", "/..%2fwitness.key/checkpoint", 404),
        ("POST", f"/{'a' * 64}/checkpoint", 405),
        ("GET", f"/{'a' * 64}/checkpoint", 404),
    ],
)
async def test_there_is_nothing_else(witness: Running, method: str, path: str, status: int) -> None:
    async with witness.http.request(method, witness.url + path) as answer:
        assert answer.status == status
        assert "Server" not in answer.headers
        assert await answer.text() in {server.NOWHERE.body, BAD_REQUEST.body, UNKNOWN.body}


async def test_two_at_once_never_make_two_histories(witness: Running) -> None:
    log, fork = SampleLog.of(60), SampleLog.of(60, b"fork")
    asked = [witness.add(each, 0, size) for size in range(1, 31) for each in (log, fork)]
    answers = await asyncio.gather(*asked)
    assert sorted({status for status, _, _ in answers}) == [200, 409]
    assert sum(status == 200 for status, _, _ in answers) == 1


async def test_nothing_is_answered_that_was_not_stored(
    witness: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_store: WitnessStore, _seen: Seen) -> None:
        raise StoreError("disk")

    with monkeypatch.context() as patch:
        patch.setattr(WitnessStore, "remember", fail)
        status, body, _ = await witness.add(SampleLog.of(5), 0, 5)
        assert (status, body) == (500, server.BROKEN.body)
    assert witness.store.seen(ORIGIN) is None
    assert (await witness.add(SampleLog.of(6), 0, 6))[0] == 200


async def test_a_peer_that_leaves_frees_no_turn(
    witness: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, fork = SampleLog.of(5), SampleLog.of(7, b"fork")
    begun, may_end = threading.Event(), threading.Event()
    remember = WitnessStore.remember

    def slowly(store: WitnessStore, seen: Seen) -> None:
        begun.set()
        may_end.wait(20)
        remember(store, seen)

    monkeypatch.setattr(WitnessStore, "remember", slowly)
    served = Witness(witness.store, [LOG.verifier], lambda: TIME)
    leaving = asyncio.create_task(served.add_checkpoint(AddCheckpoint(0, (), log.note())))
    await asyncio.to_thread(begun.wait, 20)
    leaving.cancel()
    second = asyncio.create_task(served.add_checkpoint(AddCheckpoint(0, (), fork.note())))
    await asyncio.sleep(0.05)
    assert not second.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert (await second).status == 409
    seen = witness.store.seen(ORIGIN)
    assert seen is not None
    assert seen.checkpoint == log.checkpoint()


async def test_too_many_waiting_are_told_busy(
    witness: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MAX_WAITING", 0)
    assert (await witness.add(SampleLog.of(5), 0, 5))[0] == 503


async def test_a_damaged_memory_answers_nothing(witness: Running, tmp_path: Path) -> None:
    await witness.add(SampleLog.of(5), 0, 5)
    (tmp_path / "logs" / origin_hash(ORIGIN)).write_bytes(b"damage\n")
    assert (await witness.add(SampleLog.of(6), 5, 6))[0] == 500
    with pytest.raises(StoreError):
        Witness(witness.store, [LOG.verifier], lambda: TIME).check()


async def test_a_log_may_have_two_keys(tmp_path: Path) -> None:
    later = SignerKey(ORIGIN, b"\x57" * 32)
    create(tmp_path, FIRST.name, lambda length: FIRST.seed[:length])
    served = Witness(load(tmp_path), [LOG.verifier, later.verifier], lambda: TIME)
    log, rotated = SampleLog.of(5), SampleLog.of(5)
    rotated.signer = later
    assert (await served.add_checkpoint(AddCheckpoint(0, (), log.note()))).status == 200
    rotated.grow(4)
    proof = tuple(rotated.tree.consistency(5))
    answer = await served.add_checkpoint(AddCheckpoint(5, proof, rotated.note()))
    assert answer.status == 200
    with pytest.raises(SignatureError):
        open_note(rotated.note(), [LOG.verifier])
