# SPDX-License-Identifier: AGPL-3.0-or-later
"""The control connection, against a peer that speaks just enough of the control protocol."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from onion import control as control_module
from onion.control import StemControl
from onion.errors import TorFailedError
from onion.publication import Step, Upload
from tests.onion.fake_tor import CASES, INTAKE, until

HIDDEN_DIRECTORY = "$0123456789ABCDEF0123456789ABCDEF01234567~relay0"


@dataclass
class ControlPeer:
    """tor's side of the connection; records what it is asked."""

    authenticate: str = "250 OK"
    asked: list[str] = field(default_factory=list)
    connections: int = 0
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        self.connections += 1
        while line := await reader.readline():
            words = line.decode().split()
            self.asked.append(words[0])
            self.send(self.answer(words))
        self.connections -= 1
        writer.close()

    def answer(self, words: list[str]) -> str:
        if words[0] == "PROTOCOLINFO":
            return '250-PROTOCOLINFO 1\n250-AUTH METHODS=NULL\n250-VERSION Tor="0.4.9.11"\n250 OK'
        if words[0] == "AUTHENTICATE":
            return self.authenticate
        if words[:2] == ["GETINFO", "version"]:
            return "250-version=0.4.9.11\n250 OK"
        return "250 OK"

    def send(self, text: str) -> None:
        self._writers[-1].write(text.replace("\n", "\r\n").encode() + b"\r\n")

    def event(self, action: str, address: str) -> None:
        label = address.removesuffix(".onion")
        self.send(f"650 HS_DESC {action} {label} UNKNOWN {HIDDEN_DIRECTORY} descriptor-id")


@contextlib.asynccontextmanager
async def listening(path: Path, peer: ControlPeer) -> AsyncIterator[None]:
    server = await asyncio.start_unix_server(peer.serve, path)
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()


async def test_uploads_are_told_on_the_loops_thread(tmp_path: Path) -> None:
    peer, control, heard = ControlPeer(), StemControl(), []

    def hear(upload: Upload) -> None:
        heard.append((upload, asyncio.get_running_loop()))

    async with listening(tmp_path / "c", peer):
        await control.open(tmp_path / "c", hear)
        for action in ("CREATED", "UPLOAD", "REQUESTED", "RECEIVED", "FAILED"):
            peer.event(action, CASES)
        peer.event("UPLOADED", INTAKE)
        await until(lambda: len(heard) == 3)
        await control.close()
        await until(lambda: peer.connections == 0)
    steps = [Upload(CASES, Step.BEGUN), Upload(CASES, Step.FAILED), Upload(INTAKE, Step.ARRIVED)]
    assert heard == [(step, asyncio.get_running_loop()) for step in steps]


async def test_tor_is_told_to_end_with_us(tmp_path: Path) -> None:
    peer, control = ControlPeer(), StemControl()
    async with listening(tmp_path / "c", peer):
        await control.open(tmp_path / "c", lambda _: None)
        await control.close()
        await control.close()
        await until(lambda: peer.connections == 0)
    assert "TAKEOWNERSHIP" in peer.asked


async def test_a_refusal_is_our_error(tmp_path: Path) -> None:
    peer, control = ControlPeer(authenticate="515 Bad authentication"), StemControl()
    async with listening(tmp_path / "c", peer):
        with pytest.raises(TorFailedError):
            await control.open(tmp_path / "c", lambda _: None)
        await control.close()
        await until(lambda: peer.connections == 0)


@pytest.mark.parametrize("exists", [True, False])
async def test_nobody_listening_is_our_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, exists: bool
) -> None:
    monkeypatch.setattr(control_module, "LISTEN_PAUSE", 0.001)
    if exists:
        (tmp_path / "c").touch()
    with pytest.raises(TorFailedError):
        await StemControl().open(tmp_path / "c", lambda _: None)


async def test_stem_does_not_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    peer, control, heard = ControlPeer(), StemControl(), []
    with caplog.at_level(logging.DEBUG):
        async with listening(tmp_path / "c", peer):
            await control.open(tmp_path / "c", heard.append)
            peer.event("UPLOADED", INTAKE)
            await until(lambda: bool(heard))
            await control.close()
    assert INTAKE[:20] not in caplog.text
    assert [record for record in caplog.records if record.name.startswith("stem")] == []
