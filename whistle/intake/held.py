# SPDX-License-Identifier: AGPL-3.0-or-later
"""How much of the clients' bodies is in memory, over all connections."""

from dataclasses import dataclass


@dataclass
class Held:
    """A count of bytes; who adds also takes away."""

    size: int = 0
