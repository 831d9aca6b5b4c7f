# SPDX-License-Identifier: AGPL-3.0-or-later
"""Speaks to the case server: signed requests over loopback or an onion service, nothing else.

- Every request is signed afresh with the desk's device key (docs/spec/case-api.md).
- A request is sent again only when it cannot have had an effect: reading, or when no connection
  was made. For anything else the outcome is unknown and the caller must look
  (`UnknownOutcomeError`).
- Answers are read up to a limit; redirects are not followed; the environment's proxies are ignored.
- No header names this program, its libraries or their versions.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
from aiohttp_socks import ProxyConnectionError, ProxyConnector, ProxyError, ProxyTimeoutError

from crypto.encoding import canonical_json
from crypto.private.keystore import Identity
from crypto.requests import sign_request
from crypto.rng import Rng
from whistle.clock import Now
from whistle.desk.errors import (
    GateRefusedError,
    ServerRefusedError,
    UnreachableError,
    UsageError,
)
from whistle.desk.records import MAX_JSON_BYTES, read_json

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
CONNECT_SECONDS = 20.0
ONION_CONNECT_SECONDS = 90.0
"""A first rendezvous takes tens of seconds on a slow day."""
READ_SECONDS = 90.0
ATTEMPTS = 3
PAUSE_SECONDS = 0.3
CHUNK = 256 * 1024

_NO_CONNECTION = (aiohttp.ClientConnectorError, ProxyConnectionError, ProxyError, ProxyTimeoutError)
_LOST = (aiohttp.ClientError, TimeoutError, OSError)
_SILENT = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


class UnknownOutcomeError(UnreachableError):
    """The server went away after the request was sent: it may or may not have acted."""


@dataclass(frozen=True)
class ServerAddress:
    """Where the case server is: a loopback address, or an onion address behind a SOCKS proxy."""

    url: str
    proxy: str | None

    @classmethod
    def parse(cls, url: str, proxy: str | None) -> Self:
        """Accepts only addresses where nobody between can listen. Raises: UsageError."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise UsageError("desk.error.server_address") from error
        if parts.scheme != "http" or parts.path not in {"", "/"} or parts.query or parts.username:
            raise UsageError("desk.error.server_address")
        is_onion = host.endswith(".onion")
        if not is_onion and host not in LOOPBACK:
            raise UsageError("desk.error.server_address")
        if is_onion and proxy is None:
            raise UsageError("desk.error.needs_proxy")
        literal = f"[{host}]" if ":" in host else host
        return cls(f"http://{literal}" + (f":{port}" if port else ""), proxy if is_onion else None)


@dataclass(frozen=True)
class Signer:
    """What signing a request needs."""

    identity: Identity
    rng: Rng
    now: Now

    def headers(self, method: str, target: str, body: bytes) -> Mapping[str, str]:
        """Fresh headers for one request."""
        return sign_request(
            self.identity.device_seed,
            self.identity.instance_id,
            method,
            target,
            body,
            self.now(),
            self.rng,
        )


class CaseClient:
    """A connection to one case server for one person."""

    def __init__(
        self, session: aiohttp.ClientSession, address: ServerAddress, signer: Signer
    ) -> None:
        self._session = session
        self._address = address
        self._signer = signer

    async def organisation(self) -> Any:
        """GET /v1/organisation."""
        return await self._get("/v1/organisation")

    async def queue(self) -> Any:
        """GET /v1/queue."""
        return await self._get("/v1/queue")

    async def case(self, case: str) -> Any:
        """GET /v1/cases/{case}."""
        return await self._get(f"/v1/cases/{case}")

    async def post_act(self, case: str, act: Mapping[str, Any]) -> Any:
        """POST /v1/cases/{case}/acts."""
        return await self._post(f"/v1/cases/{case}/acts", act)

    async def post_note(self, case: str, note: Mapping[str, Any]) -> Any:
        """POST /v1/cases/{case}/notes."""
        return await self._post(f"/v1/cases/{case}/notes", note)

    async def post_card(self, case: str, card: Mapping[str, Any]) -> Any:
        """POST /v1/cases/{case}/card."""
        return await self._post(f"/v1/cases/{case}/card", card)

    async def get(self, target: str) -> Any:
        """GET of the interface's part about the public log."""
        return await self._get(target)

    async def post(self, target: str, content: Mapping[str, Any]) -> Any:
        """POST to the interface's part about the public log."""
        return await self._post(target, content)

    async def confirm(self, case: str, confirmation: Mapping[str, Any]) -> Any:
        """POST /v1/cases/{case}/proposal/confirm."""
        return await self._post(f"/v1/cases/{case}/proposal/confirm", confirmation)

    async def hand_back(self, case: str, proposal: Mapping[str, Any]) -> Any:
        """POST /v1/cases/{case}/proposal/return."""
        return await self._post(f"/v1/cases/{case}/proposal/return", proposal)

    @contextlib.asynccontextmanager
    async def blob(self, case: str, blob: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """GET /v1/cases/{case}/blobs/{id}, in pieces."""
        target = f"/v1/cases/{case}/blobs/{blob}"
        headers = self._signer.headers("GET", target, b"")
        with _translated(sent=False, server=self._address.url):
            answer = await self._session.get(
                self._url(target), headers=headers, allow_redirects=False
            )
        try:
            if answer.status != 200:
                raise await _refusal(answer)
            yield _pieces(answer, self._address.url)
        finally:
            answer.close()

    async def _get(self, target: str) -> Any:
        for attempt in range(ATTEMPTS):
            try:
                return await self._send("GET", target, b"")
            except UnreachableError:
                if attempt == ATTEMPTS - 1:
                    raise
                await asyncio.sleep(PAUSE_SECONDS * 2**attempt)
        raise UnreachableError("desk.error.unreachable", server=self._address.url)

    async def _post(self, target: str, data: Mapping[str, Any]) -> Any:
        return await self._send("POST", target, canonical_json(dict(data)))

    async def _send(self, method: str, target: str, body: bytes) -> Any:
        headers = dict(self._signer.headers(method, target, body))
        if body:
            headers["Content-Type"] = "application/json"
        with _translated(sent=method == "POST", server=self._address.url):
            request = self._session.request(
                method,
                self._url(target),
                data=body or None,
                headers=headers,
                allow_redirects=False,
            )
            async with request as answer:
                if answer.status != 200:
                    raise await _refusal(answer)
                return read_json(await _limited(answer))

    def _url(self, target: str) -> str:
        return self._address.url + target


@contextlib.asynccontextmanager
async def session_for(address: ServerAddress) -> AsyncIterator[aiohttp.ClientSession]:
    """A connection for as long as the block runs."""
    seconds = CONNECT_SECONDS if address.proxy is None else ONION_CONNECT_SECONDS
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=seconds, sock_read=READ_SECONDS)
    async with aiohttp.ClientSession(
        connector=_connector(address),
        timeout=timeout,
        skip_auto_headers=_SILENT,
        auto_decompress=False,
        trust_env=False,
    ) as session:
        yield session


@contextlib.asynccontextmanager
async def connect(address: ServerAddress, signer: Signer) -> AsyncIterator[CaseClient]:
    """A client for as long as the block runs."""
    async with session_for(address) as session:
        yield CaseClient(session, address, signer)


def _connector(address: ServerAddress) -> aiohttp.BaseConnector:
    if address.proxy is None:
        return aiohttp.TCPConnector(limit=4)
    try:
        return ProxyConnector.from_url(address.proxy, rdns=True)
    except ValueError as error:
        raise UsageError("desk.error.proxy_address") from error


@contextlib.contextmanager
def _translated(*, sent: bool, server: str = "") -> Any:
    """Turns the library's errors into ours; `sent` means the request may have had an effect."""
    try:
        yield
    except _NO_CONNECTION as error:
        raise UnreachableError("desk.error.unreachable", server=server) from error
    except _LOST as error:
        if sent:
            raise UnknownOutcomeError("desk.error.outcome_unknown", server=server) from error
        raise UnreachableError("desk.error.unreachable", server=server) from error


async def _pieces(answer: aiohttp.ClientResponse, server: str) -> AsyncIterator[bytes]:
    with _translated(sent=False, server=server):
        async for piece in answer.content.iter_chunked(CHUNK):
            yield piece


async def _limited(answer: aiohttp.ClientResponse) -> bytes:
    data = bytearray()
    async for piece in answer.content.iter_chunked(CHUNK):
        data += piece
        if len(data) > MAX_JSON_BYTES:
            raise UnreachableError("desk.error.bad_answer")
    return bytes(data)


async def _refusal(answer: aiohttp.ClientResponse) -> Exception:
    """The server's own reason, if it gave one in the agreed form."""
    try:
        error = read_json(await _limited(answer))["error"]
        code, message = str(error["code"]), error["message"]
        sentences = {lang: str(message[lang]) for lang in ("id", "en")}
    except (UnreachableError, LookupError, TypeError):
        if answer.status == 404:
            return GateRefusedError("desk.error.no_such_case")
        return UnreachableError("desk.error.bad_answer")
    return ServerRefusedError(code, sentences, answer.status)
