# SPDX-License-Identifier: AGPL-3.0-or-later
"""The desk in a real Firefox without JavaScript: enter, decide, and fit on narrow screens."""

from pathlib import Path

import pytest

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
