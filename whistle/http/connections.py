# SPDX-License-Identifier: AGPL-3.0-or-later
"""Counts the connections of a server and decides which one goes when there are too many.

Invariants:

* a server never holds more connections than `most`, which leaves `DESCRIPTOR_RESERVE` descriptors
  of the process to the feed, the blobs and the database;
* whoever arrives is let in; the connection without progress for the longest time goes. Progress is
  a complete request head, a complete request, or `PROGRESS_BYTES` of a body: holding a connection
  without sending costs others nothing.
"""

import resource
from collections import OrderedDict
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
        self._open: OrderedDict[Sheddable, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: Sheddable) -> None:
        """Let a connection in; another goes if there are too many."""
        self._open[connection] = None
        while len(self._open) > self._most:
            oldest, _ = self._open.popitem(last=False)
            oldest.shed()

    def progressed(self, connection: Sheddable) -> None:
        """A connection has done something."""
        if connection in self._open:
            self._open.move_to_end(connection)

    def remove(self, connection: Sheddable) -> None:
        """A connection is gone."""
        self._open.pop(connection, None)
