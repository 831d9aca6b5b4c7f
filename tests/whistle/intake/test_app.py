# SPDX-License-Identifier: AGPL-3.0-or-later
"""Routes, error pages, and what every answer has in common."""

import asyncio
import io
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.support.intake import Intake, built_intake, multipart, text_part
from whistle import logs
from whistle.assets import templates_dir
from whistle.http.headers import SCRIPT_POLICY, SECURITY_HEADERS
from whistle.i18n import TextError
from whistle.intake import app
from whistle.intake.organisation import PUBLIC_FILES
from whistle.intake.pages import Pages
from whistle.intake.sealing import Sealing

PAGES = ["/", "/id", "/en"] + [
    f"/{lang}/{name}"
    for lang in ("id", "en")
    for name in ("report", "status", "status/view", "safety", "statistics", "keys")
]


def _get(path: str, method: str = "GET") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_is_there_with_our_headers(intake: Intake, path: str) -> None:
    answer = await intake.raw(_get(path))
    assert answer.status == 200
    scripted = "/report" in path or "/status" in path
    policy = {"Content-Security-Policy": SCRIPT_POLICY} if scripted else {}
    for name, value in {**SECURITY_HEADERS, **policy}.items():
        assert f"{name}: {value}\r\n".lower().encode() in answer.head
    assert b"cache-control: no-store" in answer.head
    assert b"\r\nserver:" not in answer.head
    assert b"\r\ndate:" not in answer.head
    assert (b"<script" in answer.body) == scripted
    assert b'lang="en"' in answer.body if path.startswith("/en") else b'lang="id"' in answer.body


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/xx", 404), ("/id/nothing", 404), ("/en/report/", 404), ("/admin", 404),
        ("/style-0000.css", 404), ("/manifest.json/x", 404), ("/db.key", 404),
        ("/%2e%2e/db.key", 404), ("/id//report", 404), ("/id/status/message", 405),
    ],
)  # fmt: skip
async def test_what_is_not_there(intake: Intake, path: str, status: int) -> None:
    answer = await intake.raw(_get(path))
    assert answer.status == status
    assert b"text/html" in answer.head


async def test_error_pages_do_not_echo(intake: Intake) -> None:
    answer = await intake.raw(_get("/id/kanari4711?kanari4711=kanari4711"))
    assert answer.status == 404
    assert b"kanari" not in answer.head + answer.body


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
async def test_other_methods(intake: Intake, method: str) -> None:
    answer = await intake.raw(_get("/id/report", method))
    assert answer.status == 405
    assert b"allow: get,head,post" in answer.head.replace(b", ", b",")


async def test_head_has_no_body(intake: Intake) -> None:
    head = (await intake.raw(_get("/id", "HEAD") + _get("/id/safety"))).head
    assert head.startswith(b"http/1.1 200")


async def test_the_stylesheet_is_cached_for_ever_and_the_rest_is_not(intake: Intake) -> None:
    page = (await intake.raw(_get("/id"))).text
    path = re.search(r'href="(/style-[0-9a-f]+\.css)"', page)
    assert path is not None
    answer = await intake.raw(_get(path[1]))
    assert b"cache-control: public, max-age=31536000, immutable" in answer.head
    assert b"content-type: text/css" in answer.head


@pytest.mark.parametrize("name", PUBLIC_FILES)
async def test_public_files_are_served_as_signed(intake: Intake, name: str) -> None:
    answer = await intake.raw(_get(f"/{name}"))
    assert answer.body == (intake.org.dir / name).read_bytes()


async def test_robots_are_sent_away(intake: Intake) -> None:
    assert (await intake.raw(_get("/robots.txt"))).body == b"User-agent: *\nDisallow: /\n"


async def test_an_accident_says_nothing(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_self: Sealing, report: Any, *_args: Any) -> None:
        raise RuntimeError(f"kanari4711 {report.answers}")

    monkeypatch.setattr(Sealing, "submit", fail)
    stream = io.StringIO()
    logs.configure(intake.calendar.today, stream)
    try:
        body = multipart(text_part("story", "kanari4711"))
        answer = await intake.post("/en/report", body)
    finally:
        logging.disable(logging.NOTSET)
    assert answer.status == 500
    assert b'lang="en"' in answer.body
    assert b"kanari" not in answer.body
    assert b"RuntimeError" not in answer.body
    assert "kanari" not in stream.getvalue()
    assert '"error": "RuntimeError"' in stream.getvalue()
    assert '"day": "2026-04-07"' in stream.getvalue()


async def test_the_form_is_new_each_time(intake: Intake) -> None:
    first, second = [(await intake.raw(_get("/id/report"))).text for _ in range(2)]
    assert first != second
    assert len(first) == len(second)


def _compiled(pages: Pages) -> list[int]:
    return [len(speaks.render._templates) for speaks in pages._languages.values()]


async def test_templates_are_compiled_after_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "WARM_UP_AFTER", 0.0)
    with built_intake(tmp_path) as services:
        pages = services.organisation.pages
        assert _compiled(pages) == [0, 0]
        runner = web.AppRunner(app.create_public_app(services))
        await runner.setup()
        everything = [len(list(templates_dir().glob("*.html")))] * 2
        while _compiled(pages) != everything:
            await asyncio.sleep(0.01)
        assert list(pages.compile_all()) == []
        await runner.cleanup()


async def test_a_broken_template_is_said_and_harms_no_other_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_pages: Pages) -> Iterator[None]:
        yield
        raise TextError("no text")

    monkeypatch.setattr(app, "WARM_UP_AFTER", 0.0)
    monkeypatch.setattr(Pages, "compile_all", broken)
    stream = io.StringIO()
    with built_intake(tmp_path) as services:
        logs.configure(services.today, stream)
        try:
            runner = web.AppRunner(app.create_public_app(services))
            await runner.setup()
            await asyncio.sleep(0.05)
        finally:
            logging.disable(logging.NOTSET)
        assert "a template is broken" in stream.getvalue()
        assert services.organisation.pages.safety("id")
        await runner.cleanup()
