# SPDX-License-Identifier: AGPL-3.0-or-later
"""The desk in a real Firefox without JavaScript: enter, decide, and fit on narrow screens."""

from pathlib import Path

import pytest

from tests.support import evidence_files
from tests.support.firefox import Firefox, browser_available
from tests.whistle.desk.bureau import Reporter, running_bureau
from tests.whistle.desk.pages import running_desk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not browser_available(), reason="no Firefox"),
]


async def test_deciding_without_javascript(tmp_path: Path) -> None:
    async with running_bureau(tmp_path) as bureau, running_desk(bureau) as desk:
        case = Reporter(bureau).report({"story": "Empat kali. " * 40, "service": "ktp-pindah"})
        async with Firefox(level="safest") as firefox:
            page = await firefox.new_page(width=360)
            await page.goto(desk.desk.door.address)
            assert "token" not in await page.url
            assert await page.overflow() <= 0
            await page.click("tbody a")
            assert await page.overflow() <= 0
            await page.click(".decide a.button")
            assert await page.overflow() <= 0
            await page.fill("#f-text", "Laporan Anda sudah kami baca.")
            await page.click("form.stack button")
            assert "persis ini" in await page.text("main")
            await page.click(".buttons button")
            assert "Tercatat dan ditandatangani" in await page.text("main")
            assert await page.overflow() <= 0
        assert bureau.history(case)[-1].signed.act.target == "assessing"


@pytest.mark.skipif(not evidence_files.sandbox_available(), reason="no bubblewrap or mat2")
async def test_looking_at_a_photo_and_making_a_clean_copy(tmp_path: Path) -> None:
    name = f"Foto{'-kuitansi' * 9}.jpg"
    async with running_bureau(tmp_path) as bureau, running_desk(bureau) as desk:
        case = Reporter(bureau).report(files=[(name, evidence_files.jpeg())])
        async with Firefox(level="safest") as firefox:
            page = await firefox.new_page(width=360)
            await page.goto(desk.desk.door.address)
            await page.goto(f"{desk.desk.door.origin}/case/{case}")
            assert await page.overflow() <= 0
            await page.click(".files a")
            assert await page.evaluate("document.querySelector('img.look').naturalWidth") == 8
            assert await page.overflow() <= 0
            await page.click("#h-clean ~ form button")
            assert "Dihapus: tempat (GPS)" in await page.text("main")
            assert await page.overflow() <= 0
