# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reports: what is sealed, for whom, once, and what a failed one leaves behind."""

import asyncio
import contextlib
import errno
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from crypto.body import ReportBody
from crypto.encoding import unb64
from crypto.frame import FrameType, Origin, recipients_digest
from crypto.private.open_report import open_attachment
from crypto.promise import commitment, verify_promise
from crypto.receipt import derive, parse_receipt
from crypto.signing import public_from_seed
from crypto.xwing import recipient_from_seed
from tests.support.http_reporter import Draft, HttpReporter, words_of
from tests.support.intake import (
    BOUNDARY,
    TODAY,
    Intake,
    built_intake,
    file_part,
    multipart,
    text_part,
)
from tests.support.office import Office
from whistle.i18n import Catalogue
from whistle.intake import blobs, sealing
from whistle.intake.forms import Answers
from whistle.intake.handlers.report import accused
from whistle.intake.store import Store
from whistle.limits import UPLOAD_DESCRIPTOR_RESERVE

INDONESIAN = Catalogue.load("id")
PHOTO = bytes(range(256)) * 300
KTP = {"story": "Diminta biaya administrasi.", "unit": "unknown", "asked": "50k_100k"}


async def test_a_report_reaches_its_readers(intake: Intake, reporter: HttpReporter) -> None:
    words = await reporter.send(await reporter.draft(KTP, [("foto.jpg", PHOTO)]))
    (case,) = await Office(intake).collect()
    keys = derive(parse_receipt(" ".join(words)), intake.org.instance_id)
    assert case.thread == keys.lookup_id
    assert case.frame.type is FrameType.REPORT
    assert case.frame.origin is Origin.ARRIVAL
    assert case.frame.sender == keys.sign_public
    assert case.body.fields == KTP
    assert case.body.lang == "id"
    assert case.body.reply_recipient() == keys.reply_recipient
    assert case.record["mailbox_key"] == keys.mailbox_key.hex()
    assert case.record["day"] == TODAY.isoformat()
    assert case.record["recipients"] == ["penyidik-1", "penyidik-2", "pengawas"]
    (reference,) = case.body.attachments
    (blob,) = case.record["blobs"]
    assert (reference.name, reference.type, reference.size) == (
        "foto.jpg", "application/octet-stream", len(PHOTO),
    )  # fmt: skip
    sealed = await intake.feed("GET", f"/feed/v1/blobs/{reference.id}")
    assert len(sealed.body) == blob["size"]
    assert open_attachment(reference, sealed.body) == PHOTO


async def test_names_and_types_travel_sealed(intake: Intake) -> None:
    files = [file_part("foto KTP é.jpg", b"1"), file_part("../../etc/passwd", b"2", "text/x; a=b")]
    await intake.post("/id/report", multipart(text_part("story", "x"), *files))
    (case,) = await Office(intake).collect()
    named = [(one.name, one.type) for one in case.body.attachments]
    assert named == [("foto KTP é.jpg", "image/jpeg"), ("passwd", "text/x")]


async def test_staff_of_accused_offices_cannot_read(intake: Intake, reporter: HttpReporter) -> None:
    fields = {"story": "x", "unit": "inspektorat-1", "exclude_unit": "inspektorat-2"}
    await reporter.send(await reporter.draft(fields))
    (case,) = await Office(intake).collect()
    assert case.record["recipients"] == ["pengawas"]
    seed = intake.org.identities["pengawas"].recipient_seed
    assert case.frame.recipients_digest == recipients_digest([recipient_from_seed(seed)])


async def test_the_promise_verifies(intake: Intake, reporter: HttpReporter) -> None:
    draft = await reporter.draft(KTP)
    body = multipart(text_part("token", draft.token), text_part("story", "x"))
    page = (await intake.post("/en/report", body)).text
    keys = derive(parse_receipt(" ".join(words_of(page))), intake.org.instance_id)
    public = public_from_seed(intake.org.service_seeds["intake"])
    (printed,) = set(re.findall(r'<p class="blob">([\w-]{187})</p>', page))
    promise = verify_promise(public, unb64(printed))
    assert promise.day == TODAY
    assert promise.commitment == commitment(keys)
    assert promise.instance_id == intake.org.instance_id


async def test_the_promise_is_a_picture_and_a_file(intake: Intake, reporter: HttpReporter) -> None:
    draft = await reporter.draft(KTP)
    body = multipart(text_part("token", draft.token), text_part("story", "x"))
    page = (await intake.post("/en/report", body)).text
    (printed,) = set(re.findall(r'<p class="blob">([\w-]{187})</p>', page))
    assert (await _fetch(reporter, f"/promise/{printed}.png"))[:4] == b"\x89PNG"
    assert await _fetch(reporter, f"/promise/{printed}.txt") == printed.encode() + b"\n"
    forged = ("B" if printed[60] == "A" else "A").join((printed[:60], printed[61:]))
    for ending in ("png", "txt"):
        assert await _fetch(reporter, f"/promise/{forged}.{ending}") is None


async def _fetch(reporter: HttpReporter, path: str) -> bytes | None:
    async with reporter._session.get(reporter._base + path) as answer:
        return await answer.read() if answer.status == 200 else None


async def test_a_second_press_is_the_same_report(intake: Intake, reporter: HttpReporter) -> None:
    draft = await reporter.draft(KTP, [("a.jpg", PHOTO)])
    first = await reporter.send(draft)
    assert await reporter.send(draft) == first
    assert len(await Office(intake).records()) == 1
    assert len(intake.blob_files()) == 1


async def test_presses_at_the_same_moment_are_one_report(
    intake: Intake, reporter: HttpReporter
) -> None:
    draft = await reporter.draft(KTP, [("a.jpg", PHOTO)])
    receipts = await asyncio.gather(*(reporter.send(draft) for _ in range(8)))
    assert len({tuple(words) for words in receipts}) == 1
    assert len(await Office(intake).records()) == 1
    assert len(intake.blob_files()) == 1


async def test_a_second_press_after_collection_and_restart(
    intake: Intake, reporter: HttpReporter
) -> None:
    draft = await reporter.draft(KTP)
    first = await reporter.send(draft)
    (record,) = await Office(intake).records()
    assert (await intake.feed("POST", "/feed/v1/ack", {"records": [record["id"]]})).status == 200
    intake.services.sealing._secrets.clear()  # as after a restart: the store still knows it
    intake.calendar.pass_days(1)
    assert await reporter.send(draft) == first
    assert await Office(intake).records() == []


async def test_edited_content_is_a_new_report(intake: Intake, reporter: HttpReporter) -> None:
    draft = await reporter.draft(KTP, [("a.jpg", PHOTO)])
    receipts = [
        await reporter.send(draft),
        await reporter.send(Draft(draft.token, {**KTP, "story": "Lain."}, draft.files)),
        await reporter.send(Draft(draft.token, KTP, [("a.jpg", PHOTO[1:])])),
        await reporter.send(Draft(draft.token, KTP, [("b.jpg", PHOTO)])),
        await reporter.send(Draft(draft.token, KTP)),
    ]
    assert len({tuple(words) for words in receipts}) == 5
    assert len(await Office(intake).records()) == 5


@pytest.mark.parametrize("token", ["", "nonsense", "A" * 43, "A" * 1000])
async def test_without_a_known_token_every_press_is_a_report(
    intake: Intake, reporter: HttpReporter, token: str
) -> None:
    draft = Draft(token, KTP)
    assert await reporter.send(draft) != await reporter.send(draft)


async def test_tokens_are_forgotten_after_two_days(intake: Intake, reporter: HttpReporter) -> None:
    draft = await reporter.draft(KTP)
    first = await reporter.send(draft)
    intake.calendar.pass_days(2)
    await intake.services.sealing.forget_old_secrets(intake.calendar.day)
    secrets = intake.services.store._reading.execute("SELECT count(*) FROM secrets").fetchone()
    assert secrets == (0,)
    assert await reporter.send(draft) != first


async def test_a_mistake_gives_the_form_back_with_its_text(
    intake: Intake, reporter: HttpReporter
) -> None:
    parts = (
        text_part("story", "  "),
        text_part("place", "RT 03 <script>alert(1)</script>"),
        text_part("danger", "Tetangga saya & keluarga"),
        file_part("a.jpg", PHOTO),
    )
    answer = await intake.post("/id/report", multipart(*parts))
    assert answer.status == 422
    assert "RT 03 &lt;script&gt;" in answer.text
    assert "<script>" not in answer.text
    assert "Tetangga saya &amp; keluarga" in answer.text
    assert 'name="token"' in answer.text
    assert intake.blob_files() == []
    assert await Office(intake).records() == []


@pytest.mark.parametrize(
    "files",
    [
        [file_part("big.jpg", bytes(300_001))],
        [file_part(f"{number}.jpg", b"x") for number in range(6)],
    ],
    ids=["too large", "too many"],
)
async def test_files_beyond_the_limits_give_the_form_back(
    intake: Intake, files: list[tuple[bytes, bytes]]
) -> None:
    answer = await intake.post("/id/report", multipart(text_part("story", "tetap ada"), *files))
    assert answer.status == 422
    assert "tetap ada" in answer.text
    assert intake.blob_files() == []


async def test_five_files_of_the_largest_size(intake: Intake, reporter: HttpReporter) -> None:
    files = [(f"{number}.bin", bytes([number]) * 300_000) for number in range(5)]
    await reporter.send(await reporter.draft(KTP, files))
    (case,) = await Office(intake).collect()
    assert [one.name for one in case.body.attachments] == [name for name, _ in files]
    assert len(intake.blob_files()) == 5


async def test_going_away_midway_leaves_nothing(intake: Intake) -> None:
    body = multipart(text_part("story", "x"), file_part("a", bytes(250_000)), file_part("b", PHOTO))
    head = (
        b"POST /id/report HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n"
        b"Content-Type: multipart/form-data; boundary=%s\r\n\r\n" % (len(body), BOUNDARY)
    )
    for cut in (10, 300, 100_000, 260_000, len(body) - 1):
        _reader, writer = await asyncio.open_connection("127.0.0.1", intake.port)
        writer.write(head + body[:cut])
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.transport.abort()
    for _ in range(50):
        if not intake.blob_files():
            break
        await asyncio.sleep(0.05)
    assert intake.blob_files() == []
    assert await Office(intake).records() == []


async def test_a_form_is_checked_and_sealed_with_one_set_of_files(intake: Intake) -> None:
    """The catalogue loses an accused office while the form arrives: its staff must not read it."""
    body = multipart(text_part("unit", "inspektorat-1"), text_part("story", "x"))
    head = (
        b"POST /id/report HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n"
        b"Content-Type: multipart/form-data; boundary=%s\r\n\r\n" % (len(body), BOUNDARY)
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", intake.port)
    writer.write(head + body[:-20])
    await asyncio.sleep(0.2)
    present = intake.services.organisation
    units = tuple(one for one in present.catalogue.units if one.id != "inspektorat-1")
    catalogue = replace(present.catalogue, units=units)
    intake.services.source._current = replace(present, catalogue=catalogue)
    writer.write(body[-20:])
    answer = await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    assert b" 422 " in answer
    assert await Office(intake).records() == []


def test_only_answers_that_name_no_office_accuse_nobody() -> None:
    for unit, wanted in (("other", set()), ("unknown", set()), ("gone-office", {"gone-office"})):
        assert accused(Answers({"unit": unit, "exclude_unit": ""}, {})) == wanted


async def test_a_full_disk_is_said_and_leaves_nothing(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(intake.services.blobs), "free_bytes", lambda _self: 1000)
    with_file = multipart(text_part("story", "kalimat saya"), file_part("a", PHOTO))
    answer = await intake.post("/id/report", with_file)
    assert answer.status == 422
    assert INDONESIAN.t("error.file.busy") in answer.text
    assert "kalimat saya" in answer.text
    assert intake.blob_files() == []
    assert (await intake.post("/id/report", multipart(text_part("story", "x")))).status == 200


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOSPC])
async def test_no_descriptor_for_a_file_costs_no_text(
    intake: Intake, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    real = os.open

    def exhausted(path: Path, *arguments: int) -> int:
        if str(path).endswith(".part"):
            raise OSError(number, "exhausted")
        return real(path, *arguments)

    monkeypatch.setattr(blobs.os, "open", exhausted)
    form = multipart(text_part("story", "kalimat saya"), file_part("a", PHOTO))
    answer = await intake.post("/id/report", form)
    assert answer.status == 422
    assert INDONESIAN.t("error.file.busy") in answer.text
    assert "kalimat saya" in answer.text


async def test_the_last_descriptors_are_not_for_files(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        blobs.resource, "getrlimit", lambda _kind: (UPLOAD_DESCRIPTOR_RESERVE, 20_000)
    )
    form = multipart(text_part("story", "kalimat saya"), file_part("a", PHOTO))
    answer = await intake.post("/id/report", form)
    assert answer.status == 422
    assert INDONESIAN.t("error.file.busy") in answer.text
    assert intake.blob_files() == []
    assert (await intake.post("/id/report", multipart(text_part("story", "x")))).status == 200


async def test_a_failing_commit_shows_no_receipt_and_leaves_nothing(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_args: object) -> bool:
        raise OSError("disk")

    monkeypatch.setattr(Store, "add_report", fail)
    answer = await intake.post(
        "/id/report", multipart(text_part("story", "x"), file_part("a", PHOTO))
    )
    assert answer.status == 500
    assert "words" not in answer.text
    assert intake.blob_files() == []


async def test_a_press_that_is_not_waited_for_is_still_whole(
    intake: Intake, reporter: HttpReporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handler cancelled between naming the blobs and the commit must not delete them."""
    reached, go_on = asyncio.Event(), asyncio.Event()
    real = Store.add_report

    async def slow(self: Store, *args: object) -> bool:
        reached.set()
        await go_on.wait()
        return await real(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Store, "add_report", slow)
    attachments = intake.services.attachments()
    upload = attachments.open()
    upload.add(PHOTO)
    await upload.finish("a", "image/jpeg")
    report = sealing.Report("id", "", {"story": "x"}, frozenset(), attachments)

    async def handle() -> None:
        try:
            await intake.services.sealing.submit(report, intake.services.organisation, TODAY)
        finally:
            await attachments.discard()

    task = asyncio.create_task(handle())
    await reached.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    go_on.set()
    await asyncio.sleep(0.2)
    (case,) = await Office(intake).collect()
    assert [one["id"] for one in case.record["blobs"]] == intake.blob_files()


async def test_left_over_files_go_at_start(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("restart")
    with built_intake(folder) as services:
        attachments = services.attachments()
        kept = attachments.open()
        kept.add(PHOTO)
        await kept.finish("a", "")
        report = sealing.Report("id", "", {"story": "x"}, frozenset(), attachments)
        await services.sealing.submit(report, services.organisation, TODAY)
        orphans = services.attachments()
        for _ in range(2):
            orphan = orphans.open()
            orphan.add(PHOTO)
            await orphan.finish("b", "")
        services.blobs.publish([orphans.blobs[0].id])  # named, but the commit never came
        assert len(list(services.blobs.folder.iterdir())) == 3
    with built_intake(folder) as services:
        assert {path.name for path in services.blobs.folder.iterdir()} == services.store.blob_ids()
        assert len(services.store.blob_ids()) == 1


async def test_an_expired_manifest_takes_no_reports(intake: Intake) -> None:
    intake.calendar.pass_days(800)
    assert (await intake.post("/id/report", multipart(text_part("story", "x")))).status == 503
    answer = await intake.raw(b"GET /id/report HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.status == 503


async def test_the_longest_story(intake: Intake, reporter: HttpReporter) -> None:
    story = "𝒜é\n" * 16_666
    await reporter.send(await reporter.draft({"story": story}))
    (case,) = await Office(intake).collect()
    assert ReportBody.parse(case.frame.body).fields["story"] == story.strip()
