# SPDX-License-Identifier: AGPL-3.0-or-later
"""Hostile forms, fed whole and in pieces, to the reader alone and to the running server."""

import asyncio
import tempfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.http_reporter import HttpReporter
from tests.support.intake import BOUNDARY, Intake, file_part, multipart, text_part
from whistle import limits
from whistle.i18n import Catalogue, Language
from whistle.intake.bodies import Pace
from whistle.intake.memory import Budget, Held
from whistle.intake.multipart import FormCaps, RawForm, _MultipartReader

STORY = text_part("story", "Saya diminta membayar.")
CAPS = FormCaps(frozenset({"story", "text", "token"}), max_files=2, max_file_bytes=1000)


class MemoryUpload:
    """Keeps what it is given."""

    is_behind = False

    def __init__(self, sink: "MemorySink") -> None:
        self._sink = sink
        self._data = b""

    def add(self, data: bytes) -> None:
        self._data += data

    async def catch_up(self) -> None:
        raise NotImplementedError

    async def finish(self, name: str, media_type: str) -> None:
        self._sink.files.append((name, media_type, self._data))


class MemorySink:
    """Collects finished files."""

    def __init__(self) -> None:
        self.files: list[tuple[str, str, bytes]] = []

    def open(self) -> MemoryUpload:
        return MemoryUpload(self)


async def _read(body: bytes, cut: int) -> tuple[RawForm, MemorySink]:
    sink = MemorySink()
    reader = _MultipartReader(BOUNDARY.decode(), CAPS, sink, Held(Budget(limits.FORM_MEMORY)))
    for start in range(0, len(body), cut):
        await reader.feed(body[start : start + cut])
    return reader.result(), sink


@pytest.mark.parametrize("cut", [1, 2, 7, 64, 100_000])
async def test_the_same_form_in_any_pieces(cut: int) -> None:
    content = b"\r\n--geckoformboundary5a2\r\n\r--" + bytes(range(256))
    body = multipart(STORY, file_part("foto.jpg", content), text_part("text", "é\r\nü"))
    form, sink = await _read(body, cut)
    assert form.texts == {"story": "Saya diminta membayar.", "text": "é\r\nü"}
    assert sink.files == [("foto.jpg", "image/jpeg", content)]
    assert not form.file_errors


@given(st.binary(max_size=300), st.integers(1, 400))
def test_any_content_comes_through(content: bytes, cut: int) -> None:
    if b"--" + BOUNDARY in content:
        return
    body = multipart(file_part("x", content))
    form, sink = asyncio.run(_read(body, cut))
    assert sink.files == ([("x", "image/jpeg", content)] if content else [])
    assert form.file_errors == (set() if content else {"empty"})
    assert form.texts == {}


async def test_empty_file_inputs_are_ignored() -> None:
    form, sink = await _read(multipart(STORY, file_part("", b""), file_part("", b"")), 4096)
    assert not sink.files
    assert not form.file_errors


@pytest.mark.parametrize("cut", [1, 7, 4096])
async def test_an_empty_file_with_a_name_is_reported(cut: int) -> None:
    form, _ = await _read(multipart(STORY, file_part("leer", b""), file_part("a", b"x")), cut)
    assert form.file_errors == {"empty"}
    assert form.texts["story"]


@pytest.mark.parametrize("lang", ["id", "en"])
async def test_a_reporter_hears_of_an_empty_file(intake: Intake, lang: Language) -> None:
    body = multipart(text_part("story", "kalimat saya"), file_part("leer.jpg", b""))
    answer = await intake.post(f"/{lang}/report", body)
    assert answer.status == 422
    assert Catalogue.load(lang).t("error.file.empty") in answer.text
    assert "kalimat saya" in answer.text
    assert intake.services.store.records(10, 10**6) == []


async def test_too_many_and_too_large_files_are_reported_and_not_sealed() -> None:
    three = multipart(STORY, *(file_part(f"{n}", b"x") for n in range(3)))
    form, sink = await _read(three, 4096)
    assert form.file_errors == {"too_many"}
    assert len(sink.files) == 2
    form, sink = await _read(multipart(file_part("big", bytes(1001)), STORY), 100)
    assert form.file_errors == {"too_large"}
    assert not sink.files
    assert form.texts["story"]
    form, sink = await _read(multipart(file_part("fits", bytes(1000))), 100)
    assert not form.file_errors
    assert len(sink.files) == 1


KIND = b"multipart/form-data; boundary=" + BOUNDARY
HOSTILE: dict[str, tuple[bytes, bytes, int]] = {
    "empty body": (b"", KIND, 400),
    "no boundary": (multipart(STORY), b"multipart/form-data", 400),
    "empty boundary": (multipart(STORY), b'multipart/form-data; boundary=""', 400),
    "long boundary": (multipart(STORY), b"multipart/form-data; boundary=" + b"a" * 201, 400),
    "other boundary": (multipart(STORY), b"multipart/form-data; boundary=other", 400),
    "truncated": (multipart(STORY)[:-20], KIND, 400),
    "no final boundary": (multipart(STORY, end=b"\r\n"), KIND, 400),
    "json": (b'{"story":"x"}', b"application/json", 415),
    "no type": (b"story=x", b"text/plain", 415),
    "multipart of another kind": (multipart(STORY), b"multipart/mixed; boundary=" + BOUNDARY, 415),
    "duplicate field": (multipart(STORY, STORY), KIND, 400),
    "nul byte": (multipart((b'name="story"', b"a\x00b")), KIND, 400),
    "bad utf-8": (multipart((b'name="story"', b"\xff\xfe\xc0\x80")), KIND, 400),
    "utf-16": (multipart((b'name="story"', "halo".encode("utf-16"))), KIND, 400),
    "bad utf-8 in a header": (multipart((b'name="story\xff"', b"x")), KIND, 400),
    "no name": (multipart((b'filename="x"', b"x")), KIND, 400),
    "empty name": (multipart((b'name=""', b"x")), KIND, 400),
    "long name": (multipart((b'name="%s"' % (b"a" * 65), b"x")), KIND, 400),
    "text sent as a file": (multipart((b'name="story"; filename="s"', b"x")), KIND, 400),
    "file sent as text": (multipart((b'name="file"', b"x")), KIND, 400),
    "file in another field": (multipart(STORY, (b'name="foto"; filename="x"', b"x")), KIND, 400),
    "header without colon": (multipart((b'name="story"\r\nNonsense', b"x")), KIND, 400),
    "long header": (multipart((b'name="story"\r\nX: ' + b"a" * 5000, b"x")), KIND, 413),
    "many headers": (multipart((b'name="story"' + b"\r\nX: 1" * 20, b"x")), KIND, 413),
    "many parts": (
        multipart(STORY, *(text_part(f"f{n}", "x") for n in range(limits.MAX_PARTS))), KIND, 413,
    ),
    "much text": (multipart(text_part("story", "x" * (limits.MAX_TEXT_BYTES + 1))), KIND, 413),
    "much text in unknown fields": (
        multipart(*(text_part(f"f{n}", "x" * 60_000) for n in range(10))), KIND, 413,
    ),
    "part length lies": (multipart((b'name="story"\r\nContent-Length: 1', b"xyz")), KIND, 400),
    "nested multipart": (
        multipart((
            b'name="story"\r\nContent-Type: multipart/mixed; boundary=inner',
            b"--inner\r\nContent-Disposition: file\r\n\r\n\xff\x00\r\n--inner--",
        )), KIND, 400,
    ),
    "lf only": (multipart(STORY).replace(b"\r\n", b"\n"), KIND, 400),
    "urlencoded twice": (b"story=a&story=b", b"application/x-www-form-urlencoded", 400),
    "urlencoded nul": (b"story=a%00b", b"application/x-www-form-urlencoded", 400),
    "urlencoded bad utf-8": (b"story=%ff", b"application/x-www-form-urlencoded", 400),
    "urlencoded raw bytes": (b"story=\xff", b"application/x-www-form-urlencoded", 400),
}  # fmt: skip


@pytest.mark.parametrize(("body", "kind", "status"), HOSTILE.values(), ids=HOSTILE.keys())
async def test_hostile_forms_are_refused_and_leave_nothing(
    intake: Intake, body: bytes, kind: bytes, status: int
) -> None:
    answer = await intake.post("/id/report", body, kind)
    assert answer.status == status
    assert b"content-type: text/html" in answer.head
    assert b"server:" not in answer.head
    assert intake.blob_files() == []
    assert intake.services.store.records(10, 10**6) == []


async def test_a_body_larger_than_any_form_is_refused_before_it_is_sent(intake: Intake) -> None:
    head = (
        b"POST /id/report HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n"
        b"Content-Type: " + KIND + b"\r\n\r\n"
    )
    assert (await intake.raw(head)).status == 413


async def test_a_compressed_form_is_refused(intake: Intake) -> None:
    answer = await intake.post("/id/report", b"x", headers=b"Content-Encoding: gzip\r\n")
    assert answer.status == 415


async def test_a_chunked_form_is_counted_too(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_TEXT_BYTES", 1000)
    body = multipart(STORY, text_part("danger", "x" * 2000))
    head = b"POST /id/report HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Type: "
    data = head + KIND + b"\r\n\r\n%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
    assert (await intake.raw(data)).status == 413


async def test_a_body_that_stops_arriving_times_out(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BODY_IDLE_TIMEOUT", 0.2)
    body = multipart(STORY, file_part("f", bytes(5000)))
    head = b"POST /id/report HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nContent-Type: " % len(
        body
    )
    answer = await intake.raw(head + KIND + b"\r\n\r\n" + body[:-3000])
    assert answer.status == 408
    assert intake.blob_files() == []


async def test_a_form_without_files_has_less_time(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FORM_IDLE_TIMEOUT", 0.2)
    for kind in (KIND, b"application/x-www-form-urlencoded"):
        head = b"POST /id/status HTTP/1.1\r\nHost: x\r\nContent-Length: 90\r\nContent-Type: "
        assert (await intake.raw(head + kind + b"\r\n\r\ncode=")).status == 408


async def test_a_form_that_drips_runs_out_of_time(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FORM_TOTAL_TIMEOUT", 0.4)
    reader, writer = await asyncio.open_connection("127.0.0.1", intake.port)
    writer.write(
        b"POST /id/status HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    )
    for _ in range(6):
        writer.write(b"x")
        await asyncio.sleep(0.1)
    assert (await asyncio.wait_for(reader.readline(), 5)).startswith(b"HTTP/1.1 408")
    writer.close()


def test_an_upload_keeps_a_least_rate() -> None:
    pace = Pace.of_upload()
    idle, rate = limits.BODY_IDLE_TIMEOUT, limits.UPLOAD_MIN_RATE
    assert pace.deadline(0, 200, 1) == pytest.approx(idle, abs=1)
    assert pace.deadline(0, 200, 1000 * rate) == 200 + idle
    assert pace.deadline(0, 7000, 10**9) == limits.BODY_TOTAL_TIMEOUT


async def test_half_sent_forms_share_one_budget(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = intake.services.disk.memory
    monkeypatch.setattr(memory, "_most", 400_000)
    body = multipart(text_part("story", "x" * 30_000))
    head = b"POST /id/report HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nContent-Type: " % len(
        body
    )
    half = head + KIND + b"\r\n\r\n" + body[:-1000]
    writers = []
    for _ in range(13):
        _, writer = await asyncio.open_connection("127.0.0.1", intake.port)
        writer.write(half)
        writers.append(writer)
    for _ in range(100):
        if memory.used > 370_000:
            break
        await asyncio.sleep(0.01)
    assert (await intake.post("/id/report", body)).status == 503
    for writer in writers:
        writer.close()
    for _ in range(100):
        if memory.used == 0:
            break
        await asyncio.sleep(0.01)
    assert memory.used == 0
    assert (await intake.post("/id/report", body)).status == 200
    assert memory.used == 0


async def test_no_temporary_file_is_ever_made(
    intake: Intake, reporter: HttpReporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: Any, **_keywords: Any) -> None:
        raise RuntimeError("a temporary file")

    for name in ("SpooledTemporaryFile", "TemporaryFile", "NamedTemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, name, refuse)
    draft = await reporter.draft({"story": "x"}, [("besar.bin", bytes(250_000))])
    assert len(await reporter.send(draft)) == 12
    assert len(intake.blob_files()) == 1
