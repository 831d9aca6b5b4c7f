# SPDX-License-Identifier: AGPL-3.0-or-later
"""The offline page in real Firefox, opened from disk: seals, hands over a file, reaches nothing."""

import asyncio
import io
import os
from pathlib import Path

import aiohttp
import pytest

from crypto.body import ReportBody
from crypto.frame import Origin
from crypto.private.open_report import open_attachment, open_message
from crypto.receipt import derive, parse_receipt
from tests.support.firefox import Firefox
from tests.support.firefox_page import Page
from tests.support.intake import Intake
from tests.support.office import Office
from tests.whistle.tool.keys_at_hand import split_bundle
from whistle.intake.dossier import open_dossier

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(180)]

STORY = "Kenari-5518: diminta “biaya administrasi”, Rp 150.000."


async def save_page(intake: Intake, folder: Path, lang: str) -> Path:
    """Save the page as a reporter does; its key list is valid on the day of any test run."""
    intake.org.rewrite(serial=2, not_after="2099-12-31")
    intake.calendar.seconds += 3600
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{intake.base}/{lang}/offline.html") as answer,
    ):
        assert answer.status == 200
        path = folder / "whistle-offline.html"
        path.write_bytes(await answer.read())
    return path


def saving_into(folder: Path) -> dict[str, bool | int | str]:
    return {
        "browser.download.folderList": 2,
        "browser.download.dir": str(folder),
        "browser.download.useDownloadDir": True,
        "browser.helperApps.neverAsk.saveToDisk": "application/octet-stream",
    }


async def shown(page: Page, css: str) -> str:
    for _ in range(300):
        text = await page.text(css)
        if text.strip():
            return text
        await asyncio.sleep(0.2)
    raise AssertionError(f"nothing in {css}: {await page.text()}")


async def downloaded(folder: Path) -> bytes:
    for _ in range(150):
        found = [path for path in folder.glob("*.whb") if path.stat().st_size]
        if found and not list(folder.glob("*.part")):
            return found[0].read_bytes()
        await asyncio.sleep(0.2)
    raise AssertionError("no file was saved")


@pytest.mark.parametrize("level", ["standard", "safer"])
async def test_seals_with_the_network_off(intake: Intake, tmp_path: Path, level: str) -> None:
    saved = tmp_path / "saved"
    saved.mkdir()
    photo, note = tmp_path / "foto loket.bin", tmp_path / "catatan.txt"
    photo.write_bytes(os.urandom(1_200_000))
    note.write_text("Rp 150.000\n")
    file = await save_page(intake, tmp_path, "id")
    async with Firefox(
        level="safer" if level == "safer" else "standard", prefs=saving_into(saved)
    ) as firefox:
        page = await firefox.new_page(width=360)
        await page.goto(file.as_uri())
        assert await page.overflow() <= 0
        assert (
            " ".join(intake.services.organisation.pages.site.fingerprint["id"]) in await page.text()
        )
        await page.fill("#f-story", STORY)
        await page.select("#f-unit", "inspektorat-1")
        await page.set_files("#f-file", [photo, note])
        await page.click("#seal", navigates=False)
        words = await shown(page, "#code-en")
        assert parse_receipt(words) == parse_receipt(await page.text("#code-id"))
        await page.click("#save", navigates=False)
        data = await downloaded(saved)
        assert await reached(page) == []
    head, container, blobs = split_bundle(data)
    own = derive(parse_receipt(words), intake.org.instance_id)
    head.verify(intake.org.instance_id, container)
    assert head.recipients == ("penyidik-2", "pengawas")
    assert open_dossier(own.state_key, own.lookup_id, head.dossier) == {"inspektorat-1"}
    seed = intake.org.identities["pengawas"].recipient_seed
    frame, _raw = open_message(seed, container, intake.org.instance_id, own.lookup_id)
    assert (frame.origin, frame.sender, frame.day) == (Origin.TOOL, own.sign_public, 0)
    body = ReportBody.parse(frame.body)
    assert body.fields == {"story": STORY, "unit": "inspektorat-1"}
    opened = [open_attachment(*pair) for pair in zip(body.attachments, blobs, strict=True)]
    assert opened == [photo.read_bytes(), note.read_bytes()]
    await arrives(intake, data)


async def reached(page: Page) -> list[str]:
    """What the page tried to load besides itself: nothing, and its policy forbids trying."""
    code = "performance.getEntriesByType('resource').map((entry) => entry.name).join(' ')"
    return str(await page.evaluate(code)).split()


async def arrives(intake: Intake, data: bytes) -> None:
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("bundle", io.BytesIO(data), filename="bundle.whb")
    async with (
        aiohttp.ClientSession() as session,
        session.post(intake.base + "/id/sealed", data=form) as answer,
    ):
        assert answer.status == 200, await answer.text()
    (case,) = await Office(intake).collect()
    assert case.body.fields["story"] == STORY


async def test_without_script_the_page_says_so(intake: Intake, tmp_path: Path) -> None:
    file = await save_page(intake, tmp_path, "en")
    async with Firefox(level="safest") as firefox:
        page = await firefox.new_page(width=1280)
        await page.goto(file.as_uri())
        text = await page.text()
        assert "needs JavaScript" in text
        assert "Seal and save" not in text
