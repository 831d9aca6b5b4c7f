# SPDX-License-Identifier: AGPL-3.0-or-later
"""The main job with nothing faked: real programs, real Firefox without JavaScript, over Tor and
over loopback.

Report with two attachments → code → status → opened on the desk → visible reply → read with the
code.
"""

import asyncio
import hashlib
from pathlib import Path

import pytest

from tests.demo.story import FOLLOW_UPS, REPORT
from tests.support.browser_reporter import BrowserReporter
from tests.support.firefox import Firefox
from tests.support.service import Service
from tests.support.tornet import TorNetwork

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(300)]


def attachments(folder: Path) -> list[Path]:
    photo, note = folder / "foto loket.jpg", folder / "catatan ”harga”.txt"
    photo.write_bytes(b"\xff\xd8\xff\xe0" + bytes(range(256)) * 1500)
    note.write_text("Rp 150.000\n", encoding="utf-8")
    return [photo, note]


async def play(service: Service, firefox: Firefox, base: str, folder: Path) -> None:
    """One report, there and back."""
    reporter = BrowserReporter(await firefox.new_page(width=1000), base)
    landing = await reporter.wait_for_landing()
    assert "pungli" in landing.lower()
    files = attachments(folder)
    words = await reporter.send(REPORT, files)
    assert len(words) == 12
    status = await reporter.look(words)
    assert "Diterima" in status
    for secret in (" ".join(words), "-".join(words)):
        assert secret not in await reporter.page.url

    desk = service.desk("pengawas")
    (case,) = await asyncio.to_thread(desk.wait_for, 1)
    shown = await asyncio.to_thread(desk.run, "show", case["case"])
    assert REPORT["story"] in str(shown)
    target = folder / "evidence"
    await asyncio.to_thread(desk.run, "files", case["case"], "--to", target)
    saved = {hashlib.sha256(path.read_bytes()).digest() for path in target.iterdir()}
    assert {hashlib.sha256(path.read_bytes()).digest() for path in files} <= saved
    message = FOLLOW_UPS["assessing"]
    await asyncio.to_thread(
        desk.run, "act", case["case"], "--to", "assessing", "--message", message
    )

    again = BrowserReporter(await firefox.new_page(width=360), base)
    for _ in range(60):
        status = await again.look(words)
        if message in status:
            break
        await asyncio.sleep(0.5)
    assert message in status
    assert "Ditelaah" in status
    await again.write("Terima kasih. Saya masih punya papan tarifnya.", [files[0]])
    assert "papan tarifnya" in await again.look(words)
    for _ in range(60):
        shown = await asyncio.to_thread(desk.run, "show", case["case"])
        if "papan tarifnya" in str(shown):
            return
        await asyncio.sleep(0.3)
    raise AssertionError("the later message did not reach the desk")


@pytest.mark.tor
async def test_through_tor(
    tmp_path: Path, tor_network: TorNetwork, firefox_over_tor: Firefox
) -> None:
    torrc = tmp_path / "torrc-extra"
    torrc.write_text("\n".join(tor_network.torrc_lines) + "\n", encoding="utf-8")
    service = Service(tmp_path / "state", "--torrc-extra", torrc)
    await asyncio.to_thread(service.start)
    try:
        onion = service.ready["onion"]
        assert onion.endswith(".onion")
        await play(service, firefox_over_tor, f"http://{onion}", tmp_path)
    finally:
        await asyncio.to_thread(service.stop)


async def test_on_loopback_without_tor(tmp_path: Path, firefox: Firefox) -> None:
    service = Service(tmp_path / "state", "--no-tor")
    await asyncio.to_thread(service.start)
    try:
        assert service.ready["onion"] is None
        await play(service, firefox, service.ready["reporter"], tmp_path)
    finally:
        await asyncio.to_thread(service.stop)
