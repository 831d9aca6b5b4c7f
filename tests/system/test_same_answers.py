# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whoever counts the bytes on the wire learns nothing: known, unknown and malformed codes, and
news and no news, are answered in the same number of bytes, header for header, over real sockets.

What may differ is put in place of itself (cookie, token) only after the lengths were compared.
"""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest

from case_mgmt.model import ActKind, State
from crypto.receipt import generate
from crypto.rng import system_rng
from tests.support.http_reporter import HttpReporter
from tests.support.intake import Answer, Intake, running_intake
from tests.support.office import Office
from tests.support.sealed_client import SealedClient, Sealer, seal_file
from whistle.intake.reporter_keys import Action

FORM = b"application/x-www-form-urlencoded"
JSON = b"application/json"
LANGUAGES = ("id", "en")
_LOADED = re.compile(r"<(?:link|script|img)\b[^>]*?(?:href|src)=\"([^\"]+)\"")


@dataclass
class Visitors:
    """An intake, one thread that the office has answered, one that it has not."""

    intake: Intake
    news: list[str]
    quiet: list[str]
    follow_up: str = "Sudah kami periksa. " * 40

    async def typed(self, code: str, lang: str = "id") -> Answer:
        """What comes back for a typed code."""
        body = b"code=" + quote_plus(code).encode()
        return await self.intake.post(f"/{lang}/status", body, FORM)

    async def viewed(self, code: str, lang: str = "id") -> Answer:
        """What comes back when the session's page is loaded again."""
        cookie = cookie_of(await self.typed(code, lang))
        head = b"GET /%s/status/view HTTP/1.1\r\nHost: x\r\nCookie: session=%s\r\n\r\n"
        return await self.intake.raw(head % (lang.encode(), cookie))

    def codes(self) -> dict[str, str]:
        """Codes of every kind."""
        return {
            "news": " ".join(self.news),
            "no news": " ".join(self.quiet),
            "unknown": " ".join(generate(system_rng).words("id")),
            "unknown in English": " ".join(generate(system_rng).words("en")),
            "one word wrong": " ".join([*self.news[:-1], "zzzz"]),
            "two words changed round": " ".join([self.news[1], self.news[0], *self.news[2:]]),
            "eleven words": " ".join(self.news[:-1]),
            "thirteen words": " ".join([*self.news, self.news[0]]),
            "nothing": "",
            "markup": "<script>\"'&</script>" * 20,
            "no text": "\u202e \u200b \U0001f600 \ufdd0",
            "very long": "kata " * 10_000,
        }


def cookie_of(answer: Answer) -> bytes:
    lines = answer.raw_head.split(b"\r\n")
    line = next(one for one in lines if one.lower().startswith(b"set-cookie:"))
    return line.partition(b"session=")[2].partition(b";")[0]


def shape(answer: Answer) -> tuple[int, int, int, bytes]:
    """Status, length of the head, length of the body, and the head without its cookie."""
    head = answer.raw_head
    if b"set-cookie" in answer.head:
        head = head.replace(cookie_of(answer), b"")
    return answer.status, len(answer.raw_head), len(answer.body), head


@pytest.fixture
async def visitors(tmp_path: Path) -> AsyncIterator[Visitors]:
    async with running_intake(tmp_path) as intake, HttpReporter(intake.base) as reporter:
        news = await reporter.send(await reporter.draft({"story": "x" * 3000}))
        office = Office(intake)
        (case,) = await office.collect()
        quiet = await reporter.send(await reporter.draft({"story": "y"}))
        visitors = Visitors(intake, news, quiet)
        assert await office.act(case, ActKind.RECEIVED, State.RECEIVED) == 200
        for target in (State.ASSESSING, State.EXAMINING):
            text = visitors.follow_up
            assert await office.act(case, ActKind.TRANSITION, target, text) == 200
        yield visitors


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_typed_codes(visitors: Visitors, lang: str) -> None:
    answers = {name: await visitors.typed(code, lang) for name, code in visitors.codes().items()}
    assert len({shape(answer) for answer in answers.values()}) == 1
    entry = await visitors.intake.raw(b"GET /%s/status HTTP/1.1\r\nHost: x\r\n\r\n" % lang.encode())
    before = set(_LOADED.findall(entry.text))
    for answer in answers.values():  # nothing is fetched that the page before has not fetched
        assert set(_LOADED.findall(answer.text)) <= before
    assert "Sudah kami periksa." in answers["news"].text
    assert "Sudah kami periksa." not in answers["no news"].text
    assert 'action="/%s/status/message"' % lang in answers["no news"].text  # noqa: UP031


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_a_page_loaded_again(visitors: Visitors, lang: str) -> None:
    codes = visitors.codes()
    answers = {name: await visitors.viewed(codes[name], lang) for name in codes}
    assert len({shape(answer) for answer in answers.values()}) == 1
    assert "Sudah kami periksa." in answers["news"].text


@dataclass
class Clients:
    """Two threads that were sealed on the reporter's device, and clients with other keys."""

    intake: Intake
    client: SealedClient
    news: Sealer
    quiet: Sealer

    async def asked(self, sealer: Sealer, proof: dict[str, Any] | None = None) -> Answer:
        """What comes back for a request to read."""
        nonce = await self.client.nonce()
        value = sealer.signed(nonce, Action.READ) | (proof or {})
        return await self.intake.post("/api/v1/threads/read", json.dumps(value).encode(), JSON)

    async def appended(self, sealer: Sealer) -> Answer:
        """What comes back for a message that is not signed by the owner."""
        value = sealer.message("x") | sealer.signed(await self.client.nonce(), Action.READ)
        return await self.intake.post("/api/v1/threads/append", json.dumps(value).encode(), JSON)


@pytest.fixture
async def clients(tmp_path: Path) -> AsyncIterator[Clients]:
    async with running_intake(tmp_path) as intake, SealedClient(intake.base) as client:
        both = [Sealer(intake.org), Sealer(intake.org)]
        for sealer in both:
            status, _ = await client.report(sealer, sealer.report("cerita"))
            assert status == 200
        office = Office(intake)
        case = (await office.collect())[0]
        assert await office.act(case, ActKind.RECEIVED, State.RECEIVED) == 200
        assert await office.act(case, ActKind.TRANSITION, State.ASSESSING, "Dibaca. " * 50) == 200
        yield Clients(intake, client, *both)


async def test_reading_by_a_client(clients: Clients) -> None:
    stranger = Sealer(clients.intake.org)
    other = {"lookup_id": clients.news.keys.lookup_id.hex()}
    answers = {
        "news": await clients.asked(clients.news),
        "no news": await clients.asked(clients.quiet),
        "unknown": await clients.asked(stranger),
        "known, signed by a stranger": await clients.asked(stranger, other),
        "signature of zeros": await clients.asked(stranger, {"signature": "A" * 86}),
    }
    assert len({shape(answer) for answer in answers.values()}) == 1
    assert json.loads(answers["news"].body)["boxes"]
    assert not json.loads(answers["unknown"].body)["boxes"]
    strangers = [answer.body for name, answer in answers.items() if "news" not in name]
    assert len(set(strangers)) == 1


async def test_writing_by_a_client_who_may_not(clients: Clients) -> None:
    stranger = Sealer(clients.intake.org)
    answers = [await clients.appended(one) for one in (clients.news, clients.quiet, stranger)]
    assert {answer.status for answer in answers} == {403}
    assert len({(shape(answer), answer.body) for answer in answers}) == 1


async def test_an_upload_of_somebody_else_looks_like_none(clients: Clients) -> None:
    file, other = seal_file(b"x"), seal_file(b"y")
    await clients.client.upload(file)
    head = b"GET /api/v1/blobs/%s HTTP/1.1\r\nHost: x\r\nWhistle-Upload: %s\r\n\r\n"
    key = other.headers["Whistle-Upload"].encode()
    answers = [await clients.intake.raw(head % (one.id.encode(), key)) for one in (file, other)]
    assert len({(shape(answer), answer.body) for answer in answers}) == 1


async def test_pages_before_a_code_have_one_shape_a_visit(visitors: Visitors) -> None:
    """Two visits to the same page have the same length: tokens are of one size."""
    for path in ("/", "/id", "/en/report", "/id/status", "/en/sealed", "/id/safety", "/id/keys"):
        request = b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path.encode()
        answers = [await visitors.intake.raw(request) for _ in range(3)]
        assert len({shape(answer) for answer in answers}) == 1, path
