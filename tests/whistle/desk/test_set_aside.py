# SPDX-License-Identifier: AGPL-3.0-or-later
"""Spam is set aside by signed acts of two people, many at a time; nothing goes away."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from case_mgmt.model import State
from tests.whistle.desk.bureau import Bureau, Reporter, running_bureau
from tests.whistle.desk.commands import at_terminal, desk

SPAM = {"story": "Beli sekarang, diskon besar. " * 20, "unit": "kel-melati"}
WORDS = ("--reason", "advertising", "--message", "Ini iklan; kalau kami keliru, ajukan keberatan.")


@pytest.fixture
async def bureau(tmp_path: Path) -> AsyncIterator[Bureau]:
    async with running_bureau(tmp_path) as made:
        yield made


def _code(bureau: Bureau, case: str) -> State:
    return bureau.history(case)[-1].signed.act.target


async def test_many_at_a_time_by_two_people(bureau: Bureau) -> None:
    cases = [Reporter(bureau).report(SPAM) for _ in range(3)]
    proposed = (await desk(bureau, "pengawas", "set-aside", *cases, cases[0], *WORDS)).json
    assert [(row["case"], row["status"]) for row in proposed["cases"]] == [
        (case, "awaiting_second") for case in cases
    ]
    assert {_code(bureau, case) for case in cases} == {State.RECEIVED}
    owner = bureau.assignee(cases[0])
    mine = [case for case in cases if bureau.assignee(case) == owner]
    done = (await desk(bureau, owner, "set-aside", *mine, *WORDS)).json
    assert {row["status"] for row in done["cases"]} == {"confirmed"}
    assert {_code(bureau, case) for case in mine} == {State.SET_ASIDE}
    last = bureau.history(mine[0])[-1].signed
    assert (last.act.reason, last.countersigner is not None) == ("advertising", True)
    listed = (await desk(bureau, "pengawas", "show", mine[0])).json
    assert listed["report"]["fields"]["story"].startswith("Beli")


async def test_one_that_is_refused_stops_no_other(bureau: Bureau) -> None:
    first, second = (Reporter(bureau).report(SPAM) for _ in range(2))
    await desk(bureau, "pengawas", "set-aside", first, *WORDS)
    done = await desk(bureau, "pengawas", "set-aside", first, second, *WORDS)
    assert done.code == 1
    assert '"status": "refused"' in done.out
    assert '"status": "awaiting_second"' in done.out
    assert "1" in done.err


async def test_a_person_sees_what_it_is_and_may_say_no(bureau: Bureau) -> None:
    case = Reporter(bureau).report(SPAM)
    words = ["set-aside", case, *WORDS, *bureau.words("pengawas"), "--lang", "en"]
    refused = await asyncio.to_thread(at_terminal, "n\n", *words)
    assert refused.code == 1
    assert f"{case}  Beli sekarang" in refused.out
    assert len(bureau.history(case)) == 2
    done = await asyncio.to_thread(at_terminal, "y\n", *words)
    assert (done.code, "waiting for a second person" in done.out) == (0, True)


async def test_only_its_own_reasons(bureau: Bureau) -> None:
    case = Reporter(bureau).report(SPAM)
    done = await desk(bureau, "pengawas", "set-aside", case, "--reason", "kpk", "--message", "x")
    assert done.code == 2
