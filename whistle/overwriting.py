# SPDX-License-Identifier: AGPL-3.0-or-later
"""Freed memory is overwritten: what makes the C library do it, and a proof that it does.

Python's own allocator keeps freed memory as it was, and so does glibc's as it is delivered. glibc
overwrites every freed block if it is told to before it starts (`glibc.malloc.perturb`, mallopt(3)
M_PERTURB), but not those in its per-thread cache, so that is switched off; `PYTHONMALLOC=malloc`
brings all of Python's objects there. An environment cannot be changed from inside: a process that
was started without it starts itself once more, under the same process id.

Invariants:

* `start_again_overwriting` comes before anything secret is in memory, and starts at most once;
* objects in reference cycles and in Python's free lists are freed at every sweep
  (whistle/intake/sweeping.py), so that overwriting reaches them soon.

Source: glibc manual, "Memory Allocation Tunables"; docs/adr/0030-freed-memory-is-overwritten.md.
"""

import contextlib
import ctypes
import gc
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final

PERTURB: Final = 165
"""The byte whose complement new blocks are filled with, and itself freed ones; any but 0 will do.
"""

TUNABLES: Final = f"glibc.malloc.perturb={PERTURB}:glibc.malloc.tcache_count=0"
ENVIRONMENT: Final[Mapping[str, str]] = {"PYTHONMALLOC": "malloc", "GLIBC_TUNABLES": TUNABLES}
_SIZES: Final = (40, 200, 1_000, 9_000, 60_000)
"""Bytes of the blocks tried by the proof: small, large, and beyond Python's own allocator."""

_HEADER: Final = 32  # bytes before the content of a bytes object, CPython 3.11 to 3.14
_LINKS: Final = 32  # bytes at the start of a free block that glibc uses for itself
_TRIED: Final = "WHISTLE_OVERWRITING"


def start_again_overwriting(command: Sequence[str] | None = None) -> None:
    """Start this process once more with freed memory overwritten, unless it is so already.

    `command` is the interpreter and its arguments; by default those of this process.
    """
    if _TRIED in os.environ or is_asked_for(os.environ):
        return
    words = list(command or sys.orig_argv)
    environment = {**os.environ, **ENVIRONMENT, _TRIED: "1"}
    given = os.environ.get("GLIBC_TUNABLES")
    if given:
        environment["GLIBC_TUNABLES"] = f"{given}:{TUNABLES}"
    sys.stdout.flush()
    sys.stderr.flush()
    with contextlib.suppress(OSError):  # the proof will say that it did not work
        os.execve(sys.executable, [sys.executable, *words[1:]], environment)  # noqa: S606


def is_asked_for(environment: Mapping[str, str]) -> bool:
    """Say whether an environment asks for it."""
    tunables = environment.get("GLIBC_TUNABLES", "").split(":")
    return environment.get("PYTHONMALLOC") == "malloc" and set(TUNABLES.split(":")) <= set(tunables)


def is_overwriting() -> bool:
    """Try it: fill blocks, free them, and look at what is left where they were."""
    return all(_is_gone(size) for size in _SIZES)


def _is_gone(size: int) -> bool:
    mark = bytes((PERTURB ^ 0x5A,))
    block = mark * size
    place = id(block) + _HEADER
    if ctypes.string_at(place, size) != block:
        return False  # not the layout we know: nothing is proved
    del block
    return mark * 8 not in ctypes.string_at(place + _LINKS - _HEADER, size)


def sweep() -> int:
    """Free what only cycles and free lists still hold; return how many objects that were."""
    return gc.collect()


def settle() -> None:
    """Take what is in memory now out of all later sweeps: modules and tables that stay for good.

    Called once, before the first request.
    """
    gc.collect()
    gc.freeze()
