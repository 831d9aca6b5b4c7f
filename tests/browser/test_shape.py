# SPDX-License-Identifier: AGPL-3.0-or-later
"""The shape of a visit: the same requests with the same lengths, whatever the code finds.

A proxy between a real browser and a running intake writes down what passes. Known and unknown code,
news and no news must look alike there, with scripts and without.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from crypto.receipt import generate
from crypto.rng import system_rng
from tests.support.browser_reporter import BrowserReporter
from tests.support.firefox import Firefox
from tests.support.recording_proxy import RecordingProxy
from tests.support.sealing_reporter import SealingReporter
from tests.support.service import Service

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(240)]

_BODY_FIELD = re.compile(rb"\n\n(.*)\Z", re.DOTALL)
Shape = list[tuple[str, int, int]]


@dataclass
class Threads:
    """Two reporters' words and the words of nobody."""

    news: list[str]
    quiet: list[str]
    nobody: list[str]

    def kinds(self) -> Sequence[tuple[str, list[str]]]:
        return [("news", self.news), ("no news", self.quiet), ("unknown", self.nobody)]


async def threads(browser: Firefox, service: Service) -> Threads:
    """The first of two reports is answered."""
    reporter = SealingReporter(await browser.new_page(), service.ready["reporter"])
    news = await reporter.send({"story": "Pertama."})
    desk = service.desk("pengawas")
    (case,) = await asyncio.to_thread(desk.wait_for, 1)
    handler = service.desk(case["assignee"])
    words = ("--to", "assessing", "--message", "Sudah dibaca. " * 30)
    await asyncio.to_thread(handler.run, "act", case["case"], *words)
    quiet = await reporter.send({"story": "Kedua."})
    for _ in range(60):
        if "Sudah dibaca." in await reporter.look(news):
            return Threads(news, quiet, list(generate(system_rng).words("id")))
        await asyncio.sleep(0.3)
    raise AssertionError("the answer did not arrive")


def shape(proxy: RecordingProxy) -> Shape:
    """Requests in order: first line, bytes of what was sent with it, bytes of the answer."""
    found = []
    for request, answer in zip(proxy.requests, proxy.answers, strict=True):
        line = request.partition(b"\n")[0].decode()
        body = _BODY_FIELD.search(request)
        found.append((line, len(body[1]) if body else 0, len(answer)))
    return sorted(found)


async def look(reporter: SealingReporter, words: list[str]) -> None:
    """Types a code with scripts on, and waits for whatever comes."""
    await reporter.open("status")
    await reporter.page.fill("[name=code]", " ".join(words))
    await reporter.press_send()
    await reporter.wait_until("document.querySelector('.timeline, [role=alert]:not([hidden])')")
    await asyncio.sleep(0.5)  # a request too many would come now


async def with_scripts(browser: Firefox, base: str, made: Threads) -> dict[str, Shape]:
    shapes = {}
    for name, words in made.kinds():
        async with RecordingProxy(base) as proxy:
            await look(SealingReporter(await browser.new_page(), proxy.base), words)
            shapes[name] = shape(proxy)
    return shapes


async def without_scripts(browser: Firefox, base: str, made: Threads) -> dict[str, Shape]:
    """Words differ in length: the request that carries them is compared without them."""
    shapes = {}
    for name, words in made.kinds():
        async with RecordingProxy(base) as proxy:
            await BrowserReporter(await browser.new_page(), proxy.base).look(words)
            shapes[name] = [
                (line, 0 if line.startswith("POST") else sent, got)
                for line, sent, got in shape(proxy)
            ]
    return shapes


async def test_a_visit_has_one_shape(standard: Firefox, service: Service) -> None:
    base = service.ready["reporter"]
    made = await threads(standard, service)
    scripted = await with_scripts(standard, base, made)
    assert any("/api/v1/threads/read" in line for line, _, _ in scripted["unknown"])
    assert scripted["news"] == scripted["no news"] == scripted["unknown"]
    await standard.set_level("safest")
    plain = await without_scripts(standard, base, made)
    assert any(line == "POST /id/status" for line, _, _ in plain["unknown"])
    assert plain["news"] == plain["no news"] == plain["unknown"]
