# SPDX-License-Identifier: AGPL-3.0-or-later
"""What an operator may watch of a server: coarse counters that tell nothing of one reporter.

Invariants:

* a count is told as its order of magnitude, and nothing below ten but "0" and "<10";
* what is told changes at most every SNAPSHOT_EVERY seconds, all numbers at once, so that watching
  the socket does not time anybody's visit;
* counted are kinds of answers, never addresses, pages, people or offices.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from whistle.clock import Monotonic

SNAPSHOT_EVERY: Final = 600.0
PATH: Final = "/metrics"
LEAST: Final = 10
ANSWERED: Final = "answered"
REFUSED: Final = "refused"
BUSY: Final = "busy"
FAILED: Final = "failed"
KINDS: Final = (ANSWERED, REFUSED, BUSY, FAILED)

Gauge = Callable[[], int]


def coarse(count: int) -> str:
    """Return "0", "<10", or the power of ten that a count has reached: "10+", "100+", …"""
    if count <= 0:
        return "0"
    if count < LEAST:
        return f"<{LEAST}"
    return f"{10 ** (len(str(count)) - 1)}+"


def kind_of(status: int) -> str:
    """Return which counter an HTTP status belongs to."""
    if status == 503:
        return BUSY
    if status >= 500:
        return FAILED
    return REFUSED if status >= 400 else ANSWERED


@dataclass(frozen=True)
class Snapshot:
    """What is told until the next one."""

    at: float
    values: Mapping[str, str]


class Meter:
    """Counts the answers of one server since its start."""

    def __init__(self, monotonic: Monotonic, gauges: Mapping[str, Gauge]) -> None:
        self._now = monotonic
        self._gauges = gauges
        self._counts: Counter[str] = Counter()
        self._snapshot: Snapshot | None = None

    def count(self, status: int) -> None:
        """An answer with this status was given."""
        self._counts[kind_of(status)] += 1

    def read(self) -> Mapping[str, str]:
        """Return the values in force; they are renewed when they have grown old."""
        now = self._now()
        if self._snapshot is None or now - self._snapshot.at >= SNAPSHOT_EVERY:
            self._snapshot = Snapshot(now, self._fresh())
        return self._snapshot.values

    def _fresh(self) -> dict[str, str]:
        values = {f"answers_{kind}": coarse(self._counts[kind]) for kind in KINDS}
        return values | {name: coarse(gauge()) for name, gauge in self._gauges.items()}
