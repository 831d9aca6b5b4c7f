# SPDX-License-Identifier: AGPL-3.0-or-later
"""The quick attack finds what the plain one finds: on random cities, unprotected and cut."""

import random
from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from case_mgmt.figures.attack import Known, attack, attack_component
from case_mgmt.figures.cards import CardedCase, complete
from case_mgmt.figures.constraints import COMPONENTS
from case_mgmt.figures.draft import Past, draft, hidden
from case_mgmt.figures.published import Published
from case_mgmt.figures.reading import examined_within, exposure
from case_mgmt.figures.tables import cut
from case_mgmt.publication.leaves import Code
from tests.support.histories import logged
from tests.support.plain_attack import Found, plain_attack

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
DOMAINS = complete(
    {
        "unit": ("u1", "u2", "u3"),
        "service": ("s1", "s2"),
        "subject": ("a", "b", "c"),
        "how": ("x", "y"),
        "asked": ("zero", "50k_100k", "1m_5m"),
        "paid": ("zero", "50k_100k"),
    }
)
OPENING = date(2026, 1, 4)


def arrivals(rand: random.Random, days: Sequence[date]) -> list[CardedCase]:
    """Reports of a small city, each in a week before the last day."""
    weeks = (days[-1] - OPENING).days // 7
    pick = {
        name: [value for value in values if value != "unknown"] for name, values in DOMAINS.items()
    }
    cases = []
    for _ in range(rand.randrange(30, 160)):
        week = OPENING + timedelta(days=7 * rand.randrange(1, weeks + 1))
        events = [(Code.EXAMINING, rand.randrange(60))] if rand.random() < 0.6 else []
        values = {
            name: rand.choice(some[: rand.randrange(1, len(some) + 1)])
            for name, some in pick.items()
        }
        asked, paid = values.pop("asked"), values.pop("paid")
        case = logged(week, *events)
        cases.append(CardedCase(case, **values, asked_band=asked, paid_band=paid))
    return cases


def drafted(cases: Sequence[CardedCase], as_of: date, past: Past) -> Published:
    """The tables of a day before anything is protected."""
    known = [case for case in cases if case.case.window.last <= as_of]
    mature = [case for case in known if exposure(case.case.window, as_of) >= 30]
    examined = sum(examined_within(case.case, 30) for case in mature)
    city = Published(as_of, len(known), examined, len(mature), {}, {})
    return draft(known, city, past, DOMAINS)


def series(seed: int, *, protect: bool) -> list[Published]:
    """Releases of a random city; now and then a cell more is hidden, or a five is shown."""
    rand = random.Random(seed)
    days = [OPENING + timedelta(days=7 * 8 * number) for number in range(1, 2 + seed % 3)]
    cases, releases = arrivals(rand, days), list[Published]()
    for day in days:
        release = drafted(cases, day, Past(tuple(releases)))
        if protect:
            release, _ = cut(release, Past(tuple(releases)))
        else:
            for key in rand.sample(sorted(release.cells), 4):
                release = with_hidden(release, key)
        releases.append(release)
    return releases


def with_hidden(release: Published, key: object) -> Published:
    cells = {
        each: hidden(release.as_of) if each == key else cell for each, cell in release.cells.items()
    }
    return Published(
        release.as_of, release.received, release.examined, release.mature, cells, release.money
    )


def found(releases: Sequence[Published]) -> set[Found]:
    return {
        (each.key, each.as_of, each.before, each.low, each.high) for each in attack(releases).found
    }


def test_both_find_the_same_in_unprotected_tables() -> None:
    some = 0
    for seed in range(6):
        releases = series(seed, protect=False)
        expected = plain_attack(releases)
        assert found(releases) == expected, seed
        some += len(expected)
    assert some > 100


@pytest.mark.parametrize("seed", range(3))
def test_after_cutting_the_plain_attack_finds_nothing(seed: int) -> None:
    assert plain_attack(series(seed, protect=True)) == set()


def test_solutions_known_before_change_no_finding() -> None:
    """Those of an attack on the tables before cutting, and on another city."""
    for seed in range(4):
        releases, others = series(seed, protect=False), series(seed + 3, protect=False)
        for component in COMPONENTS:
            known = Known()
            attack_component(others, component, known)
            attack_component(
                [with_hidden(each, min(each.cells)) for each in releases], component, known
            )
            again = attack_component(releases, component, known)
            assert set(again.found) == set(attack_component(releases, component).found)


def test_a_solution_that_does_not_fit_is_not_believed() -> None:
    releases = series(1, protect=False)
    known = Known()
    honest = attack_component(releases, COMPONENTS[1], known)
    wild = [each * 3 + 50 for each in known.solutions]
    assert attack_component(releases, COMPONENTS[1], Known(wild)).found == honest.found
    assert len(known.solutions) > 10
