# SPDX-License-Identifier: AGPL-3.0-or-later
"""How much each circuit has lately asked for. There is no other identity here, and none is needed.

A circuit's score is the sum of what its requests cost, halved every `SCORE_HALF_LIFE` seconds. Up
to `FAIR_SCORE` it is one of many and goes before those above; above `MOST_SCORE` it is refused
until the score has fallen.

Invariants:

* scores live in memory, under the number tor gave the circuit, and are forgotten: the circuits that
  have been quiet longest go first when there are more than `MAX_CIRCUITS`;
* a connection without a circuit (loopback, or a tor that does not tell) has no score and is never
  refused for one: limits that would count all strangers as one visitor would let a single one lock
  everybody out;
* nothing here depends on whether a code is known: the same request costs the same.
"""

from collections import OrderedDict
from dataclasses import dataclass

from whistle import limits
from whistle.clock import Monotonic


@dataclass
class _Use:
    score: float
    at: float


class Circuits:
    """The scores of the circuits of one server."""

    def __init__(self, monotonic: Monotonic) -> None:
        self._now = monotonic
        self._uses: OrderedDict[int, _Use] = OrderedDict()

    def __len__(self) -> int:
        return len(self._uses)

    def score(self, circuit: int | None) -> float:
        """Return what a circuit has lately asked for; 0 for none."""
        use = None if circuit is None else self._uses.get(circuit)
        return 0.0 if use is None else self._present(use)

    def charge(self, circuit: int | None, cost: float) -> float:
        """Add to a circuit's score; return the new one, 0 for no circuit."""
        if circuit is None:
            return 0.0
        use = self._uses.get(circuit)
        if use is None:
            use = self._uses[circuit] = _Use(0.0, self._now())
            if len(self._uses) > limits.MAX_CIRCUITS:
                self._uses.popitem(last=False)
        else:
            self._uses.move_to_end(circuit)
        use.score, use.at = self._present(use) + cost, self._now()
        return use.score

    def is_greedy(self, circuit: int | None) -> bool:
        """Say whether a circuit has asked for more than its share."""
        return self.score(circuit) > limits.FAIR_SCORE

    def is_spent(self, circuit: int | None) -> bool:
        """Say whether a circuit has asked for so much that it is refused."""
        return self.score(circuit) > limits.MOST_SCORE

    def _present(self, use: _Use) -> float:
        return float(use.score * 0.5 ** ((self._now() - use.at) / limits.SCORE_HALF_LIFE))
