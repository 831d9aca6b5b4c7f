# SPDX-License-Identifier: AGPL-3.0-or-later
"""The status page: equal for known, unknown and malformed codes; the session behind it."""

import asyncio
import time
from typing import Any
from urllib.parse import quote_plus

import pytest

from case_mgmt.model import ActKind, State
from crypto.encoding import unb64
from crypto.mailbox import Notice, seal_notice
from crypto.receipt import generate, parse_receipt
from crypto.rng import system_rng
from tests.support.http_reporter import HttpReporter, visible
from tests.support.intake import Answer, Intake
from tests.support.office import Office
from whistle import limits
from whistle.intake.handlers import answers, status
from whistle.intake.status_page import STATUS_BYTES

FORM = b"application/x-www-form-urlencoded"


async def _look(intake: Intake, code: str, headers: bytes = b"") -> Answer:
    return await intake.post("/id/status", b"code=" + quote_plus(code).encode(), FORM, headers)


def _cookie(answer: Answer) -> bytes:
    lines = answer.raw_head.split(b"\r\n")
    line = next(one for one in lines if one.lower().startswith(b"set-cookie:"))
    return line.partition(b"session=")[2].partition(b";")[0]


async def _words(reporter: HttpReporter) -> str:
    return " ".join(await reporter.send(await reporter.draft({"story": "x"})))


CODES = {
    "malformed": "satu dua tiga",
    "empty": "",
    "garbage": "<script>alert('x')</script> \U0001f600",
    "long": "kata " * 90,
    "very long": "&" * 60_000,
}


async def test_known_unknown_and_malformed_look_alike(
    intake: Intake, reporter: HttpReporter
) -> None:
    words = await _words(reporter)
    unknown = " ".join(generate(system_rng).words("id"))
    answers = {"known": await _look(intake, words), "unknown": await _look(intake, unknown)}
    for name, code in CODES.items():
        answers[name] = await _look(intake, code)
    assert {answer.status for answer in answers.values()} == {200}
    assert {len(answer.body) for answer in answers.values()} == {STATUS_BYTES}
    assert len({len(answer.head) for answer in answers.values()}) == 1
    assert len({answer.raw_head.replace(_cookie(answer), b"") for answer in answers.values()}) == 1
    assert "<script>" not in answers["garbage"].text


async def test_every_way_of_typing_finds_the_report(intake: Intake, reporter: HttpReporter) -> None:
    words = await _words(reporter)
    raw = parse_receipt(words)
    for typed in (
        words.upper(),
        words.replace(" ", "\r\n"),
        " - ".join(f"{number}. {word}" for number, word in enumerate(words.split(), 1)),
        " ".join(word[:4] for word in words.split()),
        " ".join(raw.words("en")),
    ):
        assert 'action="/id/status/message"' in (await _look(intake, typed)).text


async def test_no_answer_leaves_before_the_floor(intake: Intake, reporter: HttpReporter) -> None:
    words = await _words(reporter)
    for code in (words, "x"):
        started = time.perf_counter()
        await _look(intake, code)
        assert time.perf_counter() - started >= limits.STATUS_FLOOR


@pytest.mark.parametrize(("work", "steps"), [(0.2, 1), (1.3, 2), (2.6, 3)])
async def test_slow_answers_leave_at_multiples_of_the_floor(
    intake: Intake, monkeypatch: pytest.MonkeyPatch, work: float, steps: int
) -> None:
    real = status._answer

    def slow(*arguments: Any) -> Any:
        answer = real(*arguments)
        end = time.perf_counter() + work * floor
        while time.perf_counter() < end:
            pass
        return answer

    floor = 0.05
    monkeypatch.setattr(answers, "STATUS_FLOOR", floor)
    monkeypatch.setattr(status, "_answer", slow)
    times = []
    for _ in range(4):
        started = time.perf_counter()
        await _look(intake, "x")
        times.append(time.perf_counter() - started)
    assert steps * floor <= min(times) < (steps + 0.9) * floor


async def test_the_code_is_nowhere_in_the_answer(intake: Intake, reporter: HttpReporter) -> None:
    words = await _words(reporter)
    answer = await _look(intake, words)
    raw = parse_receipt(words).raw
    for form in (words, raw.hex()):
        assert form.encode() not in answer.head + answer.body
    cookie = unb64(_cookie(answer).decode())
    assert len(cookie) == 32
    assert raw not in cookie


async def test_the_cookie_is_strict(intake: Intake, reporter: HttpReporter) -> None:
    words = await _words(reporter)
    head = (await _look(intake, words)).head
    line = next(one for one in head.split(b"\r\n") if one.startswith(b"set-cookie:"))
    attributes = {one.strip() for one in line.split(b";")[1:]}
    assert attributes == {b"httponly", b"samesite=strict", b"path=/"}


async def test_a_session_shows_the_page_again_and_ends(
    intake: Intake, reporter: HttpReporter
) -> None:
    words = await _words(reporter)
    await reporter.look(words.split())
    for _ in range(3):
        intake.calendar.seconds += limits.SESSION_IDLE - 1
        assert 'action="/id/status/message"' in await reporter.get("/id/status/view")
    intake.calendar.seconds += limits.SESSION_IDLE
    page = await reporter.get("/id/status/view")
    assert 'action="/id/status/message"' not in page
    assert len(page.encode()) == STATUS_BYTES


async def test_leaving_ends_the_session(intake: Intake, reporter: HttpReporter) -> None:
    await reporter.look((await _words(reporter)).split())
    answer = await intake.post("/id/status/leave", b"", FORM)
    assert answer.status == 303
    assert b"max-age=0" in answer.head
    await reporter._post("/id/status/leave", {"token": "x"}, 200)
    assert 'action="/id/status/message"' not in await reporter.get("/id/status/view")
    assert len(intake.services.sessions) == 0


async def test_before_any_act_the_clock_runs_from_arrival(
    intake: Intake, reporter: HttpReporter
) -> None:
    words = (await _words(reporter)).split()
    page = visible(await reporter.look(words))
    assert "10 April 2026" in page  # three working days after Tuesday 7 April
    intake.calendar.pass_days(20)
    late = visible(await reporter.look(words))
    assert "11 April 2026" in late


async def test_answers_of_the_office_appear(intake: Intake, reporter: HttpReporter) -> None:
    words = (await _words(reporter)).split()
    office = Office(intake)
    (case,) = await office.collect()
    assert await office.act(case, ActKind.RECEIVED, State.RECEIVED) == 200
    intake.calendar.pass_days(1)
    assert await office.act(case, ActKind.TRANSITION, State.ASSESSING, "Kami periksa <b>.") == 200
    page = await reporter.look(words)
    assert "Kami periksa &lt;b&gt;." in page
    assert len(page.encode()) == STATUS_BYTES
    intake.calendar.pass_days(1)
    await office.act(case, ActKind.UPDATE, State.ASSESSING, "Masih berjalan.")
    page = await reporter.look(words)
    assert page.index("Masih berjalan.") < page.index("Kami periksa")


async def test_what_does_not_open_is_shown_as_unreadable(
    intake: Intake, reporter: HttpReporter
) -> None:
    words = (await _words(reporter)).split()
    office = Office(intake)
    (case,) = await office.collect()
    await office.act(case, ActKind.RECEIVED, State.RECEIVED)
    await office.act(case, ActKind.TRANSITION, State.ASSESSING, "Asli.")
    other = office.reply(case, "Palsu.", "assessing")
    act = case.history.items[-1].act.to_object()
    key = bytes.fromhex(case.record["mailbox_key"])
    forged = [
        seal_notice(key, case.thread, 3, Notice({"act": act}, other), system_rng),
        seal_notice(key, case.thread, 4, Notice({"act": act}, None), system_rng),
        seal_notice(key, case.thread, 5, Notice({"act": {"v": 1}}, other), system_rng),
        seal_notice(bytes(32), case.thread, 6, Notice({"act": act}, other), system_rng),
        seal_notice(key, case.thread, 99, Notice({"act": act}, other), system_rng),
        b"",
    ]
    for seq, box in enumerate(forged, 3):
        assert await office.push(case, seq, box) == 200
    page = await reporter.look(words)
    assert "Palsu." not in page
    assert "Asli." in page
    history = intake.services.store.thread(case.thread)
    assert history is not None
    assert len(history.boxes) == 8


@pytest.mark.parametrize(
    "target", ["?page=2", "?page=0", "?page=x", "?done=message_sent", "?done=<x>"]
)
async def test_the_view_takes_only_known_questions(
    intake: Intake, reporter: HttpReporter, target: str
) -> None:
    await reporter.look((await _words(reporter)).split())
    page = await reporter.get(f"/id/status/view{target}")
    assert len(page.encode()) == STATUS_BYTES
    assert "<x>" not in page


async def test_many_sessions_at_once(intake: Intake, reporter: HttpReporter) -> None:
    words = await _words(reporter)
    answers = await asyncio.gather(*(_look(intake, words) for _ in range(20)))
    assert len({_cookie(answer) for answer in answers}) == 20
