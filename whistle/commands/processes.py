# SPDX-License-Identifier: AGPL-3.0-or-later
"""Child processes of `whistle run`: started, watched, restarted after a crash, stopped in order.

A child that dies is started again with growing pauses; a child that dies before it was ever ready
is an error, because starting it again would only repeat the mistake.
"""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from whistle.commands.errors import CommandError
from whistle.hardening import PARENT_VARIABLE

READY_TIMEOUT = 60.0
"""Seconds a child may take until its ready file is there (measured: below 2 on two busy cores)."""

STOP_TIMEOUT = 15.0
"""Seconds between the polite signal and the last resort."""

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0
READY_POLL = 0.05
LOG_TAIL_LINES = 5


@dataclass(frozen=True)
class ChildPlan:
    """One child: its name for people, its command, its ready file and its log."""

    name: str
    command: Sequence[str]
    ready_file: Path
    log: Path


class Child:
    """One running child and the task that keeps it running."""

    def __init__(self, plan: ChildPlan, restarted: Callable[[dict[str, Any]], None]) -> None:
        """`restarted` is told the new content of the ready file after each restart."""
        self.plan = plan
        self._restarted = restarted
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._stopping = False

    async def start(self) -> dict[str, Any]:
        """Starts the child and waits for its ready file; returns its content. Raises:
        CommandError.
        """
        content = await self._start_once()
        self._keeper = asyncio.create_task(self._keep())
        return content

    async def _start_once(self) -> dict[str, Any]:
        self.plan.ready_file.unlink(missing_ok=True)
        process = await self._spawn()
        try:
            async with asyncio.timeout(READY_TIMEOUT):
                while not self.plan.ready_file.exists():
                    if process.returncode is not None:
                        raise CommandError(self._obituary())
                    await asyncio.sleep(READY_POLL)
        except TimeoutError:
            message = f"the {self.plan.name} did not get ready in {READY_TIMEOUT:.0f} seconds"
            raise CommandError(message) from None
        content = json.loads(self.plan.ready_file.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            message = f"the {self.plan.name} wrote an unusable ready file"
            raise CommandError(message)
        return content

    async def stop(self) -> None:
        """Asks the child to stop, waits, and kills it only if it does not."""
        self._stopping = True
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _spawn(self) -> asyncio.subprocess.Process:
        descriptor = os.open(self.plan.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self.plan.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                # A group of its own: Ctrl-C reaches the supervisor, which stops them in order.
                start_new_session=True,
                env={
                    **os.environ,
                    "PYTHONSAFEPATH": "1",
                    "PYTHONUNBUFFERED": "1",
                    PARENT_VARIABLE: str(os.getpid()),
                },
            )
        finally:
            os.close(descriptor)
        return self._process

    async def _keep(self) -> None:
        pause = FIRST_PAUSE
        while not self._stopping and self._process is not None:
            started = asyncio.get_running_loop().time()
            code = await self._process.wait()
            if asyncio.get_running_loop().time() - started > LONGEST_PAUSE:
                pause = FIRST_PAUSE
            print(f"the {self.plan.name} ended (code {code}); starting it again …", flush=True)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            try:
                self._restarted(await self._start_once())
            except CommandError as error:
                print(error, flush=True)

    def _obituary(self) -> str:
        lines = self.plan.log.read_text(encoding="utf-8", errors="replace").splitlines()
        tail = "\n    ".join(lines[-LOG_TAIL_LINES:])
        return f"the {self.plan.name} did not start. The end of {self.plan.log}:\n    {tail}"


async def wait_for_signal() -> None:
    """Returns at the first SIGINT or SIGTERM."""
    await stop_event().wait()


def stop_event() -> asyncio.Event:
    """Set at the first SIGINT or SIGTERM from now on."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop
