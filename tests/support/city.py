# SPDX-License-Identifier: AGPL-3.0-or-later
"""A simulated city: reports and follow-up over years, batched as the case server batches them.

city = build_city(CityPlan(reports=10_000))      # about two seconds
city.leaves, city.entries                         # the log, opening leaf included
city.cases                                        # what only the offices and reporters know
city = City(plan); city.run_until(day); city.release(digest, day); city.run_until(later); ...

Everything follows from the plan's seed.  Offices are `kantor-01` and on.
"""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from case_mgmt.publication import batches
from case_mgmt.publication.batches import Covered, Waiting
from case_mgmt.publication.leaves import Code, FollowUp, Kind, Leaf, wait_band
from crypto.promise import commitment_of

SERVICES = ("ktp-pindah", "ktp-baru", "kk", "akta-lahir", "pengantar", "sekolah", "izin-usaha")
SUBJECTS = ("asked_refused", "asked_paid", "withheld", "witnessed", "insider")
HOW = ("spoken", "written", "gesture", "broker", "tariff", "transfer")
MONEY = ("zero", "under_50k", "50k_100k", "100k_250k", "250k_500k", "500k_1m", "1m_5m")
OUTCOMES = (
    (Code.UPHELD_ACTION, 30),
    (Code.UPHELD_FIXED, 25),
    (Code.INSUFFICIENT, 25),
    (Code.OUTSIDE_MANDATE, 12),
    (Code.JOINED, 8),
)
QUICK_DAYS = 6.0
"""Mean wait for the first follow-up in an ordinary office."""


@dataclass(frozen=True)
class CityPlan:
    """What is simulated; `opening` is the day before the first covered one."""

    reports: int = 10_000
    days: int = 730
    opening: date = date(2023, 12, 31)
    offices: int = 40
    slow_office: int | None = None
    """Number of an office whose every step takes `slowness` times as long."""
    slowness: float = 6.0
    gaming_office: int | None = None
    """Number of an office that closes each report on the day it arrives."""
    decay: bool = False
    """Follow-up gets rarer in the second half."""
    canaries: int = 20
    seed: int = 1

    @property
    def last_day(self) -> date:
        """The last simulated day."""
        return self.opening + timedelta(days=self.days)


@dataclass(frozen=True)
class Happening:
    """A follow-up of a case, on its day."""

    day: date
    code: Code
    act: bytes
    nonce: bytes


@dataclass(frozen=True)
class SimulatedCase:
    """A report with everything that only its reporter and its office know."""

    pseudonym: bytes
    log_secret: bytes
    arrival: date
    unit: str
    service: str
    subject: str
    how: str
    asked: str
    paid: str
    is_canary: bool
    happenings: tuple[Happening, ...]

    @property
    def commitment(self) -> bytes:
        """What its leaf carries."""
        return commitment_of(self.log_secret)


@dataclass
class City:
    """The log as it grows; `run_until` makes the batches of all weeks that are over by then."""

    plan: CityPlan
    leaves: list[Leaf] = field(default_factory=list)
    cases: tuple[SimulatedCase, ...] = ()
    openings: dict[int, tuple[Happening, SimulatedCase]] = field(default_factory=dict)
    """Of each follow-up leaf, by its index: what is behind it."""

    def __post_init__(self) -> None:
        self._random = random.Random(self.plan.seed)
        self.cases = tuple(_cases(self.plan, self._random))
        self._covered = batches.opened(self.plan.opening)
        self._logged: set[bytes] = set()
        self._queue = _queue(self.cases)
        self._known = {number: each for number, (_, *each) in enumerate(self._queue)}
        self._next = 0
        self._waiting: dict[int, Waiting] = {}
        self._next_week = batches.week_end(self.plan.opening + timedelta(days=1))
        self.leaves.append(batches.opening_leaf(self.plan.opening))

    @property
    def covered(self) -> Covered:
        """What the log covers."""
        return self._covered

    @property
    def entries(self) -> list[bytes]:
        """The leaves as they are logged."""
        return [leaf.encode() for leaf in self.leaves]

    @property
    def canaries(self) -> tuple[SimulatedCase, ...]:
        """The auditor's reports whose case is in the log."""
        return tuple(
            each for each in self.cases if each.is_canary and each.pseudonym in self._logged
        )

    def run_until(self, today: date) -> None:
        """Publish every week that is over on this day."""
        while self._next_week < today:
            self._week(self._next_week)
            self._next_week += timedelta(days=7)

    def release(self, digest: bytes, day: date) -> None:
        """Let the digest of a release wait for the batch of its week."""
        identifier = len(self._queue) + len(self.leaves)
        self._waiting[identifier] = batches.new_release(identifier, digest, day)

    def _week(self, period: date) -> None:
        while self._next < len(self._queue) and self._queue[self._next][0] <= period:
            self._wait(self._next)
            self._next += 1
        waiting = list(self._waiting.values())
        batch = batches.plan_batch(
            self._covered, waiting, self._logged, period, self._random.randbytes
        )
        if batch is None:
            return
        self._covered = batch.covered
        for placed in batch.placed:
            self._waiting.pop(placed.id)
            self._place(placed.id, placed.leaf)

    def _place(self, identifier: int, leaf: Leaf) -> None:
        if leaf.kind is Kind.REPORT:
            self._logged.add(leaf.case)
        elif leaf.kind is Kind.FOLLOW_UP:
            case, happening = self._known[identifier]
            self.openings[len(self.leaves)] = (happening, case)
        self.leaves.append(leaf)

    def _wait(self, number: int) -> None:
        day, case, happening = self._queue[number]
        if happening is None:
            self._waiting[number] = batches.new_report(number, case.pseudonym, case.commitment, day)
            return
        wait = wait_band((day - case.arrival).days)
        follow = FollowUp(happening.code, wait, case.pseudonym, happening.act)
        leaf = follow.leaf(day, happening.nonce)
        self._waiting[number] = Waiting(
            number, leaf.kind, leaf.code, leaf.wait, leaf.case, leaf.commitment, day
        )


def build_city(plan: CityPlan) -> City:
    """The whole simulated time, without releases."""
    city = City(plan)
    city.run_until(plan.last_day + timedelta(days=1))
    return city


def _queue(
    cases: tuple[SimulatedCase, ...],
) -> list[tuple[date, SimulatedCase, Happening | None]]:
    found: list[tuple[date, int, int, SimulatedCase, Happening | None]] = []
    for number, case in enumerate(cases):
        found.append((case.arrival, number, 0, case, None))
        found += [
            (each.day, number, place, case, each)
            for place, each in enumerate(case.happenings, start=1)
        ]
    return [(row[0], row[3], row[4]) for row in sorted(found, key=lambda row: row[:3])]


def _cases(plan: CityPlan, rand: random.Random) -> Iterator[SimulatedCase]:
    canaries = set(rand.sample(range(plan.reports), min(plan.canaries, plan.reports)))
    days = sorted(rand.randrange(1, plan.days + 1) for _ in range(plan.reports))
    for number, day in enumerate(days):
        arrival = plan.opening + timedelta(days=day)
        office = rand.randrange(1, plan.offices + 1)
        pseudonym = hashlib.sha256(b"%d case %d" % (plan.seed, number)).digest()[:16]
        subject = rand.choice(SUBJECTS)
        asked = rand.choices(MONEY, weights=(4, 20, 25, 20, 15, 10, 6))[0]
        yield SimulatedCase(
            pseudonym=pseudonym,
            log_secret=hashlib.sha256(b"%d secret %d" % (plan.seed, number)).digest(),
            arrival=arrival,
            unit=f"kantor-{office:02d}",
            service=rand.choices(SERVICES, weights=(30, 20, 15, 12, 10, 8, 5))[0],
            subject=subject,
            how=rand.choice(HOW),
            asked=asked,
            paid=asked if subject == "asked_paid" else "zero",
            is_canary=number in canaries,
            happenings=tuple(_story(plan, rand, arrival, office, pseudonym)),
        )


def _story(
    plan: CityPlan, rand: random.Random, arrival: date, office: int, pseudonym: bytes
) -> Iterator[Happening]:
    steps = list(_steps(plan, rand, arrival, office))
    for number, (day, code) in enumerate(steps):
        if day > plan.last_day:
            return
        base = pseudonym + bytes((number,))
        yield Happening(
            day, code, hashlib.sha256(b"act" + base).digest(), hashlib.sha256(b"n" + base).digest()
        )


def _steps(
    plan: CityPlan, rand: random.Random, arrival: date, office: int
) -> Iterator[tuple[date, Code]]:
    if office == plan.gaming_office:
        yield arrival, Code.INSUFFICIENT
        yield from _after_closing(rand, arrival, content=0.05)
        return
    pace = plan.slowness if office == plan.slow_office else 1.0
    late = plan.decay and (arrival - plan.opening).days > plan.days // 2
    if rand.random() < (0.6 if late else 0.05):
        return
    day = arrival + timedelta(days=int(rand.expovariate(1 / (QUICK_DAYS * pace))))
    yield day, Code.ASSESSING
    if rand.random() < 0.02:
        yield day + timedelta(days=rand.randrange(20)), Code.WITHDRAWN
        return
    day += timedelta(days=1 + int(rand.expovariate(1 / (5 * pace))))
    yield day, Code.NEEDS_INFO if rand.random() < 0.15 else Code.EXAMINING
    for _ in range(rand.randrange(3)):
        day += timedelta(days=rand.randrange(5, 30))
        yield day, Code.EXTENDED if rand.random() < 0.2 else Code.UPDATED
    if rand.random() < 0.12:
        return
    day += timedelta(days=int(rand.expovariate(1 / (25 * pace))))
    codes, weights = zip(*OUTCOMES, strict=True)
    yield day, rand.choices(codes, weights=weights)[0]
    yield from _after_closing(rand, day, content=0.6)


def _after_closing(
    rand: random.Random, day: date, *, content: float
) -> Iterator[tuple[date, Code]]:
    """What the reporter says: mostly nothing, else settled or not, sometimes an objection."""
    if rand.random() < 0.65:
        return
    day += timedelta(days=rand.randrange(0, 15))
    if rand.random() < content:
        yield day, Code.SETTLED
        return
    yield day, Code.NOT_SETTLED
    if rand.random() < 0.3:
        yield day, Code.REOPENED
