# SPDX-License-Identifier: AGPL-3.0-or-later
"""Firefox with JavaScript: as in Tor Browser at Standard, and at Safer without a compiler."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import cast

import pytest

from tests.support.browser_build import bundle
from tests.support.firefox import Firefox
from tests.support.firefox_prefs import Level
from tests.support.service import Service


@pytest.fixture(params=["standard", "safer"])
async def scripted(request: pytest.FixtureRequest) -> AsyncIterator[Firefox]:
    """A browser that runs scripts, compiled or not; the switches hold from its start."""
    async with Firefox(level=cast(Level, request.param)) as browser:
        yield browser


@pytest.fixture
async def standard() -> AsyncIterator[Firefox]:
    """A browser that runs scripts."""
    async with Firefox(level="standard") as browser:
        yield browser


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A whistle without Tor."""
    running = Service(tmp_path / "state", "--no-tor")
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The same for tests that do not stop it and do not mind each other's reports."""
    running = Service(tmp_path_factory.mktemp("shared") / "state", "--no-tor")
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def functions(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The functions of the worker, as a script for a test page."""
    return bundle(tmp_path_factory.mktemp("bundle"), "vectors")
