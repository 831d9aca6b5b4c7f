# SPDX-License-Identifier: AGPL-3.0-or-later
"""The attacker who knows the rules: every table that would have looked the same.

For a city of so many reports, all ways to spread them over three subjects are tried, the tables are
made of each, and those that look alike are put together.  What a hidden cell can have been, to
somebody who knows the program, is what it is in any of them.
"""

from collections import defaultdict
from datetime import date
from functools import cache

import pytest

from case_mgmt.figures.draft import Past
from case_mgmt.figures.published import Cell, Key, Published
from case_mgmt.figures.tables import cut

DAY = date(2026, 3, 29)
NAMES = ("a", "b", "c")
Said = tuple[int | None, ...]


@cache
def published(received: int, drafted: Said) -> Said:
    cells = {
        Key("subject", name): Cell(count, DAY) for name, count in zip(NAMES, drafted, strict=True)
    }
    release, _ = cut(Published(DAY, received, 0, 0, cells, {}), Past())
    return tuple(release.cells[Key("subject", name)].count for name in NAMES)


@pytest.mark.slow
@pytest.mark.parametrize("received", [12, 29])
def test_of_a_hidden_cell_at_least_ten_values_stay_possible(received: int) -> None:
    worlds: dict[Said, list[tuple[int, int, int]]] = defaultdict(list)
    for first in range(received + 1):
        for second in range(received + 1 - first):
            world = (first, second, received - first - second)
            drafted = tuple(count if count >= 10 else None for count in world)
            worlds[published(received, drafted)].append(world)
    hidden = 0
    for said, alike in worlds.items():
        for place in range(3):
            possible = {world[place] for world in alike}
            if said[place] is None and min(possible) < 10:
                hidden += 1
                assert len(possible) >= 10, (said, sorted(possible))
    assert hidden > 0
