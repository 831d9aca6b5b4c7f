# SPDX-License-Identifier: AGPL-3.0-or-later
"""One run of tor: the process, what it says, and the control connection, from start to end.

- `start` leaves nothing behind when it fails.
- Addresses are read only after tor has written them in this run, so a stale file is never believed.
- The control connection ends before the process is signalled; tor takes either as the end.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from onion.address import parse_address
from onion.control import Control, OnUpload
from onion.errors import AddressError, TorFailedError
from onion.process import TorProcess
from onion.progress import DONE, Narrator, Progress
from onion.state import TorState, hostname_file

READY_TIMEOUT = 60.0
"""Seconds until tor has written its addresses (measured: 0.1 on two busy cores)."""

POLL = 0.02


@dataclass(frozen=True)
class LaunchPlan:
    """What every run has in common."""

    program: Path
    state: TorState
    services: tuple[Path, ...]
    make_control: Callable[[], Control]
    patience: float


@dataclass(frozen=True)
class Listener:
    """Whom a run tells what happens, on the event loop's thread."""

    progress: Callable[[Progress], None]
    uploaded: OnUpload


@dataclass
class Launch:
    """One run of tor; make a new object for the next."""

    plan: LaunchPlan
    listener: Listener
    _narrator: Narrator = field(default_factory=Narrator, init=False)
    _moved: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _stack: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack, init=False)
    _process: TorProcess | None = field(default=None, init=False)

    @property
    def is_connected(self) -> bool:
        """True once tor has been through all of its start-up."""
        return self._narrator.percent >= DONE

    @property
    def pid(self) -> int | None:
        """tor's process id."""
        return None if self._process is None else self._process.pid

    async def start(self) -> tuple[str, ...]:
        """Starts tor and returns the services' addresses in order. Raises: TorFailedError."""
        try:
            return await self._start()
        except BaseException:
            await self.stop()
            raise

    async def wait(self) -> None:
        """Returns when tor has ended."""
        if self._process is not None:
            await self._process.wait()

    async def stop(self) -> None:
        """Ends what this run has started."""
        await self._stack.aclose()

    async def _start(self) -> tuple[str, ...]:
        state = self.plan.state
        hostnames = [hostname_file(directory) for directory in self.plan.services]
        state.clear_run(self.plan.services)
        process = self._process = TorProcess(self.plan.program, state.torrc, self._hear)
        self._stack.push_async_callback(process.stop)
        await process.start()
        watcher = asyncio.create_task(self._watch_silence())
        self._stack.push_async_callback(_cancel, watcher)
        await _until(process, lambda: all(path.exists() for path in hostnames))
        await _until(process, state.control_socket.exists)
        control = self.plan.make_control()
        self._stack.push_async_callback(control.close)
        await control.open(state.control_socket, self.listener.uploaded)
        return tuple(_read_address(path) for path in hostnames)

    def _hear(self, line: str) -> None:
        before = self._narrator.percent
        self._tell(self._narrator.hear(line))
        if self._narrator.percent > before:
            self._moved.set()

    def _tell(self, progress: Progress | None) -> None:
        if progress is not None:
            self.listener.progress(progress)

    async def _watch_silence(self) -> None:
        while not self.is_connected:
            self._moved.clear()
            try:
                async with asyncio.timeout(self.plan.patience):
                    await self._moved.wait()
            except TimeoutError:
                self._tell(self._narrator.silence())


async def _until(process: TorProcess, is_there: Callable[[], bool]) -> None:
    """Waits for something tor makes. Raises: TorFailedError when tor ends or takes too long."""
    try:
        async with asyncio.timeout(READY_TIMEOUT):
            while not is_there():
                if process.has_ended:
                    await process.wait()
                    raise TorFailedError(process.obituary())
                await asyncio.sleep(POLL)
    except TimeoutError:
        raise TorFailedError(f"tor was not ready in {READY_TIMEOUT:.0f} seconds") from None


def _read_address(hostname: Path) -> str:
    address = hostname.read_text(encoding="utf-8", errors="replace").strip()
    try:
        parse_address(address)
    except AddressError:
        raise TorFailedError("tor wrote an onion address that is none") from None
    return address


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
