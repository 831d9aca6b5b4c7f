# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a reporter does after reporting: add, object, withdraw, leave."""

import asyncio
import re
import threading
from typing import Any

import pytest

from case_mgmt.model import ActKind, State
from crypto.body import FollowUpBody
from crypto.frame import NO_PREVIOUS, FrameType, frame_hash
from crypto.private.open_report import open_attachment
from tests.support.http_reporter import Draft, HttpReporter, UnexpectedAnswerError, _form, _token
from tests.support.intake import BOUNDARY, Intake, file_part, multipart, text_part
from tests.support.office import Case, Office
from whistle import limits
from whistle.i18n import Catalogue
from whistle.intake.handlers import status
from whistle.limits import SESSION_IDLE

PHOTO = bytes(range(256)) * 300


async def _reported(reporter: HttpReporter, **fields: str) -> list[str]:
    return await reporter.send(await reporter.draft({"story": "x", **fields}))


async def _closed(intake: Intake) -> Case:
    office = Office(intake)
    (case,) = await office.collect()
    await office.act(case, ActKind.RECEIVED, State.RECEIVED)
    await office.act(case, ActKind.TRANSITION, State.ASSESSING, "Ditelaah.")
    await office.act(case, ActKind.TRANSITION, State.EXAMINING, "Diperiksa.")
    await office.act(
        case, ActKind.TRANSITION, State.UPHELD_FIXED, "Selesai.", second="device pengawas"
    )
    return case


async def test_a_thread_takes_only_so_many_messages(
    intake: Intake, reporter: HttpReporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_OWN_MESSAGES", 2)
    page = await reporter.look(await _reported(reporter))
    for text in ("satu", "dua"):
        page = await reporter.write(page, text)
    form = Draft(_token(page), {"text": "ketiga kali"}, [("a", b"isi")])
    again = await reporter._post("/id/status/message", _form(form), 422)
    assert Catalogue.load("id").t("error.thread.full") in again
    assert "ketiga kali" in again
    assert len(await Office(intake).follow_ups()) == 2
    assert intake.blob_files() == []
    monkeypatch.setattr(limits, "MAX_OWN_MESSAGES", 200)
    monkeypatch.setattr(limits, "MAX_OWN_BYTES", 1000)
    await reporter._post("/id/status/message", _form(form), 422)


async def test_a_look_at_many_messages_holds_nobody_up(
    intake: Intake, reporter: HttpReporter
) -> None:
    words = await _reported(reporter)
    page = await reporter.look(words)
    for number in range(3):
        page = await reporter.write(page, f"pesan {number}")
    threads = set()
    real = status.read_thread

    def spy(*arguments: Any) -> Any:
        threads.add(threading.current_thread().name)
        return real(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(status, "read_thread", spy)
        await reporter.look(words)
    assert threads == {"intake-reading_0"}


async def test_a_long_upload_prolongs_its_session(intake: Intake, reporter: HttpReporter) -> None:
    words = await _reported(reporter)
    urlencoded = b"application/x-www-form-urlencoded"
    answer = await intake.post("/id/status", b"code=" + "+".join(words).encode(), urlencoded)
    cookie = re.search(rb"(?i)set-cookie: (session=[^;]+)", answer.raw_head)
    assert cookie
    body = multipart(text_part("text", "halo"), file_part("a", bytes(5000)))
    head = (
        b"POST /id/status/message HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nCookie: %s\r\n"
        b"Content-Type: multipart/form-data; boundary=%s\r\n\r\n"
    ) % (len(body), cookie[1], BOUNDARY)
    reader, writer = await asyncio.open_connection("127.0.0.1", intake.port)
    writer.write(head + body[:-1000])
    await asyncio.sleep(0.3)
    intake.calendar.seconds += 3 * SESSION_IDLE
    writer.write(body[-1000:])
    assert b" 303 " in await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    intake.calendar.seconds += SESSION_IDLE - 1
    view = b"GET /id/status/view HTTP/1.1\r\nHost: x\r\nCookie: %s\r\n\r\n" % cookie[1]
    assert "halo" in (await intake.raw(view)).text


async def test_text_and_files_reach_the_same_people(intake: Intake, reporter: HttpReporter) -> None:
    words = await _reported(reporter, unit="inspektorat-1")
    page = await reporter.look(words)
    page = await reporter.write(page, "Ada lagi.\r\nBesok.", [("bukti.png", PHOTO)])
    assert "Ada lagi.\nBesok." in page
    office = Office(intake)
    ((record, frame, body),) = await office.follow_ups()
    assert record["recipients"] == ["penyidik-2", "pengawas"]
    assert record["mailbox_key"] is None
    assert record["intent"] == "message"
    assert (frame.type, body.intent, body.text) == (
        FrameType.FOLLOW_UP, "message", "Ada lagi.\nBesok.",
    )  # fmt: skip
    (case,) = await office.collect()
    assert frame.sender == case.frame.sender
    assert frame.thread_id == case.thread
    sealed = await intake.feed("GET", f"/feed/v1/blobs/{body.attachments[0].id}")
    assert open_attachment(body.attachments[0], sealed.body) == PHOTO


async def test_pressing_twice_adds_once(intake: Intake, reporter: HttpReporter) -> None:
    page = await reporter.look(await _reported(reporter))
    await reporter.write(page, "Sekali.", [("a", PHOTO)])
    await reporter.write(page, "Sekali.", [("a", PHOTO)])
    assert len(await Office(intake).follow_ups()) == 1
    assert len(intake.blob_files()) == 1
    await reporter.write(page, "Sekali lagi.")
    assert len(await Office(intake).follow_ups()) == 2


async def test_pressing_twice_at_the_same_moment_adds_once(
    intake: Intake, reporter: HttpReporter
) -> None:
    page = await reporter.look(await _reported(reporter))
    await asyncio.gather(*(reporter.write(page, "Sekali.", [("a", PHOTO)]) for _ in range(6)))
    assert len(await Office(intake).follow_ups()) == 1
    assert len(intake.blob_files()) == 1


async def test_a_message_names_the_answer_it_answers(
    intake: Intake, reporter: HttpReporter
) -> None:
    words = await _reported(reporter)
    await reporter.write(await reporter.look(words), "Pertama.")
    await _closed(intake)
    await reporter.write(await reporter.look(words), "Kedua.")
    office = Office(intake)
    by_text = {body.text: frame for _, frame, body in await office.follow_ups()}
    assert by_text["Pertama."].prev == NO_PREVIOUS
    assert by_text["Kedua."].prev != NO_PREVIOUS
    assert len(by_text["Kedua."].prev) == len(frame_hash(b""))


async def test_own_messages_stand_where_they_were_written(
    intake: Intake, reporter: HttpReporter
) -> None:
    words = await _reported(reporter)
    await reporter.write(await reporter.look(words), "Sebelum.")
    await _closed(intake)
    page = await reporter.write(await reporter.look(words), "Sesudah.")
    order = [page.index(text) for text in ("Sesudah.", "Selesai.", "Ditelaah.", "Sebelum.")]
    assert order == sorted(order)


async def test_an_empty_message_is_asked_for_again(intake: Intake, reporter: HttpReporter) -> None:
    page = await reporter.look(await _reported(reporter))
    with pytest.raises(UnexpectedAnswerError, match="422"):
        await reporter.write(page, "  ")
    await reporter.write(page, "", [("a", b"x")])
    assert len(await Office(intake).follow_ups()) == 1


async def test_a_message_that_is_too_long_comes_back(
    intake: Intake, reporter: HttpReporter
) -> None:
    page = await reporter.look(await _reported(reporter))
    with pytest.raises(UnexpectedAnswerError, match="422"):
        await reporter.write(page, "a" * 20_001, [("a", PHOTO)])
    assert intake.blob_files() == []
    assert await Office(intake).follow_ups() == []


async def test_without_a_session_the_text_comes_back_and_nothing_is_kept(
    intake: Intake, reporter: HttpReporter
) -> None:
    page = await reporter.look(await _reported(reporter))
    intake.calendar.seconds += SESSION_IDLE
    shown = await reporter.write(page, "Jangan hilang.", [("a", PHOTO)])
    assert "Jangan hilang." in shown
    assert await Office(intake).follow_ups() == []
    assert intake.blob_files() == []


async def test_objecting_to_a_closing(intake: Intake, reporter: HttpReporter) -> None:
    words = await _reported(reporter)
    await _closed(intake)
    page = await reporter.look(words)
    assert "/status/contest" in page
    form = {"token": _token(page), "text": "Belum selesai, masih diminta uang."}
    shown = await reporter._post("/id/status/contest", form, 200)
    await reporter._post("/id/status/contest", form, 200)
    assert "Belum selesai" in shown
    ((record, _frame, body),) = await Office(intake).follow_ups()
    assert record["intent"] == body.intent == "contest"


async def test_no_objection_without_text_or_when_it_is_not_time(
    intake: Intake, reporter: HttpReporter
) -> None:
    words = await _reported(reporter)
    page = await reporter.look(words)
    form = {"token": _token(page), "text": "Keberatan."}
    await reporter._post("/id/status/contest", form, 200)
    await _closed(intake)
    await reporter.look(words)
    await reporter._post("/id/status/contest", {**form, "text": " "}, 422)
    intake.calendar.pass_days(60)
    await reporter._post("/id/status/contest", form, 200)
    assert await Office(intake).follow_ups() == []


async def test_withdrawing_needs_the_box(intake: Intake, reporter: HttpReporter) -> None:
    page = await reporter.look(await _reported(reporter))
    form = {"token": _token(page)}
    await reporter._post("/id/status/withdraw", form, 422)
    assert await Office(intake).follow_ups() == []
    await reporter._post("/id/status/withdraw", {**form, "confirm": "yes"}, 200)
    await reporter._post("/id/status/withdraw", {**form, "confirm": "yes"}, 200)
    ((record, _frame, body),) = await Office(intake).follow_ups()
    assert record["intent"] == body.intent == "withdraw"


async def test_a_closed_case_is_not_withdrawn(intake: Intake, reporter: HttpReporter) -> None:
    words = await _reported(reporter)
    await _closed(intake)
    page = await reporter.look(words)
    form = {"token": _token(page), "confirm": "yes"}
    await reporter._post("/id/status/withdraw", form, 200)
    assert await Office(intake).follow_ups() == []


async def test_messages_still_go_out_when_people_have_changed(
    intake: Intake, reporter: HttpReporter
) -> None:
    words = await _reported(reporter, exclude_unit="inspektorat-1")
    org = intake.org
    people = [dict(one) for one in org.manifest["people"] if one["id"] != "penyidik-2"]
    org.rewrite(people=people, serial=2)
    intake.calendar.seconds += 10
    await reporter.write(await reporter.look(words), "Masih di sana?")
    ((record, _frame, _body),) = await Office(intake).follow_ups()
    assert record["recipients"] == ["pengawas"]


async def test_files_are_not_taken_by_the_small_forms(
    intake: Intake, reporter: HttpReporter
) -> None:
    body = multipart(text_part("text", "x"), file_part("a", PHOTO))
    for path in ("contest", "withdraw"):
        assert (await intake.post(f"/id/status/{path}", body)).status == 400


async def test_a_draft_survives_encoding(reporter: HttpReporter) -> None:
    page = await reporter.look(await _reported(reporter))
    text = "„Kutipan“ — 50.000 → Rp 0 \U0001f4b0"
    answer = await reporter._post(
        "/id/status/message", _form(Draft(_token(page), {"text": text})), 200
    )
    assert text in answer


async def test_follow_up_bodies_are_what_the_desk_reads(
    intake: Intake, reporter: HttpReporter
) -> None:
    await reporter.write(await reporter.look(await _reported(reporter)), "Halo.")
    ((_record, frame, _body),) = await Office(intake).follow_ups()
    assert FollowUpBody.parse(frame.body).text == "Halo."
