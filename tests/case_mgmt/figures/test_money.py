# SPDX-License-Identifier: AGPL-3.0-or-later
"""Money from bands: at least, the middle band, never one report."""

from datetime import timedelta

import pytest

from case_mgmt.figures.cards import CardedCase
from case_mgmt.figures.money import NOTHING, money_row, rounded_down, step
from case_mgmt.figures.published import Money, MoneyRow
from tests.support.histories import SUNDAY, logged

NEXT = SUNDAY + timedelta(days=91)


def asked(*bands: str, paid: str = "zero") -> list[CardedCase]:
    return [CardedCase(logged(SUNDAY), asked_band=band, paid_band=paid) for band in bands]


def later(*bands: str) -> list[CardedCase]:
    return [CardedCase(logged(NEXT), asked_band=band) for band in bands]


def test_ten_reports_and_what_they_are_worth() -> None:
    row = money_row(asked(*["50k_100k"] * 7, *["250k_500k"] * 3), SUNDAY, None)
    assert row == MoneyRow(Money(1_100_000, "50k_100k"), NOTHING, SUNDAY)


def test_nine_reports_with_money_are_too_few() -> None:
    cases = asked(*["50k_100k"] * 9, "zero", "unknown", "not_money", "")
    assert money_row(cases, SUNDAY, None).asked == NOTHING


def test_one_report_that_is_more_than_half_is_not_told() -> None:
    assert money_row(asked(*["50k_100k"] * 12, "1m_5m"), SUNDAY, None).asked == NOTHING
    told = money_row(asked(*["50k_100k"] * 20, "1m_5m"), SUNDAY, None).asked
    assert told == Money(2_000_000, "50k_100k")


def test_the_sum_keeps_two_digits() -> None:
    assert rounded_down(4_370_000) == 4_300_000
    assert step(4_370_000) == 100_000
    assert rounded_down(0) == 0
    assert [rounded_down(n) for n in (7, 99, 105)] == [7, 99, 100]


@pytest.mark.parametrize(
    ("added", "is_told"),
    [
        ([], False),
        (["50k_100k"] * 9, False),
        (["50k_100k"] * 10, True),
        (["50k_100k"] * 10 + ["1m_5m"], False),
    ],
)
def test_the_old_row_stands_until_ten_more_have_come(added: list[str], is_told: bool) -> None:
    first = asked(*["50k_100k"] * 30)
    old = money_row(first, SUNDAY, None)
    new = money_row([*first, *later(*added)], NEXT, old)
    assert (new.since == NEXT) is is_told


def test_a_row_that_said_nothing_may_speak_at_once() -> None:
    old = MoneyRow(NOTHING, NOTHING, SUNDAY)
    assert money_row(asked(*["50k_100k"] * 10), NEXT, old).asked.at_least == 500_000
