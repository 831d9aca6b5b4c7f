# SPDX-License-Identifier: AGPL-3.0-or-later
"""The desk's pages on a real socket, and a browser that remembers cookies and fills in forms."""

import contextlib
import functools
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import aiohttp

from crypto.rng import system_rng
from tests.whistle.desk.bureau import PASSPHRASE, Bureau
from whistle.desk.client import ServerAddress, session_for
from whistle.desk.connection import Surroundings
from whistle.desk.keyring import find_keystores
from whistle.desk.web.app import create_app
from whistle.desk.web.desk import Desk
from whistle.desk.web.drafts import Drafts
from whistle.desk.web.guard import Door
from whistle.desk.web.pages import DeskPages
from whistle.desk.web.vault import Vault, VaultSettings
from whistle.http import serve


@dataclass
class Clock:
    """A monotonic clock that tests move."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Page:
    """An answer with its text."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    @property
    def text(self) -> str:
        return self.body.decode()

    def field(self, name: str) -> str:
        """The value of a hidden field."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        assert found is not None, f"no field {name}"
        return found[1]


@dataclass
class Browser:
    """One browser: cookies, Origin as browsers send it, redirects followed."""

    session: aiohttp.ClientSession
    base: str
    cookie: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    async def ask(self, method: str, path: str, **more: Any) -> Page:
        """One request, no redirect followed."""
        headers = dict(self.headers)
        if self.cookie is not None:
            headers["Cookie"] = self.cookie
        if method == "POST":
            headers.setdefault("Origin", self.base)
        headers.update(more.pop("headers", {}))
        headers = {name: value for name, value in headers.items() if value}
        async with self.session.request(
            method, self.base + path, headers=headers, allow_redirects=False, **more
        ) as answer:
            if "Set-Cookie" in answer.headers:
                self.cookie = answer.headers["Set-Cookie"].split(";")[0]
            return Page(answer.status, dict(answer.headers), await answer.read(), path)

    async def get(self, path: str, /) -> Page:
        """A page, redirects followed."""
        page = await self.ask("GET", path)
        return await self.get(page.headers["Location"]) if page.status == 303 else page

    async def post(self, path: str, /, **fields: str) -> Page:
        """A form sent, redirects followed."""
        page = await self.ask("POST", path, data=fields)
        return await self.get(page.headers["Location"]) if page.status == 303 else page


@dataclass
class RunningDesk:
    """A desk and a browser that has not been given the address yet."""

    desk: Desk
    browser: Browser
    clock: Clock
    port: int

    @property
    def entry(self) -> str:
        """The path of the printed address, with its token."""
        return self.desk.door.address.removeprefix(self.desk.door.origin)

    async def enter(self, person: str | None = None) -> Browser:
        """Opens the address; changes to `person`."""
        await self.browser.get(self.entry)
        if person is not None:
            await self.browser.post("/unlock", keystore=person, passphrase=PASSPHRASE)
        return self.browser


@functools.cache
def compiled_pages() -> DeskPages:
    """The templates, compiled once for all tests; rendering changes nothing in them."""
    return DeskPages()


@contextlib.asynccontextmanager
async def running_desk(
    bureau: Bureau, *, unlocked: bool = True, server: str | None = None
) -> AsyncIterator[RunningDesk]:
    """The desk for everybody's keystores; `unlocked` gives it the passphrase file."""
    clock = Clock()
    address = ServerAddress.parse(server or bureau.url, None)
    keystores = find_keystores(bureau.folder / "people")
    vault = Vault(
        VaultSettings(
            keystores=keystores,
            address=address,
            surroundings=Surroundings(system_rng),
            monotonic=clock,
            passphrase_file=bureau.passphrase_file if unlocked else None,
            look_every=0.01,
        )
    )
    desk = Desk(Door(system_rng), vault, Drafts(system_rng), "id", compiled_pages())
    async with (
        session_for(address) as connection,
        serve.listening(create_app(desk), tcp=("127.0.0.1", 0)) as listening,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
    ):
        vault.attach(connection)
        if unlocked:
            await vault.unlock(keystores[0].label)
        assert listening.port is not None
        desk.door.listen_at(listening.port)
        browser = Browser(session, f"http://127.0.0.1:{listening.port}")
        yield RunningDesk(desk, browser, clock, listening.port)


class _Outline(HTMLParser):
    """Collects tags and attributes, to say what a page can do."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def outline(text: str) -> list[tuple[str, dict[str, str | None]]]:
    """The tags of a page."""
    parser = _Outline()
    parser.feed(text)
    return parser.tags
