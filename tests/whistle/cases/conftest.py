# SPDX-License-Identifier: AGPL-3.0-or-later
"""Fixtures of the case server tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.case_server import CaseServer, running_cases


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[CaseServer]:
    async with running_cases(tmp_path) as running:
        yield running
