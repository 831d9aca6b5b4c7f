# SPDX-License-Identifier: AGPL-3.0-or-later
"""docs/spec/desk.md says what the program does."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, get_args

import pytest

from case_mgmt.desk.agreement import ActRemarkCode
from case_mgmt.desk.history import Problem
from case_mgmt.desk.opening import RemarkCode
from tests.whistle.desk.bureau import Bureau, Reporter, running_bureau
from tests.whistle.desk.commands import desk, run
from whistle.desk.arguments import build_parser
from whistle.desk.casefile import SystemRemark

DOC = (Path(__file__).parents[3] / "docs" / "spec" / "desk.md").read_text()
EXAMPLES = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", DOC, re.S)]


@pytest.fixture
async def bureau(tmp_path: Path) -> AsyncIterator[Bureau]:
    async with running_bureau(tmp_path) as made:
        yield made


def shape(value: Any) -> Any:
    """Keys and kinds of a JSON value; a list stands for its first entry; null fits anything."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return None if value is None else type(value).__name__


def fits(documented: Any, real: Any) -> bool:
    """Whether two shapes agree, wherever neither is null or empty."""
    if documented in (None, []) or real in (None, []):
        return True
    if isinstance(documented, dict) and isinstance(real, dict):
        return documented.keys() == real.keys() and all(
            fits(documented[key], real[key]) for key in documented
        )
    if isinstance(documented, list) and isinstance(real, list):
        return fits(documented[0], real[0])
    return bool(documented == real)


async def test_examples_of_json(bureau: Bureau) -> None:
    reporter = Reporter(bureau)
    case = reporter.report({"story": "Cerita.", "unit": "kel-melati"}, [("foto.jpg", b"isi")])
    owner = bureau.assignee(case)
    listed = (await desk(bureau, owner, "list")).json
    assert fits(shape(EXAMPLES[0]), shape(listed))
    reporter.add("Lagi.", recipients_digest=bytes(32))
    await desk(bureau, owner, "note", case, "--text", "catatan")
    shown = (await desk(bureau, owner, "show", case)).json
    extra = {key: value for key, value in shown.items() if key not in EXAMPLES[0]["cases"][0]}
    assert set(EXAMPLES[1]) == set(extra)
    fields = (shown["report"].pop("fields"), EXAMPLES[1]["report"].pop("fields"))
    assert fields[0].keys() == fields[1].keys()
    assert fits(shape(EXAMPLES[1]), shape(extra))
    act = await desk(
        bureau, owner, "act", case, "--to", "assessing", "--message", "Laporan sudah dibaca."
    )
    assert fits(shape(EXAMPLES[2]), shape(act.json))
    noted = (await desk(bureau, owner, "note", case, "--text", "x")).json
    assert noted == {"case": case, "status": "noted"}
    words = ("--reason", "no_contact", "--message", "Tidak ada jawaban dari Anda.")
    await desk(bureau, owner, "act", case, "--to", "insufficient", *words)
    proposal = (await desk(bureau, owner, "show", case)).json["proposal"]
    assert set(proposal) == {"act", "to", "by", "reason", "day", "text", "problem"}


def test_every_command_is_listed() -> None:
    parser = build_parser()
    (commands,) = [action for action in parser._actions if action.dest == "command"]
    assert isinstance(commands.choices, dict)
    for name in commands.choices:
        assert re.search(rf"^\| `{name}[ `]", DOC, re.M), name


def test_every_flag_of_serve_is_known() -> None:
    text = run("serve", "--help").out
    for flag in re.findall(r"`(--[a-z-]+)", DOC.split("## 5. Pages")[1]):
        assert flag in text


def test_every_remark_and_problem_is_explained() -> None:
    kinds = (RemarkCode, ActRemarkCode, SystemRemark, Problem)
    codes = [code for kind in kinds for code in get_args(kind)]
    for code in codes:
        assert f"`{code}`" in DOC, code


def test_exit_codes() -> None:
    assert "Exit codes: 0 done, 1 refused, 2 wrong usage, 3 server unreachable, 4 keys." in (
        build_parser().format_help().replace("\n", " ")
    )
    for code in range(5):
        assert f"| {code} |" in DOC
