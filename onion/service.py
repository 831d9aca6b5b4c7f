# SPDX-License-Identifier: AGPL-3.0-or-later
"""The organisation's onion services: the intake for everybody, the case server for its desks.

- The addresses are known at once, because tor derives them from keys on disk; reaching the network
  takes as long as it takes.
- The case server is published only with at least one authorised desk, never for everybody.
- Keys stay in the state directory, so an address outlives a restart.
- A tor that ends by itself is started again, with growing pauses.

Source: docs/spec/onion.md.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from onion.control import Control, StemControl
from onion.errors import TorFailedError
from onion.launch import Launch, LaunchPlan, Listener
from onion.progress import DONE, Progress
from onion.publication import Publication, Upload
from onion.state import TorState, open_state, write_private
from onion.tor_build import TorBuild, find_tor
from onion.torrc import HiddenService, TorSettings, render

__all__ = ["Addresses", "OnionPlan", "OnionServices", "Progress"]

PATIENCE = 20.0
"""Seconds without progress after which the operator is told."""

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0

OnProgress = Callable[[Progress], None]


@dataclass(frozen=True)
class OnionPlan:
    """What is to be published: sockets that answer, and the desks that may reach the case server
    (name -> base32 x25519 public key). `tells_circuits`: the intake's socket expects tor's line.
    """

    state: Path
    intake_target: Path
    cases_target: Path | None
    authorised_desks: Mapping[str, str]
    extra_torrc: tuple[str, ...] = ()
    tells_circuits: bool = False


@dataclass(frozen=True)
class Addresses:
    """Onion addresses, `.onion` included, without a scheme."""

    intake: str
    cases: str | None


@dataclass(frozen=True)
class Habits:
    """What tests change: how tor is spoken to, and how long to wait."""

    make_control: Callable[[], Control] = StemControl
    patience: float = PATIENCE
    first_pause: float = FIRST_PAUSE


@dataclass
class OnionServices:
    """One tor with the planned services; make a new object for a new start."""

    plan: OnionPlan
    habits: Habits = Habits()
    _listeners: list[OnProgress] = field(default_factory=list, init=False)
    _known: frozenset[str] = field(default=frozenset(), init=False)
    _publication: Publication = field(default_factory=Publication, init=False)
    _published: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _launch: Launch | None = field(default=None, init=False)
    _keeper: asyncio.Task[None] | None = field(default=None, init=False)
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack, init=False)

    @property
    def pid(self) -> int | None:
        """tor's process id while it runs."""
        return None if self._launch is None else self._launch.pid

    async def start(self, progress: OnProgress) -> Addresses:
        """Starts tor and returns the addresses, which tor then goes on to publish.

        Raises: OnionError, after which nothing is left running.
        """
        build = await find_tor()
        self._listeners = [progress]
        if build.is_old:
            text = "the tor on this computer has known faults; please install its updates."
            self._tell(Progress(0, text))
        try:
            return await self._start(build)
        except BaseException:
            await self.stop()
            raise

    async def wait_published(self, timeout: float) -> None:  # noqa: ASYNC109
        """Returns once every service can be found (see publication.py). Raises: TorFailedError."""
        if not self._known:
            raise RuntimeError("the onion services were not started")
        try:
            async with asyncio.timeout(timeout):
                await self._published.wait()
        except TimeoutError:
            message = f"tor did not publish the onion services in {timeout:.0f} seconds"
            raise TorFailedError(message) from None

    async def stop(self) -> None:
        """Stops tor and waits for its end. May be called twice."""
        self._listeners = []
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None
        if self._launch is not None:
            await self._launch.stop()
            self._launch = None
        self._stack.close()
        self._known = frozenset()

    async def _start(self, build: TorBuild) -> Addresses:
        state = self._stack.enter_context(open_state(self.plan.state))
        services = _prepare(self.plan, state)
        settings = TorSettings(
            data=state.data, control_socket=state.control_socket, owner=os.getpid(),
            services=services, proof_of_work=build.use_proof_of_work, extra=self.plan.extra_torrc,
        )  # fmt: skip
        write_private(state.torrc, render(settings))
        launch_plan = LaunchPlan(
            program=build.program, state=state, make_control=self.habits.make_control,
            services=tuple(service.directory for service in services),
            patience=self.habits.patience,
        )  # fmt: skip
        addresses = await self._run(launch_plan)
        self._known = frozenset(addresses)
        self._check_published()
        self._keeper = asyncio.create_task(self._keep(launch_plan))
        return Addresses(addresses[0], addresses[1] if _publishes_cases(self.plan) else None)

    async def _run(self, plan: LaunchPlan) -> tuple[str, ...]:
        self._publication = Publication()
        self._published.clear()
        self._launch = Launch(plan, Listener(self._tell, self._hear_upload))
        return await self._launch.start()

    async def _keep(self, plan: LaunchPlan) -> None:
        pause = self.habits.first_pause
        while self._launch is not None:
            await self._launch.wait()
            if self._launch.is_connected:
                pause = self.habits.first_pause
            await self._launch.stop()
            self._tell(Progress(0, "tor ended by itself; it is started again."))
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            with contextlib.suppress(TorFailedError, OSError):
                await self._run(plan)

    def _hear_upload(self, upload: Upload) -> None:
        self._publication.hear(upload)
        self._check_published()

    def _check_published(self) -> None:
        if self._published.is_set() or not self._known:
            return
        if not self._publication.covers(self._known):
            return
        self._published.set()
        self._tell(Progress(DONE, "the onion services are published and can be reached."))

    def _tell(self, progress: Progress) -> None:
        for listener in self._listeners:
            listener(progress)


def _prepare(plan: OnionPlan, state: TorState) -> tuple[HiddenService, ...]:
    state.make()
    state.make_service(state.intake, {})
    services = [HiddenService(state.intake, plan.intake_target.absolute(), plan.tells_circuits)]
    # SECURITY: without a desk there is no authorisation, and tor would publish the case server
    # for everybody (test_service.py: test_no_case_onion_without_a_desk).
    if plan.cases_target is not None and _publishes_cases(plan):
        state.make_service(state.cases, plan.authorised_desks)
        services.append(HiddenService(state.cases, plan.cases_target.absolute()))
    if state.former_intake.is_dir():
        state.make_service(state.former_intake, {})
        services.append(HiddenService(state.former_intake, plan.intake_target.absolute()))
    return tuple(services)


def _publishes_cases(plan: OnionPlan) -> bool:
    return plan.cases_target is not None and bool(plan.authorised_desks)
