# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sealed in the browser through the private Tor network, with a recorder before the intake.

Firefox with scripts, compiled and not: report with text and photos of 25 MB → code → status →
opened on the desk → reply → later message. The recorder stands in the place of the intake's
socket, so it reads what the server reads: nothing the reporter wrote, chose or was shown is in
any request, nor any reply in an answer. The same search finds leaks planted on the same way.
"""

import asyncio
import base64
import json
import re
import secrets
from pathlib import Path
from string import ascii_lowercase
from typing import Any, cast

import aiohttp
import pytest

from tests.support import photos
from tests.support.browser_reporter import BrowserReporter
from tests.support.firefox import Firefox
from tests.support.firefox_prefs import Level
from tests.support.recording_proxy import RecordingProxy, before_socket
from tests.support.request_search import leaks, vocabulary
from tests.support.sealing_reporter import SealingReporter
from tests.support.service import Service
from tests.support.tornet import TorNetwork

pytestmark = [
    pytest.mark.tor,
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(600),
]
PHOTO, PHOTOS = 5_000_000, 5  # bytes each, and how many the form takes
UPLOAD = 300.0  # seconds at most, on a machine whose cores are taken
SPEC = Path(__file__).resolve().parents[2] / "docs" / "spec" / "client-api.md"


def canary(name: str) -> str:
    """Letters only: a file name that holds a time is replaced on its way."""
    return f"KENARI{name}" + "".join(secrets.choice(ascii_lowercase) for _ in range(20))


class Material:
    """What one reporter has to tell, every piece of it to be found again."""

    def __init__(self, folder: Path) -> None:
        self.fields = {"story": canary("isi"), "place": canary("loket"), "who": canary("siapa")}
        self.message, self.reply = canary("susulan"), canary("balasan")
        self.names = [canary("foto") + ".jpg" for _ in range(PHOTOS)]
        self.inside = canary("gambar")
        self.scans = [
            photos.large_scan(PHOTO, number, self.inside.encode()) for number in range(PHOTOS)
        ]
        self.files = [folder / name for name in self.names]
        for path, scan in zip(self.files, self.scans, strict=True):
            path.write_bytes(photos.jpeg(6, scan=scan))

    @property
    def clean(self) -> set[bytes]:
        """The photos as they should reach the desk."""
        exif = photos.orientation_exif(6)
        return {photos.bare_jpeg(exif, scan) for scan in self.scans}

    @property
    def canaries(self) -> list[str]:
        texts = [*self.fields.values(), *self.names, self.message, self.reply, self.inside]
        return [*texts, photos.SECRET.decode()]


@pytest.fixture
def service(tmp_path: Path, tor_network: TorNetwork) -> Service:
    torrc = tmp_path / "torrc-extra"
    torrc.write_text("\n".join(tor_network.torrc_lines) + "\n", encoding="utf-8")
    return Service(tmp_path / "state", "--torrc-extra", torrc)


@pytest.mark.parametrize("level", ["standard", "safer"])
async def test_no_request_tells_anything(
    level: str, service: Service, tor_network: TorNetwork, tmp_path: Path
) -> None:
    await asyncio.to_thread(service.start)
    try:
        socket = onion_target(service)
        async with (
            before_socket(socket) as recorder,
            Firefox(level=cast(Level, level), socks_port=tor_network.client_socks_port) as firefox,
        ):
            material = Material(tmp_path)
            base = f"http://{service.ready['onion']}"
            await BrowserReporter(await firefox.new_page(), base).wait_for_landing()
            ordinary = vocabulary([SPEC.read_bytes()])
            reporter = SealingReporter(await firefox.new_page(width=360), base)
            await reporter.open("report")
            ordinary |= vocabulary(recorder.requests)  # before there is anything to tell
            words = await tell(reporter, material)
            await follow(reporter, service, material, words, tmp_path / "evidence")
            assert sum(map(len, recorder.requests)) > PHOTO * PHOTOS
            assert leaks(recorder.requests, material.canaries, words, ordinary) == []
            for answer in recorder.answers:
                assert material.reply.encode() not in answer
            await planted_leaks_are_found(recorder, socket, material, words, ordinary)
    finally:
        await asyncio.to_thread(service.stop)


def onion_target(service: Service) -> Path:
    """The socket at which tor finds the intake."""
    (torrc,) = service.state.rglob("torrc")
    line = re.search(r'^HiddenServicePort .*unix:\W*(/[^"\\]+)', torrc.read_text(), re.MULTILINE)
    assert line is not None
    return Path(line[1])


async def tell(reporter: SealingReporter, material: Material) -> list[str]:
    """Sends the report that is open; the words, once every photo has arrived."""
    assert await reporter.modes() == ["browser"]
    await reporter.fill(material.fields, material.files)
    await reporter.press_send()
    words = await reporter.words()
    assert len(words) == 12
    await reporter.all_files_arrived(UPLOAD)
    return words


async def follow(
    reporter: SealingReporter, service: Service, material: Material, words: list[str], target: Path
) -> None:
    """Desk, status, reply, message."""
    desk = service.desk("pengawas")
    (case,) = await asyncio.to_thread(desk.wait_for, 1)
    missing = wanted = {*material.fields.values(), *material.names}
    for _ in range(100):
        shown = json.dumps(await asyncio.to_thread(desk.run, "show", case["case"]))
        missing = {each for each in wanted if each not in shown}
        if not missing:
            break
        await asyncio.sleep(0.3)
    else:
        raise AssertionError(f"did not reach the desk: {missing}")
    await asyncio.to_thread(desk.run, "files", case["case"], "--to", target)
    assert material.clean <= {path.read_bytes() for path in target.rglob("*") if path.is_file()}
    assert "Diterima" in await reporter.look(words)
    reply = ("--to", "assessing", "--message", material.reply)
    await asyncio.to_thread(desk.run, "act", case["case"], *reply)
    assert "Ditelaah" in await reporter.news(material.reply)
    assert material.message in await reporter.write(material.message)


async def planted_leaks_are_found(
    recorder: RecordingProxy, socket: Path, material: Material, words: list[str], ordinary: set[str]
) -> None:
    """What a script that leaks would send, on the same way, and the same search."""
    hidden = base64.urlsafe_b64encode(b"ab" + material.fields["story"].encode()).decode()
    long = max(words, key=len)
    planted: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/id/status", {"data": {"code": " ".join(words)}}),
        ("GET", f"/api/v1/nonce?{hidden}", {}),
        ("GET", "/api/v1/nonce", {"headers": {"Whistle-Upload": material.names[0].encode().hex()}}),
        ("PUT", f"/api/v1/blobs/{'0' * 32}/0", {"data": bytes(1000) + photos.SECRET}),
        ("PUT", f"/api/v1/blobs/{'0' * 32}/0", {"data": bytes(9) + long.encode() + bytes(9)}),
    ]
    connector = aiohttp.UnixConnector(str(socket))
    async with aiohttp.ClientSession(connector=connector) as http:
        for method, path, options in planted:
            before = len(recorder.requests)
            async with http.request(method, f"http://onion{path}", **options) as answer:
                await answer.read()
            sent = recorder.requests[before:]
            vocabulary_here = ordinary - {long}
            assert leaks(sent, material.canaries, words, vocabulary_here), (method, path[:20])
