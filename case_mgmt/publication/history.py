# SPDX-License-Identifier: AGPL-3.0-or-later
"""The cases as the public log tells them: the only input of the city's figures.

Invariants
* Built from leaves alone, so that everybody gets the same cases from the same log.
* Within a case, events keep the order of the log.

Source: docs/spec/log.md section 5.
"""

from dataclasses import dataclass, field
from datetime import date

from case_mgmt.publication.leaves import Code


@dataclass(frozen=True)
class Window:
    """The days a batch covers, both inclusive."""

    first: date
    last: date


@dataclass(frozen=True)
class LoggedEvent:
    """One follow-up leaf of a case."""

    code: Code
    wait: int
    """Band of `leaves.WAIT_EDGES`, counted from arrival."""
    window: Window
    """The days covered by the batch that brought it."""
    index: int
    """Its place in the log."""


@dataclass(frozen=True)
class LoggedCase:
    """One report and what followed."""

    pseudonym: bytes
    commitment: bytes
    window: Window
    """The days in which it arrived."""
    index: int
    events: tuple[LoggedEvent, ...] = field(default=())
