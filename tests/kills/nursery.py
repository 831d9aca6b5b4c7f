# SPDX-License-Identifier: AGPL-3.0-or-later
"""Starts processes from one that has loaded all modules: a thousand starts without their imports.

Each child is a process of its own that runs the same program as `python -m whistle`; it dies by
SIGKILL as any other. Orders arrive as JSON lines `{"program", "words", "log"}`; each is answered
with the child's number.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import whistle.commands.cases
import whistle.commands.intake  # noqa: F401 - loaded once, for all children
from tests.kills import desk_worker
from whistle import cli


def _desk(words: Sequence[str]) -> int:
    asyncio.run(desk_worker.main(Path(words[0]), words[1], Path(words[2])))
    return 0


PROGRAMS: dict[str, Callable[[Sequence[str]], int]] = {"whistle": cli.main, "desk": _desk}


def _become(order: dict[str, object]) -> None:
    """The child's whole life."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(str(order["log"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number in (1, 2):
        os.dup2(log, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    code = 1
    try:
        code = PROGRAMS[str(order["program"])](order["words"])  # type: ignore[arg-type]
    finally:
        os._exit(code)


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system buries them
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(order)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
