# SPDX-License-Identifier: AGPL-3.0-or-later
"""Fixtures of the client interface."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.intake import Calendar, Intake, running_intake
from tests.support.sealed_client import SealedClient, Sealer

MAX_FILE = 5_000_000


@pytest.fixture
def calendar() -> Calendar:
    return Calendar()


@pytest.fixture
async def intake(tmp_path: Path, calendar: Calendar) -> AsyncIterator[Intake]:
    async with running_intake(tmp_path, calendar, max_file_bytes=MAX_FILE) as running:
        yield running


@pytest.fixture
async def client(intake: Intake) -> AsyncIterator[SealedClient]:
    async with SealedClient(intake.base) as one:
        yield one


@pytest.fixture
def sealer(intake: Intake) -> Sealer:
    return Sealer(intake.org)
