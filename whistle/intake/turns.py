# SPDX-License-Identifier: AGPL-3.0-or-later
"""Large bodies are read in turns: one piece per round of the event loop.

Invariant: everybody who waits has one turn before anybody has two, so that whoever sends five
hundred files at once is as fast with all of them as another with one. When many wait, there is a
gap between turns for everything else the server has to do.
"""

import asyncio
from collections import OrderedDict, deque

from whistle import limits


class Turns:
    """Lets large bodies be read in turns."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[object, deque[asyncio.Future[None]]] = OrderedDict()
        self._is_due = False

    async def wait(self, who: object) -> None:
        """Return when it is the turn of `who`; one turn per round of the event loop."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.setdefault(who, deque()).append(turn)
        if not self._is_due:
            self._is_due = True
            loop.call_soon(self._next)
        await turn

    def _next(self) -> None:
        self._is_due = False
        while self._waiting:
            who, turns = self._waiting.popitem(last=False)
            turn = turns.popleft()
            if turns:
                self._waiting[who] = turns  # behind everybody else
            if not turn.done():
                turn.set_result(None)
                break
        if self._waiting:
            self._is_due = True
            loop = asyncio.get_running_loop()
            if len(self._waiting) < limits.TURN_CROWD:
                loop.call_soon(self._next)
            else:
                loop.call_later(limits.TURN_GAP, self._next)
