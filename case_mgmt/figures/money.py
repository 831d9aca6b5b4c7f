# SPDX-License-Identifier: AGPL-3.0-or-later
"""Money asked and paid for a service: at least so much in all, and the middle band.

Invariants
* Made from bands: every report counts with the lower end of its band, so the sum is "at least".
* At least ten reports with money; the sum is rounded down to two digits; no minimum, no maximum.
* Nothing is said where one report makes up more than half of the sum, nor where one report makes up
  more than half of what was added since the row was last said.
* A row is said anew when ten or more reports with money came since, else the old row stands.

Source: docs/spec/figures.md section 8.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

from case_mgmt.figures.cards import MONEY_FROM, CardedCase
from case_mgmt.figures.definitions import K
from case_mgmt.figures.published import Money, MoneyRow

BANDS: Final = tuple(MONEY_FROM)
NOTHING: Final = Money(None, None)


def money_row(cases: Sequence[CardedCase], as_of: date, old: MoneyRow | None) -> MoneyRow:
    """What is said about the money of these reports of one service."""
    asked = _bands([(case, case.asked_band) for case in cases])
    paid = _bands([(case, case.paid_band) for case in cases])
    fresh = MoneyRow(_said(asked), _said(paid), as_of)
    if old is None:
        return fresh
    spoken = [bands for bands, said in ((asked, old.asked), (paid, old.paid)) if said != NOTHING]
    may_change = all(_is_crowd(_since(bands, old.since)) for bands in spoken)
    return fresh if may_change else old


def rounded_down(total: int) -> int:
    """A sum with its first two digits only."""
    return total // step(total) * step(total)


def step(total: int) -> int:
    """By how much a rounded sum may be short of the sum, plus one."""
    return int(10 ** max(0, len(str(total)) - 2))


_Bands = Sequence[tuple[CardedCase, str]]


def _bands(pairs: _Bands) -> _Bands:
    return [pair for pair in pairs if pair[1] in MONEY_FROM]


def _since(bands: _Bands, day: date) -> list[str]:
    return [band for case, band in bands if case.case.window.last > day]


def _is_crowd(added: Sequence[str]) -> bool:
    return len(added) >= K and not _dominated(added)


def _dominated(bands: Sequence[str]) -> bool:
    sums = [MONEY_FROM[band] for band in bands]
    return 2 * max(sums) > sum(sums)


def _said(pairs: _Bands) -> Money:
    bands = sorted((band for _, band in pairs), key=BANDS.index)
    if len(bands) < K or _dominated(bands):
        return NOTHING
    total = sum(MONEY_FROM[band] for band in bands)
    return Money(rounded_down(total), bands[(len(bands) - 1) // 2])
