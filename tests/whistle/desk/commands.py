# SPDX-License-Identifier: AGPL-3.0-or-later
"""Runs `whistle-desk` inside the test process, beside a case server in the same loop."""

import asyncio
import contextlib
import io
import json
import sys
from dataclasses import dataclass
from typing import Any
from unittest import mock

from tests.whistle.desk.bureau import Bureau
from whistle.desk.cli import main


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


def run(*words: object) -> Done:
    """Runs a command to its end."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main([str(word) for word in words])
        except SystemExit as exit_:
            code = int(exit_.code or 0)
    return Done(code, out.getvalue(), err.getvalue())


class _Screen(io.StringIO):
    """Standard streams of a person at a terminal."""

    def isatty(self) -> bool:
        return True


def at_terminal(typed: str, *words: object) -> Done:
    """Runs a command for somebody who types `typed`."""
    out, err = _Screen(), io.StringIO()
    with (
        mock.patch.object(sys, "stdin", _Screen(typed)),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = main([str(word) for word in words])
    return Done(code, out.getvalue(), err.getvalue())


async def desk(bureau: Bureau, person: str, command: str, *words: object) -> Done:
    """A case command of one person, with --json unless `--lang` asks for people's output."""
    flags = [] if "--lang" in words else ["--json", "--lang", "en"]
    return await asyncio.to_thread(run, command, *words, *bureau.words(person), *flags)
