# SPDX-License-Identifier: AGPL-3.0-or-later
"""The intake's feed as the case server uses it: collect, acknowledge, bring back.

Invariants
* Every request is signed with the service key; a Unix socket or an onion service is the only way.
* Answers are read up to a limit; redirects are not followed; the environment's proxies are ignored.
* No header names this program, its libraries or their versions.
* Whatever goes wrong is a `FeedError`, on the way a `FeedLostError`; only a clear refusal of what
  is brought is a `FeedRefusedError`.

Specification: docs/spec/case-api.md, section 8.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import aiohttp
from aiohttp_socks import ProxyConnectionError, ProxyConnector, ProxyError, ProxyTimeoutError
from yarl import URL

from case_mgmt.model import BlobId, RecordId
from case_mgmt.store.log_ports import PublicFile
from case_mgmt.store.ports import OutboxEntry
from crypto.encoding import b64, canonical_json, parse_json
from crypto.errors import MalformedError
from crypto.requests import sign_request
from crypto.rng import Rng
from whistle.cases.errors import (
    FeedClosedError,
    FeedError,
    FeedGoneError,
    FeedLostError,
    FeedRefusedError,
)
from whistle.cases.limits import (
    FEED_CONNECT_TIMEOUT,
    FEED_READ_TIMEOUT,
    MAX_FEED_ANSWER,
    PIECE,
)
from whistle.clock import Now

_LOST: Final = (
    aiohttp.ClientError,
    TimeoutError,
    OSError,
    ProxyConnectionError,
    ProxyError,
    ProxyTimeoutError,
)
_FOR_GOOD: Final = frozenset({400, 409, 413, 422})
_SAYING: Final = {401: FeedClosedError, 410: FeedGoneError}
_JSON: Final = {"Content-Type": "application/json"}
_SILENT: Final = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


@dataclass(frozen=True)
class FeedAddress:
    """Where the feed is: a Unix socket, or a URL, through a SOCKS proxy if need be."""

    socket: Path | None = None
    url: str | None = None
    proxy: str | None = None

    def connector(self) -> aiohttp.BaseConnector:
        """A fresh connector."""
        if self.socket is not None:
            return aiohttp.UnixConnector(path=str(self.socket), limit=2)
        if self.proxy is not None:
            return ProxyConnector.from_url(self.proxy, rdns=True, limit=2)
        return aiohttp.TCPConnector(limit=2)

    def locate(self, target: str) -> URL:
        """The address of a target, exactly as it was signed."""
        base = "http://feed" if self.socket is not None or self.url is None else self.url
        return URL(base.rstrip("/") + target, encoded=True)


@dataclass(frozen=True, repr=False)
class FeedSigner:
    """What signing a request needs."""

    seed: bytes
    instance_id: bytes
    now: Now
    rng: Rng

    def headers(self, method: str, target: str, body: bytes) -> dict[str, str]:
        """Fresh headers for one request."""
        return sign_request(self.seed, self.instance_id, method, target, body, self.now(), self.rng)


class Listing(NamedTuple):
    """Unparsed records, and whether more wait behind them."""

    records: list[Any]
    more: bool


class FeedClient:
    """One connection to the feed."""

    def __init__(
        self, session: aiohttp.ClientSession, address: FeedAddress, signer: FeedSigner
    ) -> None:
        self._session = session
        self._address = address
        self._signer = signer

    async def records(self, limit: int, after: RecordId | None = None) -> Listing:
        """What waits to be collected, after this record if one is given."""
        cursor = "" if after is None else f"&after={after}"
        answer = await self._ask("GET", f"/feed/v1/records?limit={limit:d}{cursor}", b"")
        try:
            content = parse_json(answer, max_bytes=MAX_FEED_ANSWER)
            listed, more = content["records"], content.get("more", False)
        except (MalformedError, KeyError, TypeError, AttributeError) as error:
            raise FeedError("the feed's listing is malformed") from error
        if not isinstance(listed, list) or not isinstance(more, bool):
            raise FeedError("the feed's listing is malformed")
        return Listing(listed, more)

    async def blob(self, blob: BlobId) -> AsyncGenerator[bytes, None]:
        """A sealed attachment, in pieces."""
        async with self._request("GET", f"/feed/v1/blobs/{blob}", b"") as answer:
            async for piece in answer.content.iter_chunked(PIECE):
                yield piece

    async def acknowledge(self, records: Sequence[RecordId]) -> None:
        """Let the intake erase what is safe here."""
        await self._post("/feed/v1/ack", {"records": list(records)})

    async def push(self, entries: Sequence[OutboxEntry]) -> None:
        """Put notices into mailboxes.  Raises FeedRefusedError when they can never go in."""
        content = [
            {"thread": entry.thread, "seq": entry.seq, "box": b64(entry.box)} for entry in entries
        ]
        await self._post("/feed/v1/mailbox", {"entries": content})

    async def publish(self, statistics: dict[str, Any]) -> None:
        """Hand over the public counts."""
        await self._post("/feed/v1/statistics", statistics)

    async def public_files(self) -> int:
        """How many public files the intake holds."""
        answer = await self._ask("GET", "/feed/v1/files", b"")
        try:
            count = parse_json(answer, max_bytes=MAX_FEED_ANSWER)["count"]
        except (MalformedError, KeyError, TypeError) as error:
            raise FeedError("the feed's answer is malformed") from error
        if not isinstance(count, int):
            raise FeedError("the feed's answer is malformed")
        return count

    async def push_files(self, files: Sequence[PublicFile]) -> None:
        """Hand over public files.  Raises FeedRefusedError when they can never go in."""
        content = [{"path": each.path, "content": b64(each.content)} for each in files]
        await self._post("/feed/v1/files", {"files": content})

    async def _post(self, target: str, content: dict[str, Any]) -> None:
        await self._ask("POST", target, canonical_json(content))

    async def _ask(self, method: str, target: str, body: bytes) -> bytes:
        async with self._request(method, target, body) as answer:
            data = bytearray()
            async for piece in answer.content.iter_chunked(PIECE):
                data += piece
                if len(data) > MAX_FEED_ANSWER:
                    raise FeedError("the feed's answer is too large")
            return bytes(data)

    @asynccontextmanager
    async def _request(
        self, method: str, target: str, body: bytes
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        headers = self._signer.headers(method, target, body) | (_JSON if body else {})
        try:
            async with self._session.request(
                method,
                self._address.locate(target),
                data=body or None,
                headers=headers,
                allow_redirects=False,
            ) as answer:
                if method == "POST" and answer.status in _FOR_GOOD:
                    raise FeedRefusedError("the intake refuses this for good")
                if answer.status != 200:
                    raise _SAYING.get(answer.status, FeedError)("the feed refuses")
                yield answer
        except _LOST as error:
            raise FeedLostError("the feed cannot be reached") from error


@asynccontextmanager
async def connect(address: FeedAddress, signer: FeedSigner) -> AsyncIterator[FeedClient]:
    """A feed client for as long as the block runs."""
    timeout = aiohttp.ClientTimeout(
        total=None, sock_connect=FEED_CONNECT_TIMEOUT, sock_read=FEED_READ_TIMEOUT
    )
    async with aiohttp.ClientSession(
        connector=address.connector(),
        timeout=timeout,
        skip_auto_headers=_SILENT,
        auto_decompress=False,
        trust_env=False,
    ) as session:
        yield FeedClient(session, address, signer)
