# SPDX-License-Identifier: AGPL-3.0-or-later
"""The organisation's onion services: the intake for everybody, the case server for its desks.

- The addresses are known at once, because tor derives them from keys on disk; reaching the network
  takes as long as it takes.
- The case server is published only with at least one authorised desk, never for everybody.
- Keys stay in the state directory, so an address outlives a restart.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from onion.address import parse_address
from onion.control import Control, StemControl
from onion.errors import AddressError, TorFailedError
from onion.process import TorProcess
from onion.progress import DONE, Narrator, Progress
from onion.state import TorState, hostname_file, open_state, write_private
from onion.tor_build import TorBuild, find_tor
from onion.torrc import HiddenService, TorSettings, render

__all__ = ["Addresses", "OnionPlan", "OnionServices", "Progress"]

READY_TIMEOUT = 60.0
"""Seconds until tor has written its addresses (measured: 0.3 on two busy cores)."""

POLL = 0.05
PATIENCE = 20.0
"""Seconds without progress after which the operator is told."""

OnProgress = Callable[[Progress], None]


@dataclass(frozen=True)
class OnionPlan:
    """What is to be published: sockets that answer, desks that may reach the case server."""

    state: Path
    intake_target: Path
    cases_target: Path | None
    authorised_desks: Mapping[str, str] = field(default_factory=dict)
    extra_torrc: tuple[str, ...] = ()

    @property
    def has_cases(self) -> bool:
        """True if the case server gets an onion service."""
        # SECURITY: without a desk there is no authorisation, and tor would publish it for
        # everybody (test_service.py: test_no_case_onion_without_a_desk).
        return self.cases_target is not None and bool(self.authorised_desks)


@dataclass(frozen=True)
class Addresses:
    """Onion addresses, `.onion` included, without a scheme."""

    intake: str
    cases: str | None


class OnionServices:
    """One tor process with the planned services."""

    def __init__(
        self, plan: OnionPlan, *,
        control: Callable[[], Control] = StemControl, patience: float = PATIENCE,
    ) -> None:  # fmt: skip
        self._plan = plan
        self._make_control = control
        self._patience = patience
        self._narrator = Narrator()
        self._progress: OnProgress = _say_nothing
        self._moved = asyncio.Event()
        self._published: dict[str, asyncio.Event] = {}
        self._stack = contextlib.AsyncExitStack()

    async def start(self, progress: OnProgress) -> Addresses:
        """Starts tor and returns the addresses, which tor then goes on to publish.

        Raises: OnionError, after which nothing is left running.
        """
        self._progress = progress
        build = await find_tor()
        if build.is_old:
            wanted = "tor on this computer is old and has known faults; please install updates."
            progress(Progress(0, wanted))
        try:
            return await self._start(build)
        except BaseException:
            await self.stop()
            raise

    async def wait_published(self, timeout: float) -> None:  # noqa: ASYNC109
        """Returns once a descriptor of every service is uploaded. Raises: TorFailedError."""
        if not self._published:
            raise RuntimeError("the onion services were not started")
        try:
            async with asyncio.timeout(timeout):
                for uploaded in self._published.values():
                    await uploaded.wait()
        except TimeoutError:
            message = f"tor did not publish the onion services in {timeout:.0f} seconds"
            raise TorFailedError(message) from None

    async def stop(self) -> None:
        """Stops tor and waits for its end. May be called twice."""
        await self._stack.aclose()
        self._published = {}

    async def _start(self, build: TorBuild) -> Addresses:
        state = self._stack.enter_context(open_state(self._plan.state))
        services = self._prepare(state)
        hostnames = [hostname_file(service.directory) for service in services]
        settings = TorSettings(
            data=state.data, control_socket=state.control_socket, owner=os.getpid(),
            services=services, proof_of_work=build.use_proof_of_work, extra=self._plan.extra_torrc,
        )  # fmt: skip
        write_private(state.torrc, render(settings))
        process = TorProcess(build.program, state.torrc, self._hear)
        self._stack.push_async_callback(process.stop)
        await process.start()
        await _until(process, lambda: all(map(Path.exists, hostnames)))
        known = [_read_address(hostname) for hostname in hostnames]
        self._published = {address: asyncio.Event() for address in known}
        await _until(process, state.control_socket.exists)
        control = self._make_control()
        self._stack.push_async_callback(control.close)
        await control.open(state.control_socket, self._uploaded)
        watcher = asyncio.create_task(self._watch_silence())
        self._stack.push_async_callback(_cancelled, watcher)
        return Addresses(known[0], known[1] if len(known) > 1 else None)

    def _prepare(self, state: TorState) -> tuple[HiddenService, ...]:
        plan = self._plan
        state.make()
        state.make_service(state.intake, {})
        services = [HiddenService(state.intake, plan.intake_target.absolute())]
        if plan.cases_target is not None and plan.has_cases:
            state.make_service(state.cases, plan.authorised_desks)
            services.append(HiddenService(state.cases, plan.cases_target.absolute()))
        return tuple(services)

    def _hear(self, line: str) -> None:
        before = self._narrator.percent
        self._tell(self._narrator.hear(line))
        if self._narrator.percent > before:
            self._moved.set()

    def _tell(self, progress: Progress | None) -> None:
        if progress is not None:
            self._progress(progress)

    def _uploaded(self, address: str) -> None:
        uploaded = self._published.get(address)
        if uploaded is None or uploaded.is_set():
            return
        uploaded.set()
        if all(event.is_set() for event in self._published.values()):
            self._tell(Progress(DONE, "the onion services are published and can be reached."))

    async def _watch_silence(self) -> None:
        while self._narrator.percent < DONE:
            self._moved.clear()
            try:
                async with asyncio.timeout(self._patience):
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
    address = hostname.read_text(encoding="utf-8").strip()
    try:
        parse_address(address)
    except AddressError:
        raise TorFailedError("tor wrote an onion address that is none") from None
    return address


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _say_nothing(_progress: Progress) -> None:
    """Stands in until `start` is given somebody to tell."""
