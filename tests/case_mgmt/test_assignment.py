# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who gets a case: unconflicted, investigators first, not late if possible, least loaded."""

from hypothesis import given
from hypothesis import strategies as st

from case_mgmt.assignment import choose
from case_mgmt.model import CaseId, PersonId
from crypto.manifest import Person
from crypto.xwing import recipient_from_seed
from tests.support.org import seed

CASE = CaseId("WH-0123ABCD")
RECIPIENT = recipient_from_seed(seed("anybody"))


def person(identifier: str, role: str = "investigator") -> Person:
    return Person(identifier, identifier, (role,), "unit", RECIPIENT, seed(identifier))


A, B, C = (PersonId(name) for name in "abc")
PEOPLE = [person("a"), person("b"), person("s", "supervisor"), person("o", "auditor")]


def test_the_least_loaded_gets_it() -> None:
    assert choose(CASE, PEOPLE, {A: 3, B: 2}, set()) == B
    assert choose(CASE, PEOPLE, {B: 1}, set()) == A


def test_who_is_late_gets_nothing_more_if_anybody_else_can() -> None:
    assert choose(CASE, PEOPLE, {A: 9, B: 0}, {B}) == A
    assert choose(CASE, PEOPLE, {A: 9, B: 0}, {A, B}) == B


def test_a_supervisor_only_without_investigators() -> None:
    assert choose(CASE, PEOPLE[2:], {}, set()) == "s"


def test_nobody_able_means_nobody() -> None:
    assert choose(CASE, [], {}, set()) is None
    assert choose(CASE, [person("o", "auditor")], {}, set()) is None


@given(st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=1), st.randoms())
def test_order_does_not_matter_and_only_candidates_are_chosen(
    names: list[str], rnd: object
) -> None:
    candidates = [person(name) for name in names]
    chosen = choose(CASE, candidates, {}, set())
    rnd.shuffle(candidates)  # type: ignore[attr-defined]
    assert choose(CASE, candidates, {}, set()) == chosen
    assert chosen in names


def test_ties_are_spread_over_cases() -> None:
    chosen = [choose(CaseId(f"WH-{n:08d}"), PEOPLE, {}, set()) for n in range(200)]
    assert 70 < chosen.count(A) < 130
    assert chosen.count(A) + chosen.count(B) == 200
