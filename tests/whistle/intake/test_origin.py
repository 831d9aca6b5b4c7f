# SPDX-License-Identifier: AGPL-3.0-or-later
"""Forms sent by other sites."""

import pytest

from tests.support.intake import Intake, multipart, text_part
from tests.support.office import Office

BODY = multipart(text_part("story", "x"))
POSTS = ["report", "status", "status/message", "status/contest", "status/withdraw", "status/leave"]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "header",
    [
        b"Sec-Fetch-Site: cross-site",
        b"Sec-Fetch-Site: same-site",
        b"Origin: http://evil.example",
        b"Origin: null",
        b"Origin: http://[",
        b"Origin: ",
        b"Origin: http://127.0.0.1.evil.example",
    ],
)
async def test_other_sites_are_refused(intake: Intake, path: str, header: bytes) -> None:
    answer = await intake.post(f"/id/{path}", BODY, headers=header + b"\r\n")
    assert answer.status == 403
    assert b"text/html" in answer.head
    assert await Office(intake).records() == []


@pytest.mark.parametrize(
    "header", ["", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: none", "own"]
)
async def test_own_forms_and_plain_tools_are_welcome(intake: Intake, header: str) -> None:
    if header == "own":
        header = f"Origin: {intake.base}"
    lines = f"{header}\r\n".encode() if header else b""
    assert (await intake.post("/id/report", BODY, headers=lines)).status == 200
