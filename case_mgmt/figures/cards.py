# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the publisher knows of a case beyond the log: where, what for, how, how much.

Invariants
* The values of a table are a fixed list that does not depend on the reports, so that a row's being
  there says nothing; what is not in the list counts as unknown.
* A case without a card counts as unknown everywhere; nothing is left out of a total.

Source: docs/spec/figures.md section 3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from case_mgmt.figures.definitions import UNKNOWN
from case_mgmt.publication.history import LoggedCase

MONEY_FROM: Final[Mapping[str, int]] = {
    "under_50k": 0,
    "50k_100k": 50_000,
    "100k_250k": 100_000,
    "250k_500k": 250_000,
    "500k_1m": 500_000,
    "1m_5m": 1_000_000,
    "5m_10m": 5_000_000,
    "10m_50m": 10_000_000,
    "50m_1b": 50_000_000,
    "over_1b": 1_000_000_000,
}
"""Lower ends of the bands in rupiah, rising; a band that is not here is no money."""
ATTRIBUTES: Final = ("unit", "service", "subject", "how", "asked", "paid")

Domains = Mapping[str, Sequence[str]]
"""By attribute, every value its tables have a row for."""


@dataclass(frozen=True)
class CardedCase:
    """A logged case with the attributes of its card; empty means unknown."""

    case: LoggedCase
    unit: str = UNKNOWN
    service: str = UNKNOWN
    subject: str = UNKNOWN
    how: str = UNKNOWN
    asked_band: str = UNKNOWN
    paid_band: str = UNKNOWN

    @property
    def pseudonym(self) -> bytes:
        """The case's name in the log."""
        return self.case.pseudonym

    def value(self, attribute: str, domains: Domains) -> str:
        """What the case counts as in the tables of this attribute."""
        values = {
            "unit": self.unit,
            "service": self.service,
            "subject": self.subject,
            "how": self.how,
            "asked": self.asked_band,
            "paid": self.paid_band,
        }
        value = values[attribute]
        return value if value in domains[attribute] else UNKNOWN


def complete(domains: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The domains with `unknown` in each, in a fixed order.  Raises KeyError if one is missing."""
    return {attribute: tuple(sorted({*domains[attribute], UNKNOWN})) for attribute in ATTRIBUTES}
