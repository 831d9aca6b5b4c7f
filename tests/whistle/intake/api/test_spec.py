# SPDX-License-Identifier: AGPL-3.0-or-later
"""docs/spec/client-api.md says what the code does: tables are compared, examples are sent."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from crypto.encoding import b64
from tests.support.intake import Intake
from tests.support.sealed_client import SealedClient, Sealer, seal_file
from whistle import errors, limits
from whistle.intake import problems, routes
from whistle.intake.api.handlers import SIZE_HEADER, UPLOAD_HEADER
from whistle.intake.reporter_keys import Action

TEXT = (Path(__file__).parents[4] / "docs/spec/client-api.md").read_text("utf-8")
EXAMPLES = {
    (language, name): block
    for language, name, block in re.findall(r"```(\w+) example: ([^\n]+)\n(.*?)```", TEXT, re.S)
}
FILE = seal_file(b"isi")


def _rows(number: int) -> list[list[str]]:
    section = TEXT.split(f"\n## {number}. ", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip(" |`") for cell in row] for row in rows]


def test_paths() -> None:
    documented = [tuple(row[:2]) for row in _rows(1) if row[0] in {"GET", "PUT", "POST"}]
    table = [
        (method, re.sub(r"\{(\w+):(?:[^{}]|\{[\d,]+\})+\}", r"{\1}", path))
        for method, path, _ in routes.CLIENT
    ]
    assert documented == table


def test_limits() -> None:
    rows = [row for row in _rows(1) if row[0].isupper() and len(row) == 3 and row[1].isdigit()]
    assert len(rows) == 10
    for name, value, _unit in rows:
        assert float(value) == getattr(limits, name), name


def test_headers() -> None:
    assert {row[0] for row in _rows(3)} >= {UPLOAD_HEADER, SIZE_HEADER}


def test_errors() -> None:
    rows = {row[0]: int(row[1]) for row in _rows(7) if len(row) == 3 and row[1].isdigit()}
    assert rows == problems.STATUS
    assert not {key for key in rows if key in errors.PUBLIC} - {"bad_request", "too_large"}


@pytest.mark.parametrize("name", [name for kind, name in EXAMPLES if kind == "http"])
async def test_requests(intake: Intake, client: SealedClient, sealer: Sealer, name: str) -> None:
    await client.report(sealer, sealer.report("x"))
    proof = sealer.signed(await client.nonce(), Action.READ)
    filled = (
        EXAMPLES["http", name]
        .replace("{host}", f"127.0.0.1:{intake.port}")
        .replace("{blob}", FILE.id)
        .replace("{upload}", b64(FILE.key))
        .replace("{size}", str(len(FILE.data)))
        .replace("{lookup_id}", proof["lookup_id"])
        .replace("{nonce}", proof["nonce"])
        .replace("{read_signature}", proof["signature"])
    )
    head, _, text = filled.partition("\n\n")
    body = FILE.data if text.strip() == "{piece}" else text.strip().encode()
    length = f"\nContent-Length: {len(body)}" if body else ""
    answer = await intake.raw((head + length).replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
    assert answer.status == int(name.rpartition("-> ")[2]), answer.text
    assert b"cache-control: no-store" in answer.head
    assert b"content-type: application/json" in answer.head


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_shape(one) for one in value]
    for pattern, name in (
        (r"[0-9a-f]{32}", "{hex16}"), (r"[0-9a-f]{64}", "{hex32}"),
        (r"\d{4}-\d\d-\d\d", "{day}"), (r"\.+", "{pad}"), (r"[\w-]{40,}", "{b64}"),
    ):  # fmt: skip
        if isinstance(value, str) and re.fullmatch(pattern, value):
            return name
    return value


async def test_documented_members(intake: Intake, client: SealedClient, sealer: Sealer) -> None:
    await client.upload(FILE)
    report = sealer.report("x", [FILE])
    sent = {**sealer.signed(await client.nonce(), Action.APPEND), **report}
    assert _shape(sent) == json.loads(EXAMPLES["json", "report"])
    status, answer = await client.call("POST", "/api/v1/reports", sent)
    assert status == 200
    assert _shape(answer) == json.loads(EXAMPLES["json", "answer to a report"])
    assert set(sent) == {row[0] for row in _rows(4)} - {"Member", "---"}

    sent = {**sealer.signed(await client.nonce(), Action.APPEND), **sealer.message("y")}
    assert _shape(sent) == json.loads(EXAMPLES["json", "append"])
    assert (await client.call("POST", "/api/v1/threads/append", sent))[0] == 200
    assert set(sent) == {row[0] for row in _rows(6)} - {"Member", "---"}

    entry = {"thread": sealer.keys.lookup_id.hex(), "seq": 1, "box": b64(bytes(8220))}
    await intake.feed("POST", "/feed/v1/mailbox", {"entries": [entry]})
    _, answer = await client.read(sealer)
    assert _shape(answer) == json.loads(EXAMPLES["json", "answer to a reader"])
