# SPDX-License-Identifier: AGPL-3.0-or-later
"""A house with servers' state, and what to compare after a backup was opened."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.house import House, a_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with a_house(tmp_path) as made:
        yield made
