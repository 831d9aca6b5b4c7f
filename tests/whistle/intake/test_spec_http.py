# SPDX-License-Identifier: AGPL-3.0-or-later
"""docs/spec/http.md says what the code does: its tables are compared, its examples are sent."""

import json
import re
from pathlib import Path

import pytest

from tests.support.http_reporter import HttpReporter
from tests.support.intake import Answer, Intake
from tests.support.office import Office
from whistle import errors, limits
from whistle.http.headers import SECURITY_HEADERS
from whistle.intake import fields, routes

TEXT = (Path(__file__).parents[3] / "docs/spec/http.md").read_text("utf-8")
EXAMPLES = {
    (language, name): block
    for language, name, block in re.findall(r"```(\w+) example: ([^\n]+)\n(.*?)```", TEXT, re.S)
}
REQUESTS = [name for language, name in EXAMPLES if language == "http"]


def _section(number: int) -> str:
    return TEXT.split(f"\n## {number}. ", 1)[1].split("\n## ", 1)[0]


def _rows(text: str) -> list[list[str]]:
    rows = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip(" |`") for cell in row] for row in rows]


def test_headers() -> None:
    rows = {row[0]: row[1] for row in _rows(_section(1)) if row[0] in SECURITY_HEADERS}
    assert rows == dict(SECURITY_HEADERS)


def test_limits() -> None:
    rows = [row for row in _rows(_section(1)) if row[0].isupper()]
    assert len(rows) == 17
    for name, value, _unit in rows:
        assert float(value) == getattr(limits, name), name
    assert limits.MAX_FILES == fields.MAX_FILES
    assert f"{limits.STATUS_FLOOR * 1000:.0f} milliseconds" in _section(5)
    assert f"{limits.SESSION_IDLE / 60:.0f} minutes" in _section(5)
    feed = _section(7)
    assert f"1 to {limits.FEED_MAX_RECORDS}, {limits.FEED_DEFAULT_RECORDS} if absent" in feed


def test_limits_of_admission() -> None:
    rows = [row for row in _rows(_section(9)) if row[0].isupper()]
    assert len(rows) == 18
    for name, value, _unit in rows:
        assert float(value) == getattr(limits, name), name
    assert f"halves every {limits.SCORE_HALF_LIFE:.0f} seconds" in _section(9)


def _paths(table: tuple[tuple[str, str, routes.Handler], ...]) -> list[tuple[str, str]]:
    return [
        (method, re.sub(r"\{(\w+):(?:[^{}]|\{\d+\})+\}", r"{\1}", path))
        for method, path, _ in table
    ]


@pytest.mark.parametrize(("section", "table"), [(2, routes.PUBLIC), (7, routes.FEED)])
def test_routes(section: int, table: tuple[tuple[str, str, routes.Handler], ...]) -> None:
    rows = [(row[0], row[1]) for row in _rows(_section(section)) if row[0] in {"GET", "POST"}]
    assert rows == _paths(table)


def test_report_fields() -> None:
    rows = [row for row in _rows(_section(4)) if len(row) >= 3 and row[2].isdigit()]
    documented = [(row[0], row[1], int(row[2]), tuple(row[3].split())) for row in rows]
    assert documented == [
        (field.name, field.kind.value, field.max_chars, field.options)
        for field in fields.REPORT_FIELDS
    ]


def test_action_fields() -> None:
    rows = {row[0]: row for row in _rows(_section(6))}
    assert int(rows["message"][2]) == fields.MESSAGE_TEXT.max_chars
    assert int(rows["contest"][2]) == fields.CONTEST_TEXT.max_chars


def test_errors() -> None:
    rows = {row[0]: int(row[1]) for row in _rows(_section(8)) if row[1].isdigit()}
    assert rows == {key: answer.status for key, answer in errors.PUBLIC.items()}


@pytest.mark.parametrize("name", REQUESTS)
async def test_requests(intake: Intake, reporter: HttpReporter, name: str) -> None:
    draft = await reporter.draft({"story": "x"})
    words = await reporter.send(draft)
    await reporter.look(words)
    cookies = {one.key: one.value for one in reporter._session.cookie_jar}
    filled = (
        EXAMPLES["http", name]
        .replace("{host}", f"127.0.0.1:{intake.port}")
        .replace("{token}", draft.token)
        .replace("{code}", "+".join(words))
        .replace("{session}", cookies["session"])
    )
    wanted = int(name.rpartition("-> ")[2])
    answer = await _send(intake, filled)
    assert answer.status == wanted, answer.text
    if name.startswith("report ->"):
        assert '<ol class="words"' in answer.text
        assert re.search(r'<p class="blob">[\w-]+</p>', answer.text)
    if wanted == 303:
        assert b"\r\nlocation: /en/status" in answer.head


async def _send(intake: Intake, request: str) -> Answer:
    head, _, body = request.partition("\n\n")
    raw_body = body.rstrip("\n").replace("\n", "\r\n").encode()
    lines = head.replace("\n", "\r\n").encode()
    length = b"\r\nContent-Length: %d" % len(raw_body) if raw_body else b""
    return await intake.raw(lines + length + b"\r\n\r\n" + raw_body)


def _shape(value: object) -> object:
    """Replace values by their form, as the examples do."""
    if isinstance(value, dict):
        return {key: _shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_shape(one) for one in value]
    if isinstance(value, str) and re.fullmatch(r"[0-9a-f]{32}", value):
        return "{hex16}"
    if isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value):
        return "{hex32}"
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return "{day}"
    if isinstance(value, str) and len(value) > 1000:
        return "{base64url}"
    return value


async def test_feed_examples(intake: Intake, reporter: HttpReporter) -> None:
    await reporter.send(await reporter.draft({"story": "x"}, [("a.jpg", b"isi")]))
    office = Office(intake)
    listed = await office.records()
    example = json.loads(EXAMPLES["json", "records"])
    shaped = _shape({"records": listed, "more": False})
    assert shaped == example
    record = listed[0]
    for name, target in (
        ("mailbox", "/feed/v1/mailbox"),
        ("statistics", "/feed/v1/statistics"),
        ("ack", "/feed/v1/ack"),
    ):
        text = EXAMPLES["json", name].replace("{record}", record["id"])
        value = json.loads(text.replace("{thread}", record["thread"]))
        answer = await intake.feed("POST", target, value)
        assert (answer.status, answer.body) == (200, b"{}"), name
    documented = {row[0] for row in _rows(_section(7)) if len(row) == 2}
    assert set(record) <= documented
