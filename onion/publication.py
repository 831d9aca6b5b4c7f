# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whether a service can be found: counts the uploads of its descriptors.

tor makes two descriptors of a service, for this period and the next, and sends each to several
directories. A client needs one of them from any directory that has it, asks a few, and gives up
when none has.

- A service counts as published once three quarters of its uploads have arrived: then at least half
  of the directories have each descriptor. All of them would be too much to wait for, since tor
  does not tell of every upload that is lost.
- Published stays published.

Source: Tor control-spec, section 4.1.25 (HS_DESC); Tor rend-spec-v3, section 2.2.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

ENOUGH_PARTS = 3
ALL_PARTS = 4


class Step(Enum):
    """What happened to one upload."""

    BEGUN = "begun"
    ARRIVED = "arrived"
    FAILED = "failed"


@dataclass(frozen=True)
class Upload:
    """One step of one upload."""

    address: str
    step: Step


@dataclass
class Publication:
    """The uploads of one run of tor."""

    _open: Counter[str] = field(default_factory=Counter, init=False)
    _arrived: Counter[str] = field(default_factory=Counter, init=False)
    _published: set[str] = field(default_factory=set, init=False)

    def hear(self, upload: Upload) -> None:
        """Counts one step."""
        address = upload.address
        if upload.step is Step.BEGUN:
            self._open[address] += 1
            return
        self._open[address] = max(0, self._open[address] - 1)
        self._arrived[address] += upload.step is Step.ARRIVED
        arrived = self._arrived[address]
        total = arrived + self._open[address]
        if arrived and ALL_PARTS * arrived >= ENOUGH_PARTS * total:
            self._published.add(address)

    def covers(self, addresses: Iterable[str]) -> bool:
        """Returns whether all of these are published."""
        return self._published.issuperset(addresses)
