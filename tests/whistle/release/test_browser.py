# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pages in a real browser: accessible, no wider than the screen, readable without pictures."""

import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.firefox import Firefox
from tests.support.firefox_page import Page
from tests.whistle.release.conftest import Built
from whistle.i18n import LANGUAGES

AXE = Path(__file__).resolve().parents[2] / "axe/node_modules/axe-core/axe.min.js"
PAGES = ["index.html"] + [
    f"{lang}/{page}.html" for lang in LANGUAGES for page in ("index", "method")
]
OPEN_ALL = "document.querySelectorAll('details').forEach(each => { each.open = true; })"
RUN = """axe.run(document, {resultTypes: ['violations']}).then(result => JSON.stringify(
  result.violations.map(each => [each.id, each.nodes.map(node => node.html.slice(0, 120))])))"""
LOADED = "Array.from(document.images).map(each => each.complete && each.naturalWidth > 0)"

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
async def browser() -> AsyncIterator[Firefox]:
    async with Firefox(level="standard") as running:
        yield running


async def violations(page: Page) -> Any:
    await page.evaluate(AXE.read_text("utf-8") + ";0")
    return json.loads(await page.evaluate(RUN))


async def opened(browser: Firefox, built: Built, path: str, width: int) -> Page:
    page = await browser.new_page(width=width)
    await page.goto((built.folder / path).as_uri())
    await page.evaluate(f"{OPEN_ALL}; 0")
    return page


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_axe_finds_nothing(browser: Firefox, built: Built, dark: bool) -> None:
    await browser.set_dark(dark)
    for path in PAGES:
        for width in (360, 1280):
            page = await opened(browser, built, path, width)
            assert await violations(page) == [], (path, width)
            assert await page.overflow() <= 0, (path, width)
            await page.close()


async def test_axe_would_find_something(browser: Firefox) -> None:
    """The rules run: a picture without words is a violation."""
    page = await browser.new_page()
    await page.set_html("<!doctype html><html lang=en><title>x</title><main><h1>x</h1><img src=x>")
    assert "image-alt" in [name for name, _ in await violations(page)]


async def test_pictures_are_shown_and_fit_the_screen(browser: Firefox, built: Built) -> None:
    for width, suffix in ((360, "-narrow.svg"), (1280, "weekly.svg")):
        page = await opened(browser, built, "id/index.html", width)
        assert await page.evaluate(LOADED) == [True] * 5
        assert str(await page.evaluate("document.images[0].currentSrc")).endswith(suffix)
        await page.close()


async def test_it_reads_as_well_where_pictures_are_blocked(built: Built) -> None:
    """Tor Browser at Safest draws no SVG: the words and the tables stand in."""
    async with Firefox(level="safest") as browser:
        page = await browser.new_page(width=360)
        await page.goto((built.folder / "en/index.html").as_uri())
        text = await page.text()
        alt = await page.attribute("img", "alt")
        assert alt
        assert await page.count("details table") >= 5
        assert await page.overflow() <= 0
        assert "followed up within 30 days" in text


async def test_the_print_holds_the_tables_too(
    browser: Firefox, built: Built, tmp_path: Path
) -> None:
    page = await browser.new_page(width=1280)
    await page.goto((built.folder / "id/index.html").as_uri())
    paper = tmp_path / "page.pdf"
    paper.write_bytes(await page.pdf())
    if shutil.which("pdftotext") is None:
        pytest.skip("needs poppler-utils")
    made = subprocess.run(["pdftotext", paper, "-"], check=True, capture_output=True, timeout=60)
    text = " ".join(made.stdout.decode().split())
    assert 4 <= made.stdout.count(b"\f") <= 16
    closed_on_screen = built.inputs.figures["weekly"][0]["to"][:4]
    assert "Tiba" in text
    assert f"Jan {closed_on_screen}" in text
    assert "Langsung ke isi" not in text
