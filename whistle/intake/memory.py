# SPDX-License-Identifier: AGPL-3.0-or-later
"""How many bytes of unfinished forms the process holds, over all connections.

Invariant: text that is arriving and sealed bytes that wait for the disk never exceed the budget
together; what does not fit is refused as `busy`. So the memory of the server does not depend on how
many forms somebody leaves half sent. Files leave room for texts (`TEXT_RESERVE`).
"""

import contextlib
from collections.abc import Iterator
from typing import Final

from aiohttp import web

from whistle.errors import RefusedError


class Budget:
    """Bytes that may be held at once."""

    def __init__(self, most: int, spare: int = 0) -> None:
        """`spare`: how many of them files may not use up."""
        self._most = most
        self._spare = spare
        self.used = 0

    def take(self, size: int, *, leaving_spare: bool = False) -> None:
        """Count bytes in; of a file, `leaving_spare` for texts.

        Raises:
            RefusedError: "busy" - there is no room for them now.
        """
        if self.used + size > self._most - (self._spare if leaving_spare else 0):
            raise RefusedError("busy")
        self.used += size

    def give_back(self, size: int) -> None:
        """The bytes are gone."""
        self.used -= size

    @contextlib.contextmanager
    def holder(self) -> Iterator["Held"]:
        """Count what is held while the block runs."""
        held = Held(self)
        try:
            yield held
        finally:
            self.give_back(held.size)


class Held:
    """What one form holds."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.size = 0

    def add(self, size: int) -> None:
        """Hold more. Raises RefusedError."""
        self._budget.take(size)
        self.size += size

    def shrink(self, size: int) -> None:
        """Hold only so much from now on."""
        self._budget.give_back(self.size - size)
        self.size = size


MEMORY: Final = web.AppKey("memory", Budget)
"""Where an application keeps its budget."""
