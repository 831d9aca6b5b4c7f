# SPDX-License-Identifier: AGPL-3.0-or-later
"""Exact tails and limits, against scipy."""

from fractions import Fraction

import pytest
from scipy.stats import binom

from case_mgmt.figures.binomial import at_least, at_most, limits

CASES = [
    (count, of, share)
    for of in (1, 10, 60, 237, 1_000)
    for share in (Fraction(1, 10), Fraction(1, 2), Fraction(8791, 10_000))
    for count in {0, 1, of // 3, of - 1, of}
]


@pytest.mark.parametrize(("count", "of", "share"), CASES)
def test_tails_are_those_of_scipy(count: int, of: int, share: Fraction) -> None:
    assert at_most(count, of, share) == pytest.approx(binom.cdf(count, of, float(share)), rel=1e-8)
    assert at_least(count, of, share) == pytest.approx(
        binom.sf(count - 1, of, float(share)), rel=1e-8
    )


@pytest.mark.parametrize("of", [1, 10, 30, 237, 1_000])
@pytest.mark.parametrize("share", [Fraction(1, 10), Fraction(1, 2), Fraction(9, 10)])
@pytest.mark.parametrize("level", [0.05, 0.002])
def test_limits_by_their_definition(of: int, share: Fraction, level: float) -> None:
    low, high = limits(of, share, level)
    assert binom.cdf(low, of, float(share)) > level / 2
    assert low == 0 or binom.cdf(low - 1, of, float(share)) <= level / 2
    assert binom.sf(high - 1, of, float(share)) > level / 2
    assert high == of or binom.sf(high, of, float(share)) <= level / 2


def test_a_certain_share_leaves_no_room() -> None:
    assert limits(30, Fraction(1), 0.05) == (30, 30)
    assert limits(30, Fraction(0), 0.05) == (0, 0)
    assert at_most(29, 30, Fraction(1)) == 0
    assert at_least(1, 30, Fraction(0)) == 0
