# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page with scripts believes what the page without them believes: the same threads, entry by
entry, and the same clocks, once read by `whistle.intake.replies` and once by whistle/browser."""

import base64
import json
import subprocess
from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from case_mgmt import deadlines
from case_mgmt.acts import Act
from case_mgmt.model import State
from case_mgmt.policy import Policy
from tests.support import random_stories, thread_cases
from tests.support.browser_build import bundle
from tests.support.thread_story import RECEIPT, Story, published
from tests.support.vectors import FOLDER
from whistle.intake.replies import History, read_thread

pytestmark = [pytest.mark.slow, pytest.mark.timeout(480)]
BY_CHANCE = 120
CLOCKS = 600
Verdict = list[Any]


@cache
def stories() -> tuple[Story, ...]:
    return (*thread_cases.stories(), *random_stories.stories(BY_CHANCE))


@cache
def clocks() -> tuple[tuple[tuple[Act, ...], Policy, date], ...]:
    return tuple(
        (history.acts, policy, today) for history, policy, today in random_stories.histories(CLOCKS)
    )


def iso(day: date | None) -> str | None:
    return None if day is None or day == date.min else day.isoformat()


def read(story: Story) -> History:
    return read_thread(story.view, published().keys, published().office, story.today)


def verdict(history: History) -> Verdict:
    """Everything that the page shows of it, and what the next message refers to."""
    context = history.context
    items = [
        [iso(one.day), one.code, one.author, one.text, one.reason, one.files, one.note]
        for one in context.timeline
    ]
    return [
        context.state, context.is_by_former, iso(context.received), iso(context.due),
        context.due_kind, iso(context.overall_due), iso(context.overdue_since),
        iso(context.contest_until), context.paused, items, history.seen, history.prev.hex(),
    ]  # fmt: skip


def clock(acts: tuple[Act, ...], policy: Policy, today: date) -> Verdict:
    found = deadlines.due(acts, policy, today)
    return [
        iso(found.next_due), found.next_kind, iso(found.overall_due), iso(found.overdue_since),
        iso(found.contest_until), found.paused,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Verdict]]:
    """What the browser's functions say, from one process."""
    folder: Path = tmp_path_factory.mktemp("threads")
    bundle(folder, "vectors")
    public = published()
    texts = {"data": public.manifest_bytes, "signature": public.signature,
             "policy": public.policy_bytes}  # fmt: skip
    work = {
        "published": {
            "root": public.instance_id.hex(),
            "receipt": RECEIPT.raw.hex(),
            **{name: base64.b64encode(data).decode() for name, data in texts.items()},
        },
        "threads": [
            {"today": story.today.isoformat(), "answer": story.answer} for story in stories()
        ],
        "clocks": [
            {
                "history": [act.to_object() for act in acts],
                "policy": json.loads(policy.to_json()),
                "today": today.isoformat(),
            }
            for acts, policy, today in clocks()
        ],
    }
    done = subprocess.run(
        ["node", str(FOLDER / "threads.mjs"), str(folder / "vectors.js")],
        input=json.dumps(work), capture_output=True, text=True, check=False, timeout=400,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer: dict[str, list[Verdict]] = json.loads(done.stdout)
    return answer


def test_the_same_of_every_thread(theirs: dict[str, list[Verdict]]) -> None:
    differing = [
        (story.name, mine, other)
        for story, other in zip(stories(), theirs["threads"], strict=True)
        if (mine := verdict(read(story))) != other
    ]
    assert differing == []


def test_the_same_on_every_clock(theirs: dict[str, list[Verdict]]) -> None:
    differing = [
        (mine, other)
        for one, other in zip(clocks(), theirs["clocks"], strict=True)
        if (mine := clock(*one)) != other
    ]
    assert differing == []


def test_the_threads_show_everything_that_can_be_shown(theirs: dict[str, list[Verdict]]) -> None:
    notes = Counter(item[6] for found in theirs["threads"] for item in found[9])
    assert min(notes[note] for note in (None, "unreadable", "unverified", "former", "unknown")) > 20
    assert {found[0] for found in theirs["threads"]} == set(State)
    assert {found[1] for found in theirs["threads"]} == {True, False}
    for place, least in ((4, 4), (6, 10), (7, 10), (8, 2)):
        assert len({json.dumps(found[place]) for found in theirs["threads"]}) >= least, place


def test_the_clocks_differ(theirs: dict[str, list[Verdict]]) -> None:
    kinds = Counter(found[1] for found in theirs["clocks"])
    assert all(kinds[kind] > 10 for kind in (None, "assess", "first_step", "update", "overall"))
    assert sum(found[3] is not None for found in theirs["clocks"]) > 50
    assert sum(found[4] is not None for found in theirs["clocks"]) > 20
    assert sum(found[5] for found in theirs["clocks"]) > 10


def test_a_story_is_the_same_in_every_run() -> None:
    first, second = ([story.today for story in random_stories.stories(9)] for _ in range(2))
    assert first == second
