# SPDX-License-Identifier: AGPL-3.0-or-later
"""Counts the connections of a server and decides which one goes when there are too many.

Invariants:

* a server never holds more connections than `most`, which leaves `DESCRIPTOR_RESERVE` descriptors
  of the process to the feed, the blobs and the database;
* whoever arrives is let in; the connection without progress for the longest time goes. Progress is
  a complete request head, a complete request, or `PROGRESS_BYTES` of a body: holding a connection
  without sending costs others nothing;
* where circuits are known, none has more than `MAX_CIRCUIT_CONNECTIONS`, and the one with the most,
  if these are more than `FAIR_CONNECTIONS`, loses one before any other does.
"""

import resource
from collections import Counter, OrderedDict
from typing import Protocol

from whistle import limits


class Sheddable(Protocol):
    """A connection that can be cut off."""

    def shed(self) -> None:
        """Close at once, also when the peer reads nothing."""


def most_connections() -> int:
    """Return how many connections the process has descriptors for."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return limits.MAX_CONNECTIONS
    return max(1, min(limits.MAX_CONNECTIONS, soft - limits.DESCRIPTOR_RESERVE))


class Connections:
    """The connections of one server, the one without progress for the longest time first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: OrderedDict[Sheddable, int | None] = OrderedDict()
        self._counts: Counter[int] = Counter()

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: Sheddable) -> None:
        """Let a connection in; another goes if there are too many."""
        self._open[connection] = None
        while len(self._open) > self._most:
            oldest = self._victim()
            self.remove(oldest)
            oldest.shed()

    def belongs(self, connection: Sheddable, circuit: int) -> bool:
        """Count a connection to its circuit; False if the circuit has enough of them."""
        if connection not in self._open:
            return False
        if self._counts[circuit] >= limits.MAX_CIRCUIT_CONNECTIONS:
            return False
        self._open[connection] = circuit
        self._counts[circuit] += 1
        return True

    def progressed(self, connection: Sheddable) -> None:
        """A connection has done something."""
        if connection in self._open:
            self._open.move_to_end(connection)

    def remove(self, connection: Sheddable) -> None:
        """A connection is gone."""
        circuit = self._open.pop(connection, None)
        if circuit is None:
            return
        self._counts[circuit] -= 1
        if not self._counts[circuit]:
            del self._counts[circuit]

    def _victim(self) -> Sheddable:
        for circuit, count in self._counts.most_common(1):
            if count > limits.FAIR_CONNECTIONS:
                return next(one for one, its in self._open.items() if its == circuit)
        return next(iter(self._open))
