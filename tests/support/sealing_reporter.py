# SPDX-License-Identifier: AGPL-3.0-or-later
"""A reporter in a real Firefox with scripts on: everything is sealed and opened in the page."""

import asyncio
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.firefox_page import Page

WAIT = 90.0
PAUSE = 0.1
NEWS_TRIES = 60
NEWS_PAUSE = 0.3
_SCENE = """(() => {
  const said = [...document.querySelectorAll('main [role=status], main [role=alert]')];
  const busy = document.querySelector('main').dataset.busy ?? 'no';
  const focus = document.activeElement?.outerHTML.slice(0, 80);
  const notices = said.filter(e => !e.hidden).map(e => e.innerText);
  return JSON.stringify({address: location.pathname, busy, focus, notices});
})()"""


class SealingReporter:
    """One tab."""

    def __init__(self, page: Page, base: str, lang: str = "id") -> None:
        self.page = page
        self.base = base.rstrip("/")
        self._lang = lang

    async def wait_for(self, css: str, timeout: float = WAIT) -> None:
        """Waits until something matches; says what the page shows if nothing does."""
        await self.wait_until(f"document.querySelector({css!r}) !== null", timeout)

    async def wait_until(self, expression: str, timeout: float = WAIT) -> None:
        """Waits until the page says true."""
        deadline = time.monotonic() + timeout
        while not await self.page.evaluate(expression):
            if time.monotonic() > deadline:
                raise AssertionError(f"{expression} did not come true. {await self._scene()}")
            await asyncio.sleep(PAUSE)

    async def _scene(self) -> str:
        """What a person would see, for the message of a test that waited in vain."""
        picture = Path(tempfile.mkdtemp(prefix="waited-in-vain-")) / "page.png"
        await self.page.screenshot(picture)
        state = await self.page.evaluate(_SCENE)
        console = "\n".join(self.page.log) or "nothing"
        shown = await self.page.text("main")
        return f"Picture: {picture}. {state}\nConsole: {console}\nShown: {shown}"

    async def open(self, path: str) -> None:
        """Opens a page and waits until the script has taken over, or has given up."""
        await self.page.goto(f"{self.base}/{self._lang}/{path}")
        ready = "document.querySelector('[data-mode=starting]').hidden"
        changed = "document.querySelector('[data-mode=arrival]').hidden"
        failed = "!document.querySelector('[data-mode=failed]').hidden"
        await self.wait_until(f"{ready} && ({changed} || {failed})")

    async def modes(self) -> list[str]:
        """Which sentences about sealing are shown."""
        shown = "[...document.querySelectorAll('p[data-mode]')].filter(e => !e.hidden)"
        return list(await self.page.evaluate(f"{shown}.map(e => e.dataset.mode)"))

    async def fill(self, fields: Mapping[str, str], files: Sequence[Path] = ()) -> None:
        """Fills in the form that is open."""
        await self.page.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
        for name, value in fields.items():
            if await self.page.count(f"select[name={name}]"):
                await self.page.select(f"select[name={name}]", value)
            else:
                await self.page.fill(f"[name={name}]", value)
        for number, path in enumerate(files, start=1):
            await self.page.set_files("#f-file" if number == 1 else f"#f-file-{number}", [path])

    async def press_send(self) -> None:
        """Presses the button of the form; by script, for a pointer misses while folds open."""
        await self.page.evaluate("document.querySelector('main form button:not([type])').click()")

    async def words(self) -> list[str]:
        """Waits for the receipt and returns its words."""
        await self.wait_for("ol.words")
        return (await self.page.text("ol.words")).split()

    async def all_files_arrived(self, timeout: float = WAIT) -> None:
        """Waits until every bar is full and nothing counts any more."""
        done = "[...document.querySelectorAll('progress')]"
        full = "e.value === 1 && !e.closest('li').textContent.includes('%')"
        await self.wait_until(f"{done}.length > 0 && {done}.every(e => {full})", timeout)

    async def send(self, fields: Mapping[str, str], files: Sequence[Path] = ()) -> list[str]:
        """A whole report; returns the words once everything has arrived."""
        await self.open("report")
        await self.fill(fields, files)
        await self.press_send()
        words = await self.words()
        if files:
            await self.all_files_arrived()
        return words

    async def look(self, words: Sequence[str]) -> str:
        """Types the code; returns the visible history."""
        await self.open("status")
        await self.page.fill("[name=code]", " ".join(words))
        await self.press_send()
        await self.wait_for(".timeline")
        return await self.page.text("main")

    async def refresh(self) -> str:
        """Looks for news without typing the code again."""
        before = "document.querySelector('.timeline').dataset.old = '1'"
        await self.page.evaluate(before)
        await self.page.click('[data-do="refresh"]', navigates=False)
        await self.wait_until("document.querySelector('.timeline')?.dataset.old === undefined")
        return await self.page.text("main")

    async def news(self, wanted: str) -> str:
        """Looks for news until something is there."""
        for _ in range(NEWS_TRIES):
            status = await self.refresh()
            if wanted in status:
                return status
            await asyncio.sleep(NEWS_PAUSE)
        raise AssertionError(f"{wanted!r} did not reach the reporter")

    async def write(self, text: str, files: Sequence[Path] = ()) -> str:
        """Writes a message from the history that is open."""
        await self.page.evaluate("document.querySelector('.timeline').dataset.old = '1'")
        await self.page.fill("#f-text", text)
        if files:
            await self.page.set_files("#f-file", files)
        await self.page.click('[data-form="message"] button', navigates=False)
        await self.wait_until("document.querySelector('.timeline')?.dataset.old === undefined")
        return await self.page.text("main")
