# SPDX-License-Identifier: AGPL-3.0-or-later
"""Numbers a reporter's client signs once, so that nothing it sends can be sent again by others.

Invariants: a nonce works once and for five minutes; when too many are out the oldest stop working,
so memory is bounded and a flood can delay a client but never let a replay through.
"""

from collections import OrderedDict
from typing import Final

from crypto.rng import Rng
from whistle.clock import Monotonic
from whistle.limits import MAX_NONCES, NONCE_LIFE

NONCE: Final = 32


class Nonces:
    """The nonces given out by this process."""

    def __init__(self, rng: Rng, monotonic: Monotonic) -> None:
        self._rng = rng
        self._now = monotonic
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._until)

    def issue(self) -> bytes:
        """Give out a new one."""
        now = self._now()
        while self._until and (len(self._until) >= MAX_NONCES or self._oldest() <= now):
            self._until.popitem(last=False)
        nonce = self._rng(NONCE)
        self._until[nonce] = now + NONCE_LIFE
        return nonce

    def take(self, nonce: bytes) -> bool:
        """Say whether this one was given out, not used and not too long ago; use it up."""
        until = self._until.pop(nonce, None)
        return until is not None and self._now() < until

    def _oldest(self) -> float:
        return next(iter(self._until.values()))
