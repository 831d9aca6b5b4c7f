# SPDX-License-Identifier: AGPL-3.0-or-later
"""Plays steps one after another and says of each whether it held."""

import time
from collections.abc import Awaitable, Callable
from typing import TextIO


class Steps:
    """A step that fails does not end the play: later lines show what it broke."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._held = 0
        self._played = 0

    async def play(self, what: str, step: Callable[[], Awaitable[str]]) -> None:
        """Runs one step; its result is the detail shown beside it."""
        self._played += 1
        started = time.monotonic()
        try:
            detail = await step()
            mark = "✓"
            self._held += 1
        except Exception as error:
            detail, mark = f"{type(error).__name__}: {error}", "✗"
        seconds = time.monotonic() - started
        self._out.write(f" {mark} {self._played:>2}. {what:<48}{seconds:>6.1f} s   {detail}\n")
        self._out.flush()

    def finish(self) -> int:
        """The verdict line; exit code 1 if a step did not hold."""
        self._out.write(f"demo: {self._held} of {self._played} steps held\n")
        return 0 if self._held == self._played else 1
