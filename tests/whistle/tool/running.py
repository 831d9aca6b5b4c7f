# SPDX-License-Identifier: AGPL-3.0-or-later
"""The reporters' commands inside the test process, beside a running intake in the same loop."""

import asyncio
import contextlib
import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.intake import Intake
from whistle import clock
from whistle.cli import main


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class _Typed(io.TextIOWrapper):
    """Standard input that is no terminal."""

    def __init__(self, text: str) -> None:
        super().__init__(io.BytesIO(text.encode()), "utf-8")


def run(*words: object, typed: str = "") -> Done:
    """Run a command to its end."""
    out, err = io.StringIO(), io.StringIO()
    before, sys.stdin = sys.stdin, _Typed(typed)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([str(word) for word in words])
    except SystemExit as exit_:
        code = int(exit_.code or 0)
    finally:
        sys.stdin = before
    return Done(code, out.getvalue(), err.getvalue())


async def tool(command: str, *words: object, typed: str = "") -> Done:
    """Run a command while the loop goes on serving."""
    return await asyncio.to_thread(lambda: run(command, *words, "--lang", "en", typed=typed))


def pinned(intake: Intake) -> tuple[str, str]:
    return "--instance", intake.org.instance_id.hex()


def stop_the_clock(monkeypatch: pytest.MonkeyPatch, intake_day: Any) -> None:
    """The tool's calendar shows the same day as the test's intake."""
    monkeypatch.setattr(clock, "today", lambda _offset, **_more: intake_day())
    monkeypatch.setattr("whistle.hardening.harden_process", lambda: None)
    for name in ("seal", "read"):
        monkeypatch.setattr(f"whistle.commands.{name}.harden_process", lambda: None)


def write_answers(folder: Path, **answers: str) -> Path:
    path = folder / "answers.json"
    path.write_text(json.dumps({"story": "Biaya administrasi diminta.", **answers}))
    return path
