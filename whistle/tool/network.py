# SPDX-License-Identifier: AGPL-3.0-or-later
"""Speaks to a site: an onion address behind a SOCKS proxy, or loopback; nothing else.

Invariants:

* an onion address is checked by its checksum before anything is sent, and never reached without
  the proxy; each run has a circuit of its own (SOCKS user name, IsolateSOCKSAuth);
* no redirect is followed, no cookie kept, no header names this program; answers have a limit;
* the environment's proxies are ignored.
"""

import contextlib
import io
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp_socks import ProxyConnectionError, ProxyConnector, ProxyError, ProxyTimeoutError
from multidict import CIMultiDict
from yarl import URL

from crypto.encoding import canonical_json, parse_json
from crypto.errors import CryptoError
from crypto.rng import Rng
from onion.address import parse_address
from onion.errors import OnionError
from whistle.tool.errors import NetworkError, RefusedBySiteError

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
CONNECT_SECONDS: Final = 120.0
READ_SECONDS: Final = 300.0
MAX_ANSWER: Final = 64 * 1024 * 1024
MAX_SMALL: Final = 4 * 1024 * 1024
_LOST: Final = (
    aiohttp.ClientError,
    ProxyConnectionError,
    ProxyError,
    ProxyTimeoutError,
    TimeoutError,
    OSError,
    ssl.SSLError,
)
_SILENT: Final = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


@dataclass(frozen=True)
class Address:
    """Where a site is, and through what it is reached."""

    url: str
    proxy: str | None

    @classmethod
    def parse(cls, url: str, proxy: str | None) -> "Address":
        """Accept only addresses where nobody between can listen. Raises: NetworkError."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise NetworkError("tool.address") from error
        if parts.scheme != "http" or parts.path not in {"", "/"} or parts.query or parts.username:
            raise NetworkError("tool.address")
        onion = host.endswith(".onion")
        if not onion and host not in LOOPBACK:
            raise NetworkError("tool.address")
        if onion:
            _check_onion(host, proxy)
        literal = f"[{host}]" if ":" in host else host
        return cls(f"http://{literal}" + (f":{port}" if port else ""), proxy if onion else None)


def _check_onion(host: str, proxy: str | None) -> None:
    try:
        parse_address(".".join(host.split(".")[-2:]))
    except OnionError as error:
        raise NetworkError("tool.onion_wrong") from error
    if proxy is None:
        raise NetworkError("tool.needs_proxy")


class Site:
    """One connection to a site."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session = session
        self._base = base

    async def get(self, path: str, most: int = MAX_SMALL) -> bytes:
        """Fetch a file. Raises: NetworkError; RefusedBySiteError: it is not there."""
        return await self.request("GET", path, None, {}, most)

    async def json(
        self, method: str, path: str, value: Any = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Exchange JSON. Raises: NetworkError."""
        body = None if value is None else canonical_json(value)
        sent = dict(headers or {})
        if body is not None:
            sent["Content-Type"] = "application/json"
        data = await self.request(method, path, body, sent, MAX_ANSWER)
        try:
            answer = parse_json(data, max_bytes=MAX_ANSWER)
        except CryptoError as error:
            raise NetworkError("tool.answer") from error
        if not isinstance(answer, dict):
            raise NetworkError("tool.answer")
        return answer

    async def request(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        most: int = MAX_SMALL,
    ) -> bytes:
        """Send one request; return the body of a 200. Raises: NetworkError."""
        try:
            async with self._session.request(
                method,
                URL(self._base + path, encoded=True),
                data=None if body is None else io.BytesIO(body),
                headers=CIMultiDict(headers),
                allow_redirects=False,
            ) as answer:
                data = await _limited(answer, most)
                if answer.status != 200:
                    raise RefusedBySiteError(answer.status, _code(data))
                return data
        except _LOST as error:
            raise NetworkError("tool.unreachable") from error

    async def post_form(self, path: str, form: aiohttp.FormData) -> bytes:
        """Send a form with a file. Raises: NetworkError."""
        body = form()
        try:
            async with self._session.post(
                URL(self._base + path, encoded=True),
                data=body,
                headers=CIMultiDict({"Content-Type": body.headers["Content-Type"]}),
                allow_redirects=False,
            ) as answer:
                data = await _limited(answer, MAX_SMALL)
                if answer.status != 200:
                    raise RefusedBySiteError(answer.status, "")
                return data
        except _LOST as error:
            raise NetworkError("tool.unreachable") from error


@contextlib.asynccontextmanager
async def connected(address: Address, rng: Rng) -> AsyncIterator[Site]:
    """A site for the length of a block. Raises: NetworkError: the proxy's address is no address."""
    async with aiohttp.ClientSession(
        connector=_connector(address, rng),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS
        ),
        skip_auto_headers=_SILENT,
        auto_decompress=False,
        trust_env=False,
    ) as session:
        yield Site(session, address.url)


def _connector(address: Address, rng: Rng) -> aiohttp.BaseConnector:
    if address.proxy is None:
        return aiohttp.TCPConnector()
    try:
        parts = urlsplit(address.proxy)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise NetworkError("tool.proxy") from error
    if parts.scheme not in {"socks5", "socks5h"} or not host or not port:
        raise NetworkError("tool.proxy")
    user = rng(8).hex()
    return ProxyConnector.from_url(f"socks5://{user}:x@{host}:{port}", rdns=True)


async def _limited(answer: aiohttp.ClientResponse, most: int) -> bytes:
    data = bytearray()
    async for piece in answer.content.iter_chunked(256 * 1024):
        data += piece
        if len(data) > most:
            raise NetworkError("tool.answer")
    return bytes(data)


def _code(data: bytes) -> str:
    """Return the code of an error answer, if it is one of the interface's."""
    try:
        code = parse_json(data, max_bytes=4096).get("error", "")
    except (CryptoError, AttributeError):
        return ""
    return code if isinstance(code, str) and code.isascii() and code.isprintable() else ""
