# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who goes first when there is more to do than can be done. Nobody is asked who they are.

A request takes a slot of its kind of work (`Work`) once everything it sends has arrived, and gives
it back with its answer. While slots are taken, or a greedy circuit (`whistle.http.circuits`) has to
let others by, it waits.

Invariants:

* whoever has asked for least goes first, and among equals whoever came first;
* while somebody else is here, all greedy circuits together get `GREEDY_RATE`; while nobody is, they
  get everything;
* who hangs up while waiting costs nobody a turn;
* at most `MAX_WAITING` requests of a kind wait, none longer than `QUEUE_PATIENCE`; when there are
  more, the one whose circuit has asked for most is told `busy`, not the newest;
* waiting comes before any work that depends on what was sent, so it tells nothing about a code;
* large bodies are read in turns (`whistle.intake.turns`): a short form does not wait for five
  hundred files.

Source: Demers, Keshav, Shenker, "Analysis and Simulation of a Fair Queueing Algorithm" (1989), for
the order and for whom to drop; docs/adr/0020.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from aiohttp import web

from whistle import limits
from whistle.clock import Monotonic
from whistle.errors import RefusedError
from whistle.http.circuits import Circuits
from whistle.http.protocol import circuit_of
from whistle.intake.turns import Turns

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Work(Enum):
    """Kinds of work, each with slots of its own: a stuck disk must not hold up pages."""

    PAGE = auto()
    LOOK = auto()
    STORE = auto()
    PIECE = auto()


@dataclass(frozen=True)
class _Price:
    slots: int
    cost: float


_PRICES: Final = {
    Work.PAGE: _Price(limits.PAGE_SLOTS, limits.COST_PAGE),
    Work.LOOK: _Price(limits.LOOK_SLOTS, limits.COST_LOOK),
    Work.STORE: _Price(limits.STORE_SLOTS, limits.COST_STORE),
    Work.PIECE: _Price(limits.MAX_CONNECTIONS, limits.COST_PIECE),  # it arrives slowly
}


@dataclass(eq=False)
class _Waiting:
    """A request that waits; `score` is what its circuit had asked for when it came."""

    score: float
    cost: float
    is_gone: Callable[[], bool]
    turn: asyncio.Future[None]

    @property
    def is_over(self) -> bool:
        """Say whether nobody waits any more."""
        return self.turn.done() or self.is_gone()


@dataclass
class _Pace:
    """What all kinds of work have in common: who is here, and when the greedy may go on."""

    now: Monotonic
    others_until: float = 0.0
    greedy_from: float = 0.0

    def see(self, score: float) -> None:
        """Notice a request."""
        if score <= limits.FAIR_SCORE:
            self.others_until = self.now() + limits.OTHERS_HERE

    def delay(self, score: float) -> float:
        """Return how many seconds a request must let others by."""
        now = self.now()
        if score <= limits.FAIR_SCORE or now >= self.others_until:
            return 0.0
        return max(0.0, self.greedy_from - now)

    def take(self, waiting: _Waiting) -> None:
        """A request goes ahead."""
        if waiting.score > limits.FAIR_SCORE:
            started = max(self.now(), self.greedy_from)
            self.greedy_from = started + waiting.cost / limits.GREEDY_RATE


class Queue:
    """The slots of one kind of work, and who waits for them."""

    def __init__(self, slots: int, pace: _Pace) -> None:
        self._free = slots
        self._pace = pace
        self._waiting: list[_Waiting] = []
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    async def enter(self, score: float, cost: float, is_gone: Callable[[], bool]) -> None:
        """Take a slot, or wait for one; `is_gone` says whether the visitor has hung up.

        Raises:
            RefusedError: "busy" - too many wait, or it took too long.
            ConnectionError: the visitor has hung up.
        """
        one = _Waiting(score, cost, is_gone, asyncio.get_running_loop().create_future())
        self._pace.see(score)
        self._waiting.append(one)
        self._admit()
        if len(self._waiting) > limits.MAX_WAITING:
            self._make_room()
        try:
            async with asyncio.timeout(limits.QUEUE_PATIENCE):
                await one.turn
        except BaseException as error:
            self._withdraw(one)
            if isinstance(error, TimeoutError):
                raise RefusedError("busy") from None
            raise

    def leave(self) -> None:
        """Give a slot back."""
        self._free += 1
        self._admit()

    def _admit(self) -> None:
        """Give slots to whoever is next."""
        while self._free and self._waiting:
            one = min(self._waiting, key=_least)
            if one.is_over:
                self._drop(one)
                continue
            delay = self._pace.delay(one.score)
            if delay:
                self._again_in(delay)
                return
            self._waiting.remove(one)
            self._pace.take(one)
            self._free -= 1
            one.turn.set_result(None)

    def _again_in(self, delay: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(delay, self._look_again)

    def _look_again(self) -> None:
        self._timer = None
        self._admit()

    def _drop(self, one: _Waiting) -> None:
        """Forget a request that nobody waits for."""
        self._waiting.remove(one)
        if not one.turn.done():
            one.turn.set_exception(ConnectionResetError("the visitor has hung up"))

    def _make_room(self) -> None:
        """Forget who has hung up; or tell the greediest, of these the newest, to come back."""
        gone = [one for one in self._waiting if one.is_over]
        for one in gone:
            self._drop(one)
        if gone:
            return
        one = max(reversed(self._waiting), key=_least)
        self._waiting.remove(one)
        one.turn.set_exception(RefusedError("busy"))

    def _withdraw(self, one: _Waiting) -> None:
        """A request that waited has gone away: its place, or its slot, is free."""
        if one in self._waiting:
            self._waiting.remove(one)
        elif not one.turn.cancelled() and one.turn.exception() is None:
            self.leave()


def _least(one: _Waiting) -> float:
    return one.score


class Admission:
    """Slots, turns and scores of one server."""

    def __init__(self, circuits: Circuits, now: Monotonic) -> None:
        pace = _Pace(now)
        self.circuits: Final = circuits
        self.turns: Final = Turns()
        self.queues: Final = {work: Queue(price.slots, pace) for work, price in _PRICES.items()}

    async def enter(
        self, work: Work, circuit: int | None, is_gone: Callable[[], bool] = lambda: False
    ) -> Queue:
        """Take a slot and return where to give it back.

        Raises:
            RefusedError: "busy" - the circuit has asked for too much, or too many wait.
            ConnectionError: the visitor has hung up.
        """
        price = _PRICES[work]
        score = self.circuits.charge(circuit, price.cost)
        if score > limits.MOST_SCORE:
            await asyncio.sleep(limits.SPENT_PAUSE)
            raise RefusedError("busy")
        queue = self.queues[work]
        await queue.enter(score, price.cost, is_gone)
        return queue


ADMISSION: Final = web.AppKey("admission", Admission)
_TAKEN: Final = web.RequestKey("slot", Queue)
_WORK: Final = web.RequestKey("work", Work)


async def admit(request: web.Request) -> None:
    """Take a slot for a request whose body is here; the middleware gives it back.

    Raises:
        RefusedError: "busy".
    """
    admission = request.app.get(ADMISSION)
    if admission is None or _TAKEN in request:
        return
    work = request.get(_WORK, Work.STORE)
    request[_TAKEN] = await admission.enter(
        work, circuit_of(request), lambda: request.transport is None
    )


async def wait_turn(request: web.BaseRequest, app: web.Application) -> None:
    """Wait for the turn to read more of a large body."""
    admission = app.get(ADMISSION)
    if admission is not None:
        circuit = circuit_of(request)
        await admission.turns.wait(request.protocol if circuit is None else circuit)


@web.middleware
async def in_order(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Admit requests without a body at once, others once their body is here (`admit`)."""
    work = work_of(request)
    request[_WORK] = work
    try:
        if request.method not in {"POST", "PUT"} or work is Work.PIECE:
            await admit(request)
        return await handler(request)
    finally:
        queue = request.get(_TAKEN)
        if queue is not None:
            queue.leave()


def work_of(request: web.Request) -> Work:
    """Say what kind of work a request is; looking at a thread is the same with or without one."""
    if request.method == "PUT":
        return Work.PIECE
    path = request.path
    if request.method == "POST":
        return Work.LOOK if path.endswith(("/status", "/threads/read")) else Work.STORE
    return Work.LOOK if "/status/" in path else Work.PAGE
