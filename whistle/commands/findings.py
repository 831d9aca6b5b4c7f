# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the checks of `whistle doctor` are given and give.

Invariant: a finding that is not "ok" says how to mend it.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from whistle.layout import Layout

Level = Literal["ok", "warn", "bad"]


@dataclass(frozen=True)
class Finding:
    """One line of the report: what was looked at, how it is, how to mend it."""

    level: Level
    what: str
    mend: str = ""


@dataclass(frozen=True)
class Patient:
    """What the checks look at."""

    layout: Layout
    today: date
