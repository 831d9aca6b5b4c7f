# SPDX-License-Identifier: AGPL-3.0-or-later
"""Histories and threads by chance, the same in every run: what a case may go through, and worse."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from case_mgmt.lifecycle import TABLE, Rule
from case_mgmt.model import ActKind, State
from case_mgmt.policy import Policy
from tests.support.history import OFFICER, SERVICE, History
from tests.support.thread_story import (
    ARRIVAL,
    GONE,
    MESSAGE_ACTS,
    SECOND,
    STRANGER,
    Story,
    published,
)

LONGEST = 14
_WISHES = {ActKind.CONTEST: "contest", ActKind.WITHDRAW: "withdraw"}
_REASONS = {
    State.INSUFFICIENT: "no_contact",
    State.OUTSIDE_MANDATE: "kpk",
    State.SET_ASIDE: "flood",
    State.JOINED: "sent_twice",
}


def _choose(state: State, dice: random.Random) -> tuple[ActKind, State, Rule]:
    steps = [
        (kind, target, rule)
        for (kind, source, target), rule in TABLE.items()
        if source == state and (kind is not ActKind.WITHDRAW or dice.randrange(4) == 0)
    ]
    moves = [step for step in steps if step[0] is ActKind.TRANSITION]
    return dice.choice(moves if moves and dice.randrange(2) else steps)


def _days(dice: random.Random) -> int:
    return dice.choice((0, 0, 1, 1, 2, 3, 5, 8, 13, 30, 45))


def _extras(kind: ActKind, target: State, day: date, dice: random.Random) -> dict[str, Any]:
    if kind is ActKind.EXTEND:
        return {"until": day + timedelta(days=dice.randrange(-5, 200)), "reason": "many_incidents"}
    if kind is ActKind.ASSIGN:
        return {"assignee": "penyidik-2"}
    return {"reason": _REASONS.get(target)} if kind is ActKind.TRANSITION else {}


def histories(count: int) -> Iterator[tuple[History, Policy, date]]:
    """Yield a case, a policy and a day of reading; every step is one of the table."""
    dice = random.Random(11)
    for _ in range(count):
        day = ARRIVAL + timedelta(days=dice.randrange(600))
        history = History().received(day)
        for _ in range(dice.randrange(LONGEST)):
            state = history.state
            if state is None:
                raise ValueError("nothing has happened yet")
            kind, target, rule = _choose(state, dice)
            day += timedelta(days=_days(dice))
            signer = OFFICER if kind in MESSAGE_ACTS else SERVICE
            second = SECOND if rule.second else None
            history.add(kind, target, day, signer=signer, second=second,
                        **_extras(kind, target, day, dice))  # fmt: skip
        yield history, policy(dice), day + timedelta(days=_days(dice))


def policy(dice: random.Random) -> Policy:
    """Any policy that the parser lets pass; its holidays are Indonesia's, or none."""
    whole = published().policy
    return replace(
        whole,
        assess=dice.randint(1, 10),
        first_step=dice.randint(1, 20),
        overall=dice.randint(5, 120),
        update_every_days=dice.randint(7, 60),
        pause_max=dice.randint(0, 20),
        pauses_allowed=dice.randint(0, 3),
        contest_within=dice.randint(5, 60),
        holidays=whole.holidays if dice.randrange(4) else {},
    )


Harm = Callable[[Story, random.Random], None]


def _drop(story: Story, dice: random.Random) -> None:
    del story.boxes[dice.randrange(len(story.boxes))]


def _flip(story: Story, dice: random.Random) -> None:
    at = dice.randrange(len(story.boxes))
    seq, box = story.boxes[at]
    spot = dice.randrange(len(box))
    story.boxes[at] = (
        seq,
        box[:spot] + bytes([box[spot] ^ 1 << dice.randrange(8)]) + box[spot + 1 :],
    )


def _move(story: Story, dice: random.Random) -> None:
    seq, box = story.boxes.pop(dice.randrange(len(story.boxes)))
    free = max(seq for seq, _ in [*story.boxes, (seq, box)]) + 1
    story.boxes.append((free, box))


def _forget(story: Story, dice: random.Random) -> None:
    if story.own:
        story.own.pop(dice.randrange(len(story.own)))


def _shuffle(story: Story, dice: random.Random) -> None:
    dice.shuffle(story.boxes)


HARMS: tuple[Harm, ...] = (_drop, _flip, _move, _forget, _shuffle)
_LIES: tuple[dict[str, Any], ...] = (
    {"signature": "A" * 86}, {"countersignature": "A" * 86}, {"countersigner": None}, {"act": {}},
    {"countersigner": None, "countersignature": None}, {"due": "2031-01-01"},
)  # fmt: skip


def stories(count: int) -> Iterator[Story]:
    """Yield threads that go their way through the table, most of them with something wrong."""
    dice = random.Random(12)
    for number in range(count):
        story = Story(f"by chance {number}").received()
        for _ in range(dice.randrange(LONGEST)):
            _go_on(story, dice)
        for _ in range(dice.randrange(3)):
            if story.boxes:
                dice.choice(HARMS)(story, dice)
        story.pass_days(_days(dice))
        yield story


def _go_on(story: Story, dice: random.Random) -> None:
    state = story.history.state
    if state is None:
        raise ValueError("nothing has happened yet")
    kind, target, rule = _choose(state, dice)
    story.pass_days(_days(dice))
    more = _extras(kind, target, story.day, dice)
    if kind in _WISHES and dice.randrange(8):
        story.wrote(_WISHES[kind])
    if kind is ActKind.FOLLOW_UP and dice.randrange(4):
        story.wrote("message")
    if kind in MESSAGE_ACTS and dice.randrange(6) == 0:
        more["signer"] = dice.choice((SERVICE, GONE, STRANGER, SECOND))
    if rule.second:
        more["second"] = dice.choice((SECOND, SECOND, SECOND, GONE, STRANGER, OFFICER, None))
    if dice.randrange(10) == 0:
        more["notice"] = dice.choice(_LIES)
    story.act(kind, target, **more)
    if dice.randrange(8) == 0:
        del story.history.items[-1]  # it was never part of the case
