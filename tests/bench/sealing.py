# SPDX-License-Identifier: AGPL-3.0-or-later
"""How fast the reporter's own browser seals: real Firefox, as at Standard (compiled) and as at
Safer (JIT off), in turns; the worker's own functions, without network and disk.
"""

import statistics
from pathlib import Path

from tests.bench.report import Report
from tests.support.browser_build import bundle
from tests.support.firefox import Firefox, browser_available
from tests.support.firefox_page import Page
from whistle.limits import MIB

COMPILED_MIB = 24
INTERPRETED_MIB = 2
_SEAL = """(async size => {
  const file = new File([new Uint8Array(size)], 'rekaman.bin');
  const start = performance.now();
  const sealed = await whistle.files.SealedFile.of({file, strip: false, name: 'x'});
  const count = Math.ceil(sealed.size / whistle.files.PIECE);
  for (let number = 0; number < count; number++) await sealed.piece(number);
  return Math.round(performance.now() - start);
})"""


async def measure_sealing(report_to: Report, folder: Path, *, rounds: int) -> None:
    """MB of file content a second, and what the compiler is worth."""
    report_to.title("sealing in the browser (Firefox, one file, without network)")
    if not browser_available():
        report_to.line("no Firefox is installed", "-", None, met=True)
        return
    script = bundle(folder, "vectors")
    async with Firefox(level="standard") as compiled, Firefox(level="safer") as interpreted:
        pages = [await _page(browser, script) for browser in (compiled, interpreted)]
        for page in pages:
            await _speed(page, 1)  # compiles what will be compiled
        turns = [
            (await _speed(pages[0], COMPILED_MIB), await _speed(pages[1], INTERPRETED_MIB))
            for _ in range(rounds)
        ]
    fast = statistics.median(on for on, _ in turns)
    slow = statistics.median(off for _, off in turns)
    ratio = statistics.median(off / on for on, off in turns)
    report_to.line("JIT on (Standard)", f"{fast:.1f} MB/s", None, met=True)
    report_to.line(
        "JIT off (Safer)", f"{slow:.2f} MB/s", None, met=True,
        beside=f"{ratio:.3f} of JIT on, median of {rounds} turns",
    )  # fmt: skip


async def _page(browser: Firefox, script: str) -> Page:
    page = await browser.new_page()
    await page.goto("about:blank")
    await page.evaluate(script + "; undefined")
    return page


async def _speed(page: Page, mebibytes: int) -> float:
    milliseconds = await page.evaluate(f"{_SEAL}({mebibytes * MIB})")
    return mebibytes * MIB / 1e3 / float(milliseconds)
