# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sealed in the browser, from the form to the reply, in real Firefox against running servers."""

import asyncio
import hashlib
import itertools
import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support import photos
from tests.support.browser_reporter import BrowserReporter
from tests.support.firefox import Firefox
from tests.support.recording_proxy import RecordingProxy
from tests.support.request_search import leaks, vocabulary
from tests.support.sealing_reporter import SealingReporter
from tests.support.service import DeskCommands, Service, files_below

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(240)]

STORY = "Kanari4711: diminta Rp 150.000 “biaya administrasi” di loket 2."
SPEC = Path(__file__).resolve().parents[2] / "docs" / "spec" / "client-api.md"
CANARIES = [
    *("Kanari4711", "Kanari4712", "Kanari4713", "“biaya administrasi”"),
    *("IMG_20260411_101500", "buku kas.bin", photos.SECRET.decode()),
]
FIELDS = {"story": STORY, "unit": "inspektorat-2", "place": "loket 2"}


async def material(folder: Path) -> list[Path]:
    """A photo with hidden data and a file of several pieces."""
    photo, scan = folder / "IMG_20260411_101500.jpg", folder / "buku kas.bin"
    photo.write_bytes(photos.jpeg(6))
    scan.write_bytes(bytes(range(256)) * 10_000)
    return [photo, scan]


async def shown_with(desk: DeskCommands, case: str, wanted: str) -> dict[str, Any]:
    """Waits until the desk sees something of a case."""
    for _ in range(60):
        shown = await asyncio.to_thread(desk.run, "show", case)
        if wanted in json.dumps(shown, ensure_ascii=False):
            return shown
        await asyncio.sleep(0.3)
    raise AssertionError(f"{wanted!r} did not reach the desk")


async def newest(desk: DeskCommands, before: list[dict[str, Any]]) -> dict[str, Any]:
    """The case that was not there before."""
    known = {case["case"] for case in before}
    for case in await asyncio.to_thread(desk.wait_for, len(before) + 1):
        if case["case"] not in known:
            return case
    raise AssertionError("no new case")


async def test_report_files_code_reply_message(
    scripted: Firefox, service: Service, tmp_path: Path
) -> None:
    async with RecordingProxy(service.ready["reporter"]) as proxy:
        reporter = SealingReporter(await scripted.new_page(width=360), proxy.base)
        words = await whole_flow(reporter, service, tmp_path)
    before = itertools.takewhile(lambda one: b"/api/v1/nonce" not in one, proxy.requests)
    ordinary = vocabulary([SPEC.read_bytes(), *before])
    assert leaks(proxy.requests, CANARIES, words, ordinary) == []


async def whole_flow(reporter: SealingReporter, service: Service, tmp_path: Path) -> list[str]:
    """Form, files, code, desk, reply, message; returns the words."""
    page = reporter.page
    await reporter.open("report")
    assert await reporter.modes() == ["browser"]
    files = await material(tmp_path)
    words = await reporter.send(FIELDS, files)
    assert len(words) == 12
    receipt = await page.text("main")
    assert "data tersembunyi dihapus" in receipt
    assert "Semua berkas sudah tiba." in receipt
    assert await page.overflow() <= 0

    desk = service.desk("pengawas")
    (case,) = await asyncio.to_thread(desk.wait_for, 1)
    shown = await shown_with(desk, case["case"], "buku kas.bin")
    assert STORY in json.dumps(shown, ensure_ascii=False)
    kept_out = service.desk("penyidik-2")  # of the unit the report names
    assert not await asyncio.to_thread(kept_out.cases)
    await _evidence_is_right(desk, case["case"], files, tmp_path / "evidence")

    status = await reporter.look(words)
    assert "Diterima" in status
    assert "Berkas: 1" in status
    message = "Kanari4712: kami baca laporan Anda."
    await asyncio.to_thread(
        desk.run, "act", case["case"], "--to", "assessing", "--message", message
    )
    status = await reporter.news(message)
    assert "Ditelaah" in status
    status = await reporter.write("Kanari4713: masih ada papan tarif.", [files[1]])
    assert "Kanari4713" in status
    await shown_with(desk, case["case"], "Kanari4713")
    assert await page.overflow() <= 0
    _nothing_readable(service, ["Kanari471", " ".join(words)])
    return words


async def _evidence_is_right(
    desk: DeskCommands, case: str, files: list[Path], target: Path
) -> None:
    await asyncio.to_thread(desk.run, "files", case, "--to", target)
    saved = {path.read_bytes(): path.name for path in target.rglob("*") if path.is_file()}
    assert files[1].read_bytes() in saved
    clean = photos.bare_jpeg(photos.orientation_exif(6))
    assert clean in saved
    assert "20260411" not in saved[clean]
    assert not any(photos.SECRET in content for content in saved)


def _nothing_readable(service: Service, canaries: list[str]) -> None:
    """Neither logs nor stores hold what was written."""
    for path in [service.output, *files_below(service.state)]:
        content = path.read_bytes()
        for canary in canaries:
            assert canary.encode() not in content, path


async def test_a_photo_that_cannot_be_cleaned_waits_for_its_owner(
    standard: Firefox, shared: Service, tmp_path: Path
) -> None:
    before = await asyncio.to_thread(shared.desk("pengawas").cases)
    reporter = SealingReporter(await standard.new_page(), shared.ready["reporter"])
    odd = tmp_path / "foto.jpg"
    odd.write_bytes(b"\xff\xd8" + bytes(1000))
    await reporter.open("report")
    await reporter.fill({"story": STORY}, [odd])
    await reporter.press_send()
    await reporter.words()
    await reporter.wait_for("li > button")
    assert "tidak bisa dihapus" in await reporter.page.text("main")
    await reporter.page.click("li > button", navigates=False)
    await reporter.all_files_arrived()
    desk = shared.desk("pengawas")
    case = await newest(desk, before)
    await shown_with(desk, case["case"], "foto.jpg")
    target = tmp_path / "evidence"
    await asyncio.to_thread(desk.run, "files", case["case"], "--to", target)
    sums = {hashlib.sha256(p.read_bytes()).digest() for p in target.rglob("*") if p.is_file()}
    assert hashlib.sha256(odd.read_bytes()).digest() in sums


async def test_server_away_while_sending_nothing_is_lost(
    standard: Firefox, service: Service
) -> None:
    """The server goes before the press: the text stays, the way without is named, again works."""
    port = service.ready["reporter"].rstrip("/").rpartition(":")[2]
    reporter = SealingReporter(await standard.new_page(), service.ready["reporter"])
    await reporter.open("report")
    await reporter.fill({"story": STORY})
    await asyncio.to_thread(service.stop)
    await reporter.press_send()
    await reporter.wait_for("[role=alert]", 90)
    assert await reporter.page.value("[name=story]") == STORY
    trouble = await reporter.page.text("[role=alert]")
    assert "Tidak ada yang hilang" in trouble
    assert "tanpa penyegelan" in trouble
    assert await reporter.modes() == ["browser"]  # the way without was not taken for the reader
    service.flags = [*service.flags, "--reporter-port", port]
    await asyncio.to_thread(service.start)
    await reporter.page.click('[data-do="again"]', navigates=False)
    assert len(await reporter.words()) == 12
    desk = service.desk("pengawas")
    assert len(await asyncio.to_thread(desk.wait_for, 1)) == 1


async def test_upload_survives_a_killed_server(
    standard: Firefox, service: Service, tmp_path: Path
) -> None:
    port = service.ready["reporter"].rstrip("/").rpartition(":")[2]
    big = tmp_path / "rekaman.bin"
    big.write_bytes(bytes(range(256)) * 4 * 24 * 1024)  # 24 MiB
    reporter = SealingReporter(await standard.new_page(), service.ready["reporter"])
    await reporter.open("report")
    await reporter.fill({"story": STORY}, [big])
    await reporter.press_send()
    await reporter.words()
    await reporter.wait_until("document.querySelector('progress').value > 0.05")
    await asyncio.to_thread(service.stop)
    service.flags = [*service.flags, "--reporter-port", port]
    await asyncio.to_thread(service.start)
    await reporter.all_files_arrived(120)
    desk = service.desk("pengawas")
    (case,) = await asyncio.to_thread(desk.wait_for, 1)
    await shown_with(desk, case["case"], "rekaman.bin")
    target = tmp_path / "evidence"
    await asyncio.to_thread(desk.run, "files", case["case"], "--to", target)
    assert any(p.read_bytes() == big.read_bytes() for p in target.rglob("*") if p.is_file())


async def test_without_sealing_only_after_a_tick(standard: Firefox, shared: Service) -> None:
    """The reader may choose the other way, and nothing else chooses it."""
    desk = shared.desk("pengawas")
    before = await asyncio.to_thread(desk.cases)
    async with RecordingProxy(shared.ready["reporter"], "/api/v1/reports", 422) as proxy:
        reporter = SealingReporter(await standard.new_page(), proxy.base)
        page = reporter.page
        await reporter.open("report")
        await reporter.fill({"story": STORY})
        await reporter.press_send()
        await reporter.wait_for("[role=alert]")
        without = "document.querySelector('[data-do=without]').click()"
        await page.evaluate(without)  # without the tick: nothing
        assert await reporter.modes() == ["browser"]
        assert await page.value("[name=story]") == STORY
        await page.evaluate("document.querySelector('#f-without').checked = true")
        await page.evaluate(without)
        assert len(await reporter.words()) == 12
    case = await newest(desk, before)
    shown = await asyncio.to_thread(desk.run, "show", case["case"])
    assert STORY in json.dumps(shown, ensure_ascii=False)


async def test_codes_that_do_not_open(standard: Firefox, shared: Service) -> None:
    reporter = SealingReporter(await standard.new_page(), shared.ready["reporter"])
    words = "sabana klien rias betet bejana ketimun roket sorot teguh perlahan sahut jemur"
    for typed, said in {
        "sabana klien": "Ada 2 kata",
        words.replace("klien", "qqxzv"): "Kata ke-2",
        words.replace("jemur", "jemput"): "tidak cocok",
        words: "tidak ada laporan",
        "season hockey runner beacon baggage hawk satisfy sudden travel polar segment foggy":
            "tidak ada laporan",
    }.items():  # fmt: skip
        await reporter.open("status")
        assert await reporter.modes() == ["browser"]
        await reporter.page.fill("[name=code]", typed)
        await reporter.press_send()
        await reporter.wait_for("[role=alert]")
        text = await reporter.page.text("[role=alert]")
        assert said in text, (typed, text)
        assert "tanpa penyegelan" not in text
        assert await reporter.page.value("[name=code]") == typed


async def test_a_code_from_the_browser_opens_without_script_with_a_warning(
    standard: Firefox, shared: Service
) -> None:
    base = shared.ready["reporter"]
    words = await SealingReporter(await standard.new_page(), base).send({"story": STORY})
    await standard.set_level("safest")
    plain = BrowserReporter(await standard.new_page(), base)
    status = await plain.look(words)
    assert "diketik di halaman tanpa JavaScript" in status
    arrival = await plain.send({"story": "Lain."})
    assert "diketik di halaman tanpa JavaScript" not in await plain.look(arrival)
    await standard.set_level("standard")
    sealed = SealingReporter(await standard.new_page(), base)
    assert "Diterima" in await sealed.look(arrival)  # and the other way round


@pytest.mark.parametrize("broken", ["/browser-worker-", "/client-", "/manifest.sig"])
async def test_what_cannot_start_says_so(standard: Firefox, shared: Service, broken: str) -> None:
    """The page names the other way before anything is typed, and the form works that way."""
    async with RecordingProxy(shared.ready["reporter"], broken, 404) as proxy:
        reporter = SealingReporter(await standard.new_page(), proxy.base)
        await reporter.open("report")
        assert await reporter.modes() == ["failed", "arrival"]
        await reporter.fill({"story": STORY})
        await reporter.press_send()
        assert len(await reporter.words()) == 12


async def test_speed(scripted: Firefox, shared: Service, tmp_path: Path) -> None:
    """Sealing and sending on this machine; the numbers are printed, only absurd ones fail."""
    size = 3 * 1024 * 1024
    file = tmp_path / "besar.bin"
    file.write_bytes(bytes(size))
    reporter = SealingReporter(await scripted.new_page(), shared.ready["reporter"])
    await reporter.open("report")
    await reporter.fill({"story": STORY}, [file])
    start = time.monotonic()
    await reporter.press_send()
    words = await reporter.words()
    receipt = time.monotonic() - start
    await reporter.all_files_arrived(100)
    sent = time.monotonic() - start - receipt
    start = time.monotonic()
    await reporter.look(words)
    status = time.monotonic() - start
    print(f"receipt {receipt:.2f} s, {size / sent / 1e6:.2f} MB/s, status {status:.2f} s")
    assert receipt < 30
