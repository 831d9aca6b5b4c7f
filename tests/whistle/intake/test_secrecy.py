# SPDX-License-Identifier: AGPL-3.0-or-later
"""Canaries: unique strings in every field, searched for wherever the server could have put them."""

import gc
import io
import logging
from pathlib import Path

import pytest

from crypto.receipt import parse_receipt
from tests.support.canaries import find, find_in_files
from tests.support.http_reporter import HttpReporter
from tests.support.intake import Intake, file_part, multipart, text_part
from tests.support.office import Office
from whistle import logs

CANARIES = [f"burungkenari{number:04d}terbang" for number in range(9)]


async def test_no_plaintext_stays_behind(
    intake: Intake, reporter: HttpReporter, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    stream = io.StringIO()
    logs.configure(intake.calendar.today, stream)
    try:
        words = await _play(intake, reporter)
    finally:
        logging.disable(logging.NOTSET)
    raw = parse_receipt(" ".join(words)).raw
    wanted = [*CANARIES, " ".join(words), raw.hex(), "-".join(words)]
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.parent.name != "org"]
    assert len(files) > 5
    assert find_in_files(wanted, files) == []
    assert not [path for path in files if raw in path.read_bytes()]
    captured = capfd.readouterr()
    printed = (stream.getvalue() + captured.out + captured.err).encode()
    assert find([*wanted, *(f"{word} {word}" for word in words)], printed) == []


async def _play(intake: Intake, reporter: HttpReporter) -> list[str]:
    fields = {"story": CANARIES[0], "place": CANARIES[1], "who": CANARIES[2], "danger": CANARIES[3]}
    draft = await reporter.draft(fields, [(f"{CANARIES[4]}.jpg", CANARIES[5].encode() * 2000)])
    words = await reporter.send(draft)
    await reporter.send(draft)
    page = await reporter.look(words)
    await reporter.write(page, CANARIES[6], [(f"{CANARIES[7]}.png", CANARIES[8].encode())])
    bad = [text_part("place", CANARIES[1]), file_part(CANARIES[4], CANARIES[5].encode() * 100)]
    assert (await intake.post("/id/report", multipart(*bad))).status == 422
    assert (await intake.post("/id/report", multipart(*bad)[:-5])).status == 400
    for target in (f"/id/{CANARIES[0]}", f"/id/status?code={CANARIES[1]}"):
        await intake.raw(f"GET {target} HTTP/1.1\r\nHost: {CANARIES[2]}\r\n\r\n".encode())
    await intake.raw(f"{CANARIES[0]}\r\n\r\n".encode())
    assert len(await Office(intake).records()) == 2
    return words


async def test_nothing_in_the_process_still_refers_to_a_report(
    intake: Intake, reporter: HttpReporter
) -> None:
    """What garbage collection can see: no live object holds the text once the answer is out."""
    text = "".join(("objek", "hidup", "0815"))
    body = multipart(text_part("story", text))
    assert (await intake.post("/id/report", body)).status == 200
    del body
    gc.collect()
    holders = [
        one
        for one in gc.get_objects()
        if isinstance(one, dict)
        and any(isinstance(value, str) and value == text for value in one.values())
    ]
    holders = [one for one in holders if one.get("text") is not text]
    assert holders == []
