# SPDX-License-Identifier: AGPL-3.0-or-later
"""Makes the batch of each week that is over, asks the witnesses, and hands the log over.

Invariants
* A checkpoint reaches the intake only with the witnesses that the organisation's policy demands.
* Whatever goes wrong is counted and tried again; a log that contradicts itself stops, says so, and
  never signs.
* Running it twice, or being stopped anywhere, changes nothing: each step is one transaction.

Source: docs/spec/log.md sections 3 and 4.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from case_mgmt.errors import CaseError, LogError
from case_mgmt.gate import Rulebook
from case_mgmt.publication.names import has_log
from case_mgmt.publiclog import Candidate, PublicLog
from crypto.errors import CryptoError
from crypto.tlog.policy import Policy
from whistle import logs
from whistle.cases.threads import Threads
from whistle.cases.witnessed import WitnessFile
from whistle.errors import WhistleError
from whistle.witness.client import Gathered, Outcome

Cosign = Callable[[str, Callable[[int], Sequence[bytes]], Policy], Awaitable[Gathered]]
"""From a signed checkpoint, its consistency proofs and the policy to the note with cosignatures,
and what became of each witness."""
LOOK_EVERY: Final = 60.0
"""Seconds between looks at the calendar, and between attempts with witnesses that were away."""


@dataclass
class LogStatus:
    """How the log fares, in numbers."""

    size: int = 0
    is_public: bool = False
    problem: str | None = None
    """Name of the latest error's class, None while all is well."""
    witnesses: Mapping[str, Outcome] = field(default_factory=dict)
    """What became of asking each witness, the last time that they were asked."""

    def to_object(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "size": self.size,
            "public": self.is_public,
            "problem": self.problem,
            "witnesses": {name: str(each) for name, each in sorted(self.witnesses.items())},
        }


@dataclass(frozen=True)
class LogPlace:
    """What the keeper works on."""

    log: PublicLog
    threads: Threads
    rules: Callable[[], Rulebook]
    policy: Callable[[], Policy | None]
    cosign: Cosign
    wake_puller: Callable[[], None]
    witnessed: WitnessFile


class LogKeeper:
    """The loop."""

    def __init__(self, place: LogPlace) -> None:
        self._place = place
        self._wake = asyncio.Event()
        self.status = LogStatus(witnesses=place.witnessed.recall())

    def wake(self) -> None:
        """Something may have to be published."""
        self._wake.set()

    async def run(self) -> None:
        """Look at the calendar until cancelled."""
        while True:
            await self.once()
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY):
                    await self._wake.wait()

    async def once(self) -> bool:
        """One look; whether something was published.  Never raises for what may pass."""
        policy = self._place.policy()
        if policy is None or not has_log(self._place.rules().manifest):
            return False
        try:
            done = await self._publish(policy)
        except (CaseError, CryptoError, WhistleError) as error:
            self._unwell(error)
            return False
        self.status.problem = None
        return done

    async def _publish(self, policy: Policy) -> bool:
        place = self._place
        today = place.rules().today
        await place.threads.write(lambda: place.log.open(today))
        await place.threads.write(lambda: place.log.append(today))
        candidate = await place.threads.write(place.log.candidate)
        if candidate is None:
            return False
        self.status.size, self.status.is_public = candidate.checkpoint.size, False
        note = await self._witnessed(candidate, policy)
        await place.threads.write(lambda: place.log.publish(candidate, note))
        self.status.is_public = True
        logs.get("cases").info("log published", count=candidate.checkpoint.size)
        place.wake_puller()
        return True

    async def _witnessed(self, candidate: Candidate, policy: Policy) -> str:
        """The note with enough cosignatures.  Raises QuorumError, SignatureError."""
        place = self._place
        gathered = await place.cosign(candidate.note, candidate.tree.consistency, policy)
        self.status.witnesses = await place.threads.disk(
            lambda: place.witnessed.remember(gathered.results)
        )
        policy.require(gathered.note)
        return gathered.note

    def _unwell(self, error: Exception) -> None:
        name = type(error).__name__
        if self.status.problem != name:
            level = logs.get("cases").error if isinstance(error, LogError) else None
            (level or logs.get("cases").warning)("log not published", **logs.describe(error))
        self.status.problem = name
