# SPDX-License-Identifier: AGPL-3.0-or-later
"""Fixtures of the intake tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.http_reporter import HttpReporter
from tests.support.intake import Calendar, Intake, running_intake

MAX_FILE = 300_000


@pytest.fixture
def calendar() -> Calendar:
    return Calendar()


@pytest.fixture
async def intake(tmp_path: Path, calendar: Calendar) -> AsyncIterator[Intake]:
    async with running_intake(tmp_path, calendar, max_file_bytes=MAX_FILE) as running:
        yield running


@pytest.fixture
async def reporter(intake: Intake) -> AsyncIterator[HttpReporter]:
    async with HttpReporter(intake.base) as one:
        yield one
