# SPDX-License-Identifier: AGPL-3.0-or-later
"""How the collection from the intake fares, in numbers and names that say nothing of a report."""

from dataclasses import dataclass
from typing import Any


@dataclass
class PullerStatus:
    """How the collection fares."""

    connected: bool = False
    collected: int = 0
    pushed: int = 0
    unusable: int = 0
    """Records that stay with the intake because they cannot be taken in."""
    waiting: int = 0
    """Messages that stay with the intake because their report is not here yet."""
    failing: int = 0
    """Records that could not be stored so far; each is tried again."""
    refused: int = 0
    """Notices that the intake will never take."""
    problem: str | None = None
    """Name of the latest error's class, None while all is well."""

    def to_object(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "connected": self.connected,
            "collected": self.collected,
            "pushed": self.pushed,
            "unusable": self.unusable,
            "waiting": self.waiting,
            "failing": self.failing,
            "refused": self.refused,
            "problem": self.problem,
        }
