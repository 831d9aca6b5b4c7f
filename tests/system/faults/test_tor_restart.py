# SPDX-License-Identifier: AGPL-3.0-or-later
"""tor is killed while reporters are on their way through it: real tor, a private network."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp_socks import ProxyConnectionError, ProxyConnector, ProxyError, ProxyTimeoutError
from stem.control import Controller

from onion.service import OnionPlan, OnionServices, Progress
from tests.support.feed_records import until, waiting
from tests.support.http_reporter import Draft, HttpReporter, UnexpectedAnswerError
from tests.support.intake import Intake, running_intake
from tests.support.tornet import TorNetwork
from tests.system.test_kill import BROKEN
from whistle.http import serve
from whistle.intake.app import create_public_app

pytestmark = [pytest.mark.tor, pytest.mark.slow, pytest.mark.timeout(240)]

TROUBLE = (*BROKEN, UnexpectedAnswerError, ProxyConnectionError, ProxyError, ProxyTimeoutError)


@contextlib.asynccontextmanager
async def onion_over(
    intake: Intake, folder: Path, network: TorNetwork, told: list[Progress]
) -> AsyncIterator[tuple[OnionServices, str]]:
    """The running intake behind an onion service; its address."""
    socket = folder / "p.sock"
    plan = OnionPlan(
        state=folder / "tor", intake_target=socket, cases_target=None, authorised_desks={},
        extra_torrc=tuple(network.torrc_lines), tells_circuits=True,
    )  # fmt: skip
    services = OnionServices(plan)
    circuits = intake.services.admission.circuits
    async with serve.listening(create_public_app(intake.services), unix=socket, circuits=circuits):
        addresses = await services.start(told.append)
        try:
            await services.wait_published(120)
            yield services, f"http://{addresses.intake}"
        finally:
            await services.stop()


async def insist(reporter: HttpReporter, draft: Draft, network: TorNetwork) -> list[str]:
    """Presses the button until a receipt is shown; asks tor to look for the service anew, as
    "New circuit for this site" and time do: a client remembers for minutes where a service was.
    """
    while True:
        try:
            async with asyncio.timeout(20):
                return await reporter.send(draft)
        except TROUBLE:
            forget(network)
            await asyncio.sleep(1)


def forget(network: TorNetwork) -> None:
    """The client forgets descriptors and circuits."""
    with Controller.from_socket_file(str(network.client_control)) as control:
        control.authenticate()
        control.signal("NEWNYM")


async def insist_on_a_form(reporter: HttpReporter, story: str) -> Draft:
    while True:
        try:
            return await reporter.draft({"story": story})
        except TROUBLE:
            await asyncio.sleep(0.5)


async def test_a_form_that_was_open_is_sent_once(tmp_path: Path, tor_network: TorNetwork) -> None:
    told: list[Progress] = []
    async with (
        running_intake(tmp_path) as intake,
        onion_over(intake, tmp_path, tor_network, told) as (services, url),
    ):
        proxy = f"socks5://127.0.0.1:{tor_network.client_socks_port}"
        connector = ProxyConnector.from_url(proxy, rdns=True)
        async with HttpReporter(url, connector=connector) as reporter:
            drafts = [await insist_on_a_form(reporter, f"laporan {n} " * 20) for n in (1, 2)]
            before = await insist(reporter, drafts[0], tor_network)
            first = services.pid
            assert first is not None
            os.kill(first, signal.SIGKILL)
            await until(lambda: services.pid not in {None, first}, 60)
            assert await insist(reporter, drafts[0], tor_network) == before
            after = await insist(reporter, drafts[1], tor_network)
            assert after != before
        assert waiting(intake) == 2
    assert "tor ended by itself; it is started again." in [progress.text for progress in told]
