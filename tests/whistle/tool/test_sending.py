# SPDX-License-Identifier: AGPL-3.0-or-later
"""A site without the client interface takes the report as one file on its page for bundles."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.intake import Intake
from tests.support.office import Office
from tests.whistle.tool.running import pinned, tool, write_answers
from whistle.commands import seal
from whistle.tool.errors import RefusedBySiteError


async def test_without_the_client_interface(
    intake: Intake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def not_there(*_: Any) -> None:
        raise RefusedBySiteError(404, "not_found")

    monkeypatch.setattr(seal.sending, "send", not_there)
    photo = tmp_path / "foto.jpg"
    photo.write_bytes(bytes(200_000))
    done = await tool(
        "seal", photo, "--manifest", intake.org.dir, *pinned(intake), "--json",
        "--answers", write_answers(tmp_path), "--out", tmp_path / "b.whb", "--send", intake.base,
    )  # fmt: skip
    assert done.code == 0, done.err
    assert done.json["sent"]
    assert done.json["day"] == intake.calendar.day.isoformat()
    (case,) = await Office(intake).collect()
    assert case.body.fields == {"story": "Biaya administrasi diminta."}
    assert len(case.record["blobs"]) == 1
