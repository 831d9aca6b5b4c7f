# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page that adds files one by one: listed when stored, lost alone when not."""

import pytest

from crypto.private.open_report import open_attachment
from tests.support.http_reporter import HttpReporter, visible
from tests.support.intake import Calendar, Intake, file_part, multipart, text_part
from tests.support.office import Office
from tests.whistle.intake.conftest import MAX_FILE
from whistle import limits
from whistle.i18n import Catalogue
from whistle.limits import SESSION_IDLE


@pytest.fixture
async def cookie(intake: Intake, reporter: HttpReporter) -> bytes:
    """The session of a reporter who has typed the code."""
    words = await reporter.send(await reporter.draft({"story": "x"}))
    await reporter.look(words)
    (value,) = (one.value for one in reporter._session.cookie_jar if one.key == "session")
    return f"Cookie: session={value}\r\n".encode()


async def post(intake: Intake, cookie: bytes, *parts: tuple[bytes, bytes]) -> tuple[int, bytes]:
    answer = await intake.post("/id/status/files", multipart(*parts), headers=cookie)
    return answer.status, answer.head if answer.status == 303 else answer.body


async def page(intake: Intake, cookie: bytes) -> str:
    answer = await intake.raw(b"GET /id/status/files HTTP/1.1\r\nHost: x\r\n" + cookie + b"\r\n")
    assert answer.status == 200
    return visible(answer.text)


async def test_files_arrive_one_by_one(intake: Intake, cookie: bytes) -> None:
    assert "Belum ada berkas" in await page(intake, cookie)
    for name in ("satu.jpg", "dua.jpg"):
        status, head = await post(intake, cookie, file_part(name, name.encode() * 9))
        assert status == 303
        assert b"location: /id/status/files?done=added" in head
    listed = await page(intake, cookie)
    assert listed.index("satu.jpg") < listed.index("dua.jpg")
    follow_ups = await Office(intake).follow_ups()
    assert [body.text for _, _, body in follow_ups] == ["", ""]
    (reference,) = follow_ups[1][2].attachments
    blob = await intake.feed("GET", f"/feed/v1/blobs/{reference.id}")
    assert open_attachment(reference, blob.body) == b"dua.jpg" * 9


async def test_pressing_twice_adds_once(intake: Intake, cookie: bytes) -> None:
    token = "AABPug" + "A" * 37
    for _ in range(2):
        await post(intake, cookie, text_part("token", token), file_part("a.jpg", b"x"))
    assert len(await Office(intake).follow_ups()) == 1


@pytest.mark.parametrize(
    "parts",
    [
        (),
        (file_part("a.jpg", b""),),
        (file_part("a.jpg", bytes(MAX_FILE + 1)),),
        (file_part("a.jpg", b"x"), file_part("b.jpg", b"x")),
    ],
)
async def test_mistakes_store_nothing(
    intake: Intake, cookie: bytes, parts: tuple[tuple[bytes, bytes], ...]
) -> None:
    status, body = await post(intake, cookie, text_part("token", ""), *parts)
    assert status == 422
    assert b'id="e-file"' in body
    assert intake.blob_files() == []
    assert await Office(intake).follow_ups() == []


async def test_without_a_session_nothing_is_stored(intake: Intake) -> None:
    status, _ = await post(intake, b"", file_part("a.jpg", b"x"))
    assert status == 200
    assert intake.blob_files() == []
    answer = await intake.raw(b"GET /id/status/files HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"satu per satu" not in answer.body


async def test_a_session_does_not_end_during_the_upload(
    intake: Intake, cookie: bytes, calendar: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealing = type(intake.services.sealing)
    add = sealing.add

    async def slowly(*args: object) -> None:
        calendar.seconds += 2 * SESSION_IDLE
        await add(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(sealing, "add", slowly)
    status, head = await post(intake, cookie, file_part("a.jpg", b"x"))
    assert status == 303
    assert b"set-cookie" not in head.lower()
    assert "a.jpg" in await page(intake, cookie)
    calendar.seconds += 2 * SESSION_IDLE
    assert "a.jpg" not in await page(intake, cookie)


async def test_a_full_thread_takes_no_more_files(
    intake: Intake, cookie: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_OWN_MESSAGES", 1)
    assert (await post(intake, cookie, file_part("a.jpg", b"x")))[0] == 303
    kept = intake.blob_files()
    status, body = await post(intake, cookie, file_part("b.jpg", b"x"))
    assert status == 422
    assert Catalogue.load("id").t("error.thread.full") in body.decode()
    assert intake.blob_files() == kept
