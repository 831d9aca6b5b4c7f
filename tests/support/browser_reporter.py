# SPDX-License-Identifier: AGPL-3.0-or-later
"""A reporter in a real Firefox: fills in the form as a person does, and writes the words down."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.bidi import BidiError
from tests.support.firefox_page import Page

LANDING_TRIES = 40
LANDING_PAUSE = 1.5


class BrowserReporter:
    """One tab with cookies of its own."""

    def __init__(self, page: Page, base: str, lang: str = "id") -> None:
        self.page = page
        self._base = base.rstrip("/")
        self._lang = lang

    async def wait_for_landing(self) -> str:
        """Opens the first page; an onion that was published this moment needs some tries."""
        for attempt in range(LANDING_TRIES):
            try:
                await self.page.goto(f"{self._base}/", timeout=30)
                return await self.page.text()
            except BidiError:
                if attempt == LANDING_TRIES - 1:
                    raise
                await asyncio.sleep(LANDING_PAUSE)
        raise BidiError("unreachable")

    async def send(self, fields: Mapping[str, str], files: Sequence[Path] = ()) -> list[str]:
        """Fills in the form, sends it, returns the words of the receipt."""
        await self.page.goto(f"{self._base}/{self._lang}/report")
        await self._open_parts()
        for name, value in fields.items():
            if await self.page.count(f"select[name={name}]"):
                await self.page.select(f"select[name={name}]", value)
            else:
                await self.page.fill(f"[name={name}]", value)
        for number, path in enumerate(files, start=1):
            field = "#f-file" if number == 1 else f"#f-file-{number}"
            await self.page.set_files(field, [path])
        await self.page.click(f'form[action="/{self._lang}/report"] button')
        words = await self.page.text("ol.words")
        return words.split()

    async def look(self, words: Sequence[str]) -> str:
        """Types the code; returns the visible text of the status page."""
        await self.page.goto(f"{self._base}/{self._lang}/status")
        await self.page.fill("[name=code]", " ".join(words))
        await self.page.click(f'form[action="/{self._lang}/status"] button')
        return await self.page.text()

    async def write(self, text: str, files: Sequence[Path] = ()) -> str:
        """Sends a later message from the status page that is open."""
        action = f'form[action="/{self._lang}/status/message"]'
        await self.page.fill(f"{action} textarea", text)
        if files:
            await self.page.click(f"{action} summary", navigates=False)
            await self.page.set_files(f"{action} #f-file", list(files)[:1])
        await self.page.click(f"{action} button")
        return await self.page.text()

    async def contest(self, text: str) -> str:
        """Objects to a closing from the status page that is open."""
        action = f'form[action="/{self._lang}/status/contest"]'
        await self.page.fill(f"{action} textarea", text)
        await self.page.click(f"{action} button")
        return await self.page.text()

    async def _open_parts(self) -> None:
        """Unfolds the optional parts, as a reader would with a click on each heading."""
        for number in range(await self.page.count("details.part")):
            await self.page.click(
                f"details.part:nth-of-type({number + 1}) > summary", navigates=False
            )
