# SPDX-License-Identifier: AGPL-3.0-or-later
"""Fixtures of the tests of the reporters' tools."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.intake import Calendar, Intake, running_intake
from tests.whistle.tool.running import stop_the_clock
from whistle.limits import MIB


@pytest.fixture
def calendar() -> Calendar:
    return Calendar()


@pytest.fixture
async def intake(
    tmp_path: Path, calendar: Calendar, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Intake]:
    stop_the_clock(monkeypatch, calendar.today)
    async with running_intake(tmp_path, calendar, max_file_bytes=5 * MIB) as running:
        yield running
