# SPDX-License-Identifier: AGPL-3.0-or-later
"""One tor process of our own: started, listened to, stopped.

- Only the process started here is ever signalled.
- Its log is read line by line and handed on; nothing of it is kept but the last error.
- It reads no configuration but the given file: not the system's, not the user's.
- It stands in a session of its own, so Ctrl-C reaches us first and tor is stopped in order. If we
  die, tor notices by `__OwningControllerProcess` and by its lost control connection.
"""

import asyncio
import contextlib
import os
import re
from collections.abc import Callable
from pathlib import Path

from onion.errors import TorFailedError

STOP_TIMEOUT = 10.0
"""Seconds between the polite signal and the last resort (measured: below 0.3)."""

MAX_REASON = 200
"""Characters of tor's own last error that an operator is shown."""

_REASON = re.compile(r"\[(?:err|warn)\] (.*)")
_PRIVATE = re.compile(r"[a-z2-7]{56}|\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?|\$?[0-9A-F]{40}")


class TorProcess:
    """A tor process from its start to its end; make a new object for a new start."""

    def __init__(self, program: Path, torrc: Path, on_line: Callable[[str], None]) -> None:
        self._program = program
        self._torrc = torrc
        self._on_line = on_line
        self._child: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._reason = ""

    @property
    def pid(self) -> int | None:
        """The process id, once started."""
        return None if self._child is None else self._child.pid

    @property
    def has_ended(self) -> bool:
        """True once the process was started and is gone."""
        return self._child is not None and self._child.returncode is not None

    async def start(self) -> None:
        """Starts tor; returns before it has read its configuration. Raises: TorFailedError."""
        defaults = self._torrc.with_name("torrc-defaults")
        defaults.write_text("", encoding="utf-8")
        try:
            self._child = await asyncio.create_subprocess_exec(
                self._program, "--defaults-torrc", defaults, "-f", self._torrc,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT, start_new_session=True, env=self._environment(),
            )  # fmt: skip
        except OSError:
            raise TorFailedError("the tor program cannot be started") from None
        self._reader = asyncio.create_task(self._read(self._child))

    async def wait(self) -> None:
        """Returns when the process has ended and its log is read."""
        if self._child is not None and self._reader is not None:
            await self._child.wait()
            await asyncio.shield(self._reader)

    async def stop(self) -> None:
        """Asks tor to stop, waits, and kills it only if it does not."""
        if self._child is None or self._reader is None:
            return
        self._signal(kill=False)
        try:
            async with asyncio.timeout(STOP_TIMEOUT):
                await self._child.wait()
        except TimeoutError:
            self._signal(kill=True)
            await self._child.wait()
        await self._reader

    def obituary(self) -> str:
        """Why tor ended, in its own last words without addresses and fingerprints."""
        return f"tor ended: {self._reason}" if self._reason else "tor ended without a reason"

    def _signal(self, *, kill: bool) -> None:
        child = self._child
        if child is not None and child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill() if kill else child.terminate()

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self._torrc.parent),
            "LC_ALL": "C.UTF-8",
        }

    async def _read(self, child: asyncio.subprocess.Process) -> None:
        if child.stdout is None:
            return
        while True:
            try:
                raw = await child.stdout.readline()
            except ValueError:  # a line longer than the reader's buffer; it is dropped
                continue
            if not raw:
                return
            line = raw.decode("utf-8", "replace").rstrip()
            found = _REASON.search(line)
            if found is not None:
                self._reason = _PRIVATE.sub("(left out)", found[1])[:MAX_REASON]
            self._on_line(line)
