# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every rule of the log, each broken alone; and the cases read from an honest log."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from case_mgmt.publication.batches import opening_leaf
from case_mgmt.publication.check import Rule, as_of, cases_from, faults_in, leaves_of
from case_mgmt.publication.history import Window
from case_mgmt.publication.leaves import Code, FollowUp, Kind, Leaf, release_leaf, report_leaf
from case_mgmt.publication.weeks import batches_of
from crypto.errors import MalformedError
from tests.support.city import CityPlan, build_city

OPENING = date(2026, 1, 4)  # a Sunday


def week(number: int) -> date:
    """The Sunday that ends week `number`; week 1 is the first one covered."""
    return OPENING + timedelta(weeks=number)


def case(number: int) -> bytes:
    return number.to_bytes(16, "big")


def report(number: int, period: date) -> Leaf:
    return report_leaf(period, case(number), number.to_bytes(32, "big"))


def follow_up(number: int, period: date, wait: int, nonce: int, code: Code = Code.UPDATED) -> Leaf:
    act = FollowUp(code, wait, case(number), bytes(32))
    return act.leaf(period, nonce.to_bytes(32, "big"))


def honest() -> list[Leaf]:
    """Ten reports each in weeks 1 and 3; follow-ups after about a week; a release in week 4."""
    leaves = [opening_leaf(OPENING)]
    leaves += [report(number, week(1)) for number in range(1, 11)]
    leaves += [follow_up(number, week(2), 5, number) for number in range(1, 6)]
    leaves += [report(number, week(3)) for number in range(11, 21)]
    leaves += [follow_up(11, week(3), 2, 50), follow_up(1, week(3), 6, 51, Code.UPHELD_FIXED)]
    leaves += [release_leaf(week(4), b"r" * 32)]
    return leaves


def test_an_honest_log_breaks_no_rule() -> None:
    assert faults_in(honest()) == ()


def test_windows_begin_where_the_last_batch_of_their_kind_ended() -> None:
    one, two, three, four = batches_of(honest())
    assert one.reports == one.follow_ups == Window(date(2026, 1, 5), week(1))
    assert two.follow_ups == Window(week(1) + timedelta(days=1), week(2))
    assert three.reports == Window(week(1) + timedelta(days=1), week(3))
    assert (four.start, four.stop, four.period) == (28, 29, week(4))


def test_cases_carry_their_window_and_their_follow_ups() -> None:
    cases = cases_from(honest())
    assert [each.pseudonym for each in cases] == [case(number) for number in range(1, 21)]
    first = cases[0]
    assert first.index == 1
    assert [(event.code, event.wait, event.index) for event in first.events] == [
        (Code.UPDATED, 5, 11),
        (Code.UPHELD_FIXED, 6, 27),
    ]
    assert cases[10].window == Window(week(1) + timedelta(days=1), week(3))
    assert as_of(honest()) == week(4)


def test_the_leaf_of_a_report_may_stand_after_that_of_its_follow_up_in_the_same_batch() -> None:
    leaves = honest()
    leaves[16], leaves[26] = leaves[26], leaves[16]
    assert faults_in(leaves) == ()
    assert sum(len(each.events) for each in cases_from(leaves)) == 7


Change = Callable[[list[Leaf]], object]
BREAKS: list[tuple[str, Change, Rule, int]] = [
    ("no opening leaf", lambda log: log.pop(0), Rule.OPENING, 0),
    ("second opening", lambda log: log.append(opening_leaf(week(4))), Rule.OPENING, 29),
    ("weeks exchanged", lambda log: log.insert(28, log.pop(13)), Rule.REORDERED, 27 + 1),
    ("midweek", lambda log: log.append(replace(log[28], period=week(5) - timedelta(days=2),
     commitment=b"x" * 32)), Rule.NOT_WEEKLY, 29),
    ("nine reports", lambda log: log.pop(10), Rule.FEW_REPORTS, 1),
    ("case twice", lambda log: log.append(report(3, week(4))), Rule.REPEATED_CASE, 29),
    ("copied", lambda log: log.append(replace(log[11], period=week(4))),
     Rule.REPEATED_COMMITMENT, 29),
    ("unknown case", lambda log: log.append(follow_up(77, week(4), 1, 77)), Rule.NO_SUCH_CASE, 29),
    ("too early", lambda log: log.append(follow_up(2, week(4), 0, 78)), Rule.BACK_DATED, 29),
    ("too late", lambda log: log.append(follow_up(2, week(4), 15, 78)), Rule.BACK_DATED, 29),
    ("sooner than before", lambda log: log.extend([follow_up(12, week(4), 7, 78),
     follow_up(12, week(5), 6, 79)]), Rule.BACK_DATED, 30),
]  # fmt: skip


@pytest.mark.parametrize(("change", "rule", "index"), [each[1:] for each in BREAKS],
                         ids=[each[0] for each in BREAKS])  # fmt: skip
def test_each_broken_rule_is_named(change: Change, rule: Rule, index: int) -> None:
    leaves = honest()
    change(leaves)
    assert (rule, index) in [(fault.rule, fault.index) for fault in faults_in(leaves)]


def test_few_reports_are_logged_after_half_a_year() -> None:
    leaves = [opening_leaf(OPENING), *(report(number, week(26)) for number in range(1, 4))]
    assert faults_in(leaves) == ()
    earlier = [leaves[0], *(replace(each, period=week(25)) for each in leaves[1:])]
    assert [each.rule for each in faults_in(earlier)] == [Rule.FEW_REPORTS]


def test_what_the_rules_refuse_is_not_counted() -> None:
    leaves = [*honest(), follow_up(2, week(4), 0, 78), follow_up(77, week(4), 1, 77)]
    assert cases_from(leaves) == cases_from(honest())


def test_an_entry_that_is_no_leaf_is_named() -> None:
    entries = [each.encode() for each in honest()]
    assert leaves_of(entries) == tuple(honest())
    with pytest.raises(MalformedError, match="entry 3 "):
        leaves_of([*entries[:3], b"short"])


def test_an_empty_log_has_no_day() -> None:
    assert cases_from([]) == ()
    assert batches_of([]) == ()
    with pytest.raises(MalformedError):
        as_of([])


def test_within_a_batch_a_case_keeps_its_order() -> None:
    log = [*honest(), follow_up(12, week(4), 7, 78), follow_up(12, week(4), 5, 79)]
    assert [(each.rule, each.index) for each in faults_in(log)] == [(Rule.BACK_DATED, 30)]


def test_a_simulated_city_breaks_no_rule_and_keeps_every_case() -> None:
    city = build_city(CityPlan(reports=400, days=200, offices=4))
    assert faults_in(city.leaves) == ()
    cases = cases_from(city.leaves)
    assert len(cases) == sum(leaf.kind is Kind.REPORT for leaf in city.leaves)
    assert sum(len(each.events) for each in cases) == len(city.openings)
