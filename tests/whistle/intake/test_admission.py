# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who goes first, who waits, and who is told to come back."""

import asyncio

import pytest

from tests.support.http_reporter import HttpReporter
from tests.support.intake import Intake
from whistle import limits
from whistle.errors import RefusedError
from whistle.http.circuits import Circuits
from whistle.intake.admission import Admission, Work
from whistle.intake.turns import Turns

GREEDY = limits.FAIR_SCORE + 1


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def admission(clock: Clock) -> Admission:
    return Admission(Circuits(clock), clock)


async def _fill(admission: Admission, work: Work = Work.LOOK) -> None:
    for _ in range(limits.LOOK_SLOTS):
        await admission.enter(work, None)


async def _settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_whoever_asked_for_least_goes_first(admission: Admission) -> None:
    await _fill(admission)
    admission.circuits.charge(1, 100)
    admission.circuits.charge(2, 50)
    order: list[int] = []

    async def visit(circuit: int) -> None:
        await admission.enter(Work.LOOK, circuit)
        order.append(circuit)

    tasks = [asyncio.create_task(visit(circuit)) for circuit in (1, 2, 3)]
    await _settled()
    assert order == []
    for _ in tasks:
        admission.queues[Work.LOOK].leave()
        await _settled()
    assert order == [3, 2, 1]
    await asyncio.gather(*tasks)


async def test_kinds_of_work_do_not_wait_for_each_other(admission: Admission) -> None:
    await _fill(admission)
    async with asyncio.timeout(20):
        await admission.enter(Work.STORE, None)
        await admission.enter(Work.PAGE, None)


async def test_a_greedy_circuit_lets_others_by_while_they_are_here(
    admission: Admission, clock: Clock
) -> None:
    admission.circuits.charge(1, GREEDY)
    await admission.enter(Work.LOOK, 1)  # nobody else is here
    await admission.enter(Work.PAGE, 2)  # now somebody is
    waiting = asyncio.create_task(admission.enter(Work.LOOK, 1))
    await _settled()
    assert not waiting.done()
    clock.seconds += limits.OTHERS_HERE
    await asyncio.wait_for(waiting, 20)


async def test_all_greedy_circuits_together_get_one_pace(
    admission: Admission, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "GREEDY_RATE", limits.COST_LOOK)  # one look a second
    for circuit in range(1, 6):
        admission.circuits.charge(circuit, GREEDY)
    await admission.enter(Work.PAGE, 9)
    looks = [asyncio.create_task(admission.enter(Work.LOOK, one)) for one in range(1, 6)]
    await _settled()
    assert [look.done() for look in looks].count(True) == 1
    admission.queues[Work.LOOK].leave()
    await _settled()
    assert [look.done() for look in looks].count(True) == 1
    for look in looks:
        look.cancel()
    await asyncio.gather(*looks, return_exceptions=True)


async def test_a_spent_circuit_is_refused(
    admission: Admission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SPENT_PAUSE", 0.0)
    admission.circuits.charge(1, limits.MOST_SCORE)
    with pytest.raises(RefusedError, match="busy"):
        await admission.enter(Work.PAGE, 1)
    await admission.enter(Work.PAGE, 2)


async def test_the_greediest_is_shed_not_the_newest(
    admission: Admission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_WAITING", 2)
    await _fill(admission)
    admission.circuits.charge(1, 100)
    greedy = asyncio.create_task(admission.enter(Work.LOOK, 1))
    await _settled()
    first = asyncio.create_task(admission.enter(Work.LOOK, 2))
    second = asyncio.create_task(admission.enter(Work.LOOK, 3))
    await _settled()
    with pytest.raises(RefusedError, match="busy"):
        await greedy
    assert admission.queues[Work.LOOK].waiting == 2
    for one in (first, second):
        admission.queues[Work.LOOK].leave()
        await _settled()
        assert one.done()


async def test_nobody_waits_for_ever(admission: Admission, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "QUEUE_PATIENCE", 0.05)
    await _fill(admission)
    with pytest.raises(RefusedError, match="busy"):
        await admission.enter(Work.LOOK, 1)
    assert admission.queues[Work.LOOK].waiting == 0


async def test_who_goes_away_leaves_no_slot_taken(admission: Admission) -> None:
    await _fill(admission)
    queue = admission.queues[Work.LOOK]
    gone = [asyncio.create_task(admission.enter(Work.LOOK, None)) for _ in range(3)]
    await _settled()
    gone[0].cancel()
    queue.leave()  # a slot for the second, which goes away before it notices
    gone[1].cancel()
    await asyncio.gather(*gone[:2], return_exceptions=True)
    await asyncio.wait_for(gone[2], 20)
    assert queue.waiting == 0


async def test_who_has_hung_up_is_passed_over(
    admission: Admission, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _fill(admission)
    queue, is_gone = admission.queues[Work.LOOK], False
    gone = asyncio.create_task(admission.enter(Work.LOOK, 1, lambda: is_gone))
    await _settled()
    admission.circuits.charge(2, 50)
    stays = asyncio.create_task(admission.enter(Work.LOOK, 2))
    await _settled()
    is_gone = True
    queue.leave()
    await asyncio.wait_for(stays, 20)
    with pytest.raises(ConnectionError):
        await gone

    is_gone = False
    monkeypatch.setattr(limits, "MAX_WAITING", 1)
    gone = asyncio.create_task(admission.enter(Work.LOOK, 1, lambda: is_gone))
    await _settled()
    is_gone = True
    greedy = asyncio.create_task(admission.enter(Work.LOOK, 2))
    await _settled()
    assert queue.waiting == 1  # room was made without refusing anybody
    with pytest.raises(ConnectionError):
        await gone
    queue.leave()
    await asyncio.wait_for(greedy, 20)


async def test_large_bodies_take_turns() -> None:
    turns, order = Turns(), list[str]()

    async def read(who: str) -> None:
        await turns.wait(who)
        order.append(who)

    names = ["a", "a", "a", "b", "c"]
    gone = asyncio.create_task(read("gone"))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(*(read(name) for name in names), return_exceptions=True)
    assert order == ["a", "b", "c", "a", "a"]


async def test_a_short_form_does_not_take_a_turn(
    intake: Intake, reporter: HttpReporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[object] = []

    async def wait(_self: Turns, who: object) -> None:
        taken.append(who)

    monkeypatch.setattr(Turns, "wait", wait)
    await reporter.send(await reporter.draft({"story": "Satu."}))
    assert taken == []
    files = [("besar.bin", bytes(2 * limits.BULK_AFTER))]
    await reporter.send(await reporter.draft({"story": "Dua."}, files))
    assert taken
    assert all(queue.waiting == 0 for queue in intake.services.admission.queues.values())
