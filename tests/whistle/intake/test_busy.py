# SPDX-License-Identifier: AGPL-3.0-or-later
"""A busy server loses no word: the text comes back in a form that sends it again."""

import html
import re
from typing import Any

import pytest

from tests.support.http_reporter import HttpReporter
from tests.support.intake import Answer, Intake, multipart, text_part
from whistle import limits
from whistle.errors import RefusedError
from whistle.intake.admission import Admission, Work
from whistle.intake.sealing import Sealing

STORY = 'Petugas "meminta" <b>uang</b>.\n\nDua kali & lagi.'
RETRY = b"retry-after: %d\r\n" % limits.RETRY_AFTER


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Nobody gets a slot for anything but pages."""
    enter = Admission.enter

    async def refuse(self: Admission, work: Work, *rest: Any) -> object:
        if work is Work.PAGE:
            return await enter(self, work, *rest)
        raise RefusedError("busy")

    monkeypatch.setattr(Admission, "enter", refuse)
    return monkeypatch


def _report(token: str) -> bytes:
    return multipart(
        text_part("token", token), text_part("story", STORY), text_part("place", 'loket "3"'),
        text_part("danger", "a\r\nb"), text_part("unit", "unknown"),
    )  # fmt: skip


def _fields(answer: Answer) -> dict[str, str]:
    """What the form of the page would send."""
    inputs = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', answer.text)
    areas = re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>\n(.*?)</textarea>', answer.text, re.S)
    return {name: html.unescape(value) for name, value in (*inputs, *areas)}


async def _token(reporter: HttpReporter) -> str:
    return (await reporter.draft({})).token


@pytest.mark.parametrize("lang", ["id", "en"])
async def test_the_text_comes_back_and_can_be_sent_again(
    intake: Intake, reporter: HttpReporter, busy: pytest.MonkeyPatch, lang: str
) -> None:
    token = await _token(reporter)
    answer = await intake.post(f"/{lang}/report", _report(token))
    assert answer.status == 503
    assert RETRY in answer.head
    assert f'action="/{lang}/report"' in answer.text
    fields = _fields(answer)
    assert fields.pop("danger").replace("\r\n", "\n") == "a\nb"
    assert fields == {"token": token, "story": STORY, "place": 'loket "3"', "unit": "unknown"}
    assert len(intake.services.store.records(10, 10**6)) == 0

    busy.undo()
    again = multipart(*(text_part(name, value) for name, value in fields.items()))
    for _ in range(2):  # twice, one report
        assert (await intake.post(f"/{lang}/report", again)).status == 200
    assert len(intake.services.store.records(10, 10**6)) == 1


async def test_a_full_disk_gives_the_text_back_too(
    intake: Intake, reporter: HttpReporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise RefusedError("busy")

    token = await _token(reporter)
    monkeypatch.setattr(Sealing, "submit", full)
    answer = await intake.post("/id/report", _report(token))
    assert answer.status == 503
    assert _fields(answer)["story"] == STORY


async def test_a_site_without_a_manifest_in_force_gives_the_text_back(
    intake: Intake, reporter: HttpReporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await _token(reporter)
    organisation = type(intake.services.organisation)
    monkeypatch.setattr(organisation, "accepts_reports", lambda *_: False)
    answer = await intake.post("/id/report", _report(token))
    assert answer.status == 503
    assert _fields(answer)["story"] == STORY


@pytest.mark.usefixtures("busy")
async def test_a_typed_code_comes_back(intake: Intake) -> None:
    kind = b"application/x-www-form-urlencoded"
    answer = await intake.post("/en/status", b"code=satu+dua+%3Cb%3E", kind)
    assert (answer.status, _fields(answer)) == (503, {"code": "satu dua <b>"})
    assert b"set-cookie" not in answer.head


@pytest.mark.usefixtures("busy")
async def test_clients_are_told_when_to_come_again(intake: Intake) -> None:
    answer = await intake.post("/api/v1/threads/read", b"{}", b"application/json")
    assert answer.status == 503
    assert RETRY in answer.head
    assert answer.body == b'{"error":"busy"}'


@pytest.mark.usefixtures("busy")
async def test_without_a_text_the_page_says_what_to_do(intake: Intake) -> None:
    answer = await intake.raw(b"GET /id/status/view HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.status == 503
    assert RETRY in answer.head
    assert "<form" not in answer.text
