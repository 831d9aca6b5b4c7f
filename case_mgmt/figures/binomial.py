# SPDX-License-Identifier: AGPL-3.0-or-later
"""Exact binomial probabilities, without a library, so that anybody can recompute a ranking.

Invariants
* Tails are summed, never approximated by a normal curve.
* A limit is a count: an office is outside when its own count is beyond it.

Source: Clopper & Pearson (1934) for the tails; Spiegelhalter (2005) for the limits of a funnel.
"""

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import accumulate


def at_most(count: int, of: int, share: Fraction) -> float:
    """Probability of `count` or fewer."""
    return min(1.0, math.fsum(_probabilities(range(count + 1), of, share)))


def at_least(count: int, of: int, share: Fraction) -> float:
    """Probability of `count` or more."""
    return min(1.0, math.fsum(_probabilities(range(count, of + 1), of, share)))


def limits(of: int, share: Fraction, level: float) -> tuple[int, int]:
    """The smallest and the largest count inside the two-sided limits of this level."""
    chances = tuple(_probabilities(range(of + 1), of, share))
    return _inside(chances, level / 2), of - _inside(tuple(reversed(chances)), level / 2)


def _inside(chances: Sequence[float], level: float) -> int:
    """How many of the first counts together have no more than this probability."""
    return next(count for count, total in enumerate(accumulate(chances)) if total > level)


def _probabilities(counts: Iterable[int], of: int, share: Fraction) -> Iterable[float]:
    if share in {0, 1}:
        certain = 0 if share == 0 else of
        return (float(count == certain) for count in counts)
    yes, no = math.log(share), math.log(1 - share)
    whole = math.lgamma(of + 1)
    return (
        math.exp(
            whole
            - math.lgamma(count + 1)
            - math.lgamma(of - count + 1)
            + count * yes
            + (of - count) * no
        )
        for count in counts
    )
