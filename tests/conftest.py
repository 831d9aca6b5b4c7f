# SPDX-License-Identifier: AGPL-3.0-or-later
"""Fixtures of the whole suite: the private Tor network (once a session), real Firefox windows."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.firefox import Firefox
from tests.support.tornet import TorNetwork

PROGRAMS = {"tor": "tor", "browser": "firefox-esr"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without tor or Firefox their tests are left out, but never where they are required."""
    if os.environ.get("WHISTLE_REQUIRE_SYSTEM"):
        return
    for mark, program in PROGRAMS.items():
        if shutil.which(program) is None:
            absent = pytest.mark.skip(reason=f"{program} is not installed")
            for item in items:
                if item.get_closest_marker(mark):
                    item.add_marker(absent)


@pytest.fixture(scope="session")
def tor_network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TorNetwork]:
    """A private Tor network on loopback."""
    with TorNetwork(tmp_path_factory.mktemp("tor")) as network:
        yield network


@pytest.fixture
async def firefox() -> AsyncIterator[Firefox]:
    """Firefox at Safest: no JavaScript."""
    async with Firefox(level="safest") as browser:
        yield browser


@pytest.fixture
async def firefox_over_tor(tor_network: TorNetwork) -> AsyncIterator[Firefox]:
    """The same, every connection through the private Tor network."""
    async with Firefox(level="safest", socks_port=tor_network.client_socks_port) as browser:
        yield browser
