# SPDX-License-Identifier: AGPL-3.0-or-later
"""What goes wrong between page and server: nothing typed is lost, nothing is sent twice, and the
page says what is true.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.firefox import Firefox
from tests.support.recording_proxy import NEVER, RecordingProxy
from tests.support.sealing_reporter import SealingReporter
from tests.support.service import Service

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(240)]
APPEND = "POST /api/v1/threads/append"
SEND = '[data-form="message"] .button'


@pytest.fixture
async def proxy(shared: Service) -> AsyncIterator[RecordingProxy]:
    async with RecordingProxy(shared.ready["reporter"]) as running:
        yield running


@pytest.fixture
async def reporter(standard: Firefox, proxy: RecordingProxy) -> SealingReporter:
    """Somebody before an open history."""
    opened = SealingReporter(await standard.new_page(width=360), proxy.base)
    await opened.look(await opened.send({"story": "Diminta biaya di loket 2."}))
    return opened


async def test_preparing_can_be_tried_again(standard: Firefox, proxy: RecordingProxy) -> None:
    proxy.broken, proxy.status = re.compile("/manifest.sig"), 404
    reporter = SealingReporter(await standard.new_page(), proxy.base)
    await reporter.open("report")
    assert await reporter.modes() == ["failed", "arrival"]
    await reporter.page.fill("[name=story]", "Sudah ditulis.")
    proxy.broken = NEVER
    await reporter.page.click("[data-mode=failed] button", navigates=False)
    await reporter.wait_until("!document.querySelector('[data-mode=browser]').hidden")
    assert await reporter.modes() == ["browser"]
    assert await reporter.page.value("[name=story]") == "Sudah ditulis."
    await reporter.press_send()
    assert len(await reporter.words()) == 12
    assert proxy.asked("POST /id/") == []


async def test_drafts_survive_a_look_for_news(reporter: SealingReporter, tmp_path: Path) -> None:
    file = tmp_path / "catatan.txt"
    file.write_text("Rp 150.000")
    await reporter.page.fill("#f-text", "Belum selesai saya tulis")
    await reporter.page.set_files("#f-file", [file])
    status = await reporter.refresh()
    assert await reporter.page.value("#f-text") == "Belum selesai saya tulis"
    assert "catatan.txt" in status
    await reporter.page.click(SEND, navigates=False)
    await reporter.wait_until("document.querySelectorAll('.timeline .reporter').length === 2")
    assert await reporter.page.value("#f-text") == ""


async def test_nothing_to_send_is_said(reporter: SealingReporter, proxy: RecordingProxy) -> None:
    await reporter.page.click(SEND, navigates=False)
    await reporter.wait_for("[data-form=message] [role=status]")
    assert "Tulis pesan atau pilih berkas dulu" in await reporter.page.text("main")
    assert proxy.asked(APPEND) == []


async def test_a_message_is_not_sent_again_when_only_the_look_at_it_failed(
    reporter: SealingReporter, proxy: RecordingProxy
) -> None:
    proxy.broken, proxy.status = re.compile("/threads/read"), 422
    await reporter.page.fill("#f-text", "Satu kali saja.")
    await reporter.page.click(SEND, navigates=False)
    await reporter.wait_for("[role=alert]")
    assert "Pesan Anda sudah tiba" in await reporter.page.text("[role=alert]")
    proxy.broken = NEVER
    await reporter.page.click("[data-do=again]", navigates=False)
    await reporter.wait_until("document.querySelectorAll('.timeline .reporter').length === 1")
    assert len(proxy.asked(APPEND)) == 1


async def test_a_lost_answer_does_not_send_a_file_twice(
    reporter: SealingReporter, proxy: RecordingProxy, tmp_path: Path
) -> None:
    """The message is stored, nobody hears of it; what is tried again is the same message."""
    file = tmp_path / "buku kas.bin"
    file.write_bytes(bytes(100_000))
    proxy.lost, proxy.status = re.compile("/threads/append"), 503
    await reporter.page.set_files("#f-file", [file])
    await reporter.page.click(SEND, navigates=False)
    await reporter.wait_for("[role=alert]")
    assert "buku kas.bin" in await reporter.page.text("[data-slot=uploads]")
    tries = len(proxy.asked(APPEND))
    assert tries > 1
    proxy.lost = NEVER
    await reporter.page.click("[data-do=again]", navigates=False)
    await reporter.wait_until("document.querySelectorAll('.timeline .reporter').length === 1")
    assert len(proxy.asked(APPEND)) == tries + 1
    assert len(proxy.asked("PUT ")) == 1


async def test_files_go_once_when_one_is_released_on_the_way(
    standard: Firefox, proxy: RecordingProxy, tmp_path: Path
) -> None:
    """A photo that cannot be cleaned is let go while the others are being sent."""
    odd = tmp_path / "foto.jpg"
    odd.write_bytes(b"\xff\xd8" + bytes(1000))
    others = [tmp_path / "satu.bin", tmp_path / "dua.bin"]
    for path in others:
        path.write_bytes(bytes(9_000_000))
    reporter = SealingReporter(await standard.new_page(), proxy.base)
    await reporter.open("report")
    await reporter.fill({"story": "Tiga berkas."}, [odd, *others])
    await reporter.press_send()
    await reporter.words()
    await reporter.wait_for("li > button")
    await reporter.page.evaluate("document.querySelector('li > button').click()")
    await reporter.all_files_arrived()
    await reporter.wait_until("document.body.innerText.includes('Semua berkas sudah tiba')")
    ids = {line.split(b"/")[4] for line in proxy.asked("PUT /api/v1/blobs/")}
    assert len(ids) == 3
    assert await reporter.page.count("[data-slot=uploads] > button") == 0
