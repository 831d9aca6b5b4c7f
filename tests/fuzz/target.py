# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a fuzz target is: one parser, the errors it may raise, and examples to begin with.

Invariants:

* a target answers True (accepted) or False (refused with an error of its own family); any other
  exception, a broken oracle, or more than `MAX_SECONDS` of processor time is a finding;
* a target is a function of its bytes alone: no clock, no randomness, no file, so that a finding
  stays one.
"""

import functools
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

MAX_SECONDS = 1.0
"""Processor time of one input: time of the clock would blame us for a busy machine."""


class FindingError(Exception):
    """The parser returned, and what it returned is wrong."""


class HangError(Exception):
    """One small input took too long."""


@dataclass(frozen=True)
class Target:
    """One parser. `parse` returns normally to accept; `seeds` hold at least one accepted input."""

    name: str
    parse: Callable[[bytes], None]
    refusals: tuple[type[Exception], ...]
    seeds: Callable[[], list[bytes]]
    words: tuple[bytes, ...] = ()
    max_len: int = 4096

    def run(self, data: bytes) -> bool:
        """Return whether the input was accepted. Raises whatever is a finding."""
        start = time.thread_time()
        try:
            self.parse(data)
            accepted = True
        except self.refusals:
            accepted = False
        if time.thread_time() - start > MAX_SECONDS:
            raise HangError(self.name)
        return accepted


def require(condition: object, what: str) -> None:
    """Raise FindingError unless an oracle holds."""
    if not condition:
        raise FindingError(what)


def counting_rng() -> Callable[[int], bytes]:
    """Bytes that look random and are the same in every run."""
    count = 0

    def draw(length: int) -> bytes:
        nonlocal count
        count += 1
        return hashlib.shake_256(b"fuzz %d" % count).digest(length)

    return draw


@functools.cache
def fixed(name: str, length: int = 32) -> bytes:
    """A key or an id of this name."""
    return hashlib.shake_256(name.encode()).digest(length)


def chosen(data: bytes, options: int) -> tuple[int, bytes]:
    """Split an input into which of several ways it takes, and the rest."""
    return (data[0] % options if data else 0), data[1:]


def ways(*seeds: list[bytes]) -> list[bytes]:
    """Seeds of a target with several ways: those of each way under its number."""
    return [bytes([way]) + seed for way, some in enumerate(seeds) for seed in some]
