# SPDX-License-Identifier: AGPL-3.0-or-later
"""Our services in a private Tor network: everybody reaches the intake, only an authorised desk the
case server.
"""

import asyncio
import base64
import contextlib
import struct
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp_socks import ProxyConnector
from stem.control import Controller, EventType

from onion.client_auth import ClientKey
from onion.service import Addresses, OnionPlan, OnionServices, Progress
from tests.support.tornet import TorNetwork

pytestmark = [pytest.mark.tor, pytest.mark.slow]

DESK = ClientKey(b"\x07" * 32)
OTHER = ClientKey(b"\x08" * 32)

# Tor's SOCKS5 replies, with the flag ExtendedErrors (tor(1), "SocksPort").
SUCCEEDED = 0x00
REFUSED = 0x05
MISSING_AUTHORISATION = 0xF4
WRONG_AUTHORISATION = 0xF5


@dataclass
class Published:
    """Running services and what the operator heard."""

    services: OnionServices
    addresses: Addresses
    told: list[Progress]

    @property
    def cases(self) -> str:
        assert self.addresses.cases is not None
        return self.addresses.cases


@contextlib.asynccontextmanager
async def app(path: Path, text: str) -> AsyncIterator[None]:
    """A server on a unix socket that answers every request with the text."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=text)

    application = web.Application()
    application.router.add_get("/", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.UnixSite(runner, str(path)).start()
    try:
        yield
    finally:
        await runner.cleanup()


@pytest.fixture
async def published(tmp_path: Path, tor_network: TorNetwork) -> AsyncIterator[Published]:
    intake, cases = tmp_path / "intake.sock", tmp_path / "cases.sock"
    plan = OnionPlan(
        state=tmp_path / "tor", intake_target=intake, cases_target=cases,
        authorised_desks={"desk-1": DESK.public_text}, extra_torrc=tuple(tor_network.torrc_lines),
    )  # fmt: skip
    told: list[Progress] = []
    services = OnionServices(plan)
    async with app(intake, "the intake"), app(cases, "the case server"):
        addresses = await services.start(told.append)
        try:
            await services.wait_published(60)
            yield Published(services, addresses, told)
        finally:
            await services.stop()


async def knock(network: TorNetwork, host: str, port: int = 80) -> int:
    """Asks the client's SOCKS port for a connection; returns its reply."""
    reader, writer = await asyncio.open_connection("127.0.0.1", network.client_socks_port)
    try:
        async with asyncio.timeout(60):
            writer.write(b"\x05\x01\x00")
            assert await reader.readexactly(2) == b"\x05\x00"
            name = host.encode()
            writer.write(b"\x05\x01\x00\x03" + bytes([len(name)]) + name + struct.pack(">H", port))
            return (await reader.readexactly(2))[1]
    finally:
        writer.close()
        await writer.wait_closed()


async def fetch(network: TorNetwork, host: str) -> str:
    proxy = ProxyConnector.from_url(f"socks5://127.0.0.1:{network.client_socks_port}", rdns=True)
    timeout = aiohttp.ClientTimeout(total=60)
    async with (
        aiohttp.ClientSession(connector=proxy, timeout=timeout) as session,
        session.get(f"http://{host}/") as response,
    ):
        return await response.text()


def command(network: TorNetwork, words: str) -> None:
    """Tells the client's tor something; any 25x is a yes."""
    with Controller.from_socket_file(str(network.client_control)) as control:
        control.authenticate()
        answer = str(control.msg(words).raw_content())
        assert answer.startswith("25"), "the client did not take the command"


def forget_circuits(network: TorNetwork) -> None:
    """The client drops descriptors and circuits. tor may put this off for ten seconds, and then
    it would hit some later connection: so wait until it is done.
    """
    done = threading.Event()
    with Controller.from_socket_file(str(network.client_control)) as control:
        control.authenticate()
        control.add_event_listener(lambda _: done.set(), EventType.SIGNAL)
        control.signal("NEWNYM")
        assert done.wait(20)


@contextlib.asynccontextmanager
async def authorised(network: TorNetwork, address: str, key: ClientKey) -> AsyncIterator[None]:
    """The client knows this key for this address."""
    private = base64.b64encode(key.private).decode()
    label = address.removesuffix(".onion")
    await asyncio.to_thread(command, network, f"ONION_CLIENT_AUTH_ADD {label} x25519:{private}")
    try:
        yield
    finally:
        await asyncio.to_thread(command, network, f"ONION_CLIENT_AUTH_REMOVE {label}")


async def test_the_intake_is_for_everybody_and_the_cases_for_desks(
    published: Published, tor_network: TorNetwork
) -> None:
    assert await fetch(tor_network, published.addresses.intake) == "the intake"
    assert await knock(tor_network, published.addresses.intake, 443) == REFUSED

    assert await knock(tor_network, published.cases) == MISSING_AUTHORISATION
    async with authorised(tor_network, published.cases, OTHER):
        assert await knock(tor_network, published.cases) == WRONG_AUTHORISATION
    async with authorised(tor_network, published.cases, DESK):
        assert await fetch(tor_network, published.cases) == "the case server"

    percents = [progress.percent for progress in published.told]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert "published" in published.told[-1].text


async def test_a_desk_that_is_no_longer_authorised_stays_outside(
    tmp_path: Path, tor_network: TorNetwork
) -> None:
    target = tmp_path / "cases.sock"

    async def run(key: ClientKey) -> tuple[str, int]:
        plan = OnionPlan(
            state=tmp_path / "tor", intake_target=target, cases_target=target,
            authorised_desks={"desk-1": key.public_text},
            extra_torrc=tuple(tor_network.torrc_lines),
        )  # fmt: skip
        services = OnionServices(plan)
        addresses = await services.start(lambda _: None)
        try:
            await services.wait_published(60)
            assert addresses.cases is not None
            async with authorised(tor_network, addresses.cases, DESK):
                return addresses.cases, await knock(tor_network, addresses.cases)
        finally:
            await services.stop()

    async with app(target, "the case server"):
        address, reply = await run(DESK)
        assert reply == SUCCEEDED
        await asyncio.to_thread(forget_circuits, tor_network)
        again, reply = await run(OTHER)
    assert again == address
    assert reply == WRONG_AUTHORISATION
