# SPDX-License-Identifier: AGPL-3.0-or-later
"""Asks witnesses to cosign a checkpoint: all at once, each with its own time limit.

Invariants
* A cosignature is kept only after it has been verified with the witness's key from the policy.
* An onion address is never reached without the proxy, and with a proxy nothing but this computer is
  reached without it; every witness gets a circuit of its own.
* A witness that names another size is given a proof from there, a few times; a witness that holds
  another root is told apart, because then somebody has seen two histories.
* No redirect is followed, no cookie kept, an answer has a limit.

Source: C2SP tlog-witness v1.0.0; docs/spec/log.md section 4.
"""

import asyncio
import contextlib
import io
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from whistle.http import prelude  # noqa: F401 - before aiohttp

# isort: split

import aiohttp
from aiohttp_socks import ProxyConnectionError, ProxyConnector, ProxyError, ProxyTimeoutError
from yarl import URL

from crypto.errors import CryptoError
from crypto.rng import Rng
from crypto.tlog.checkpoint import parse_checkpoint
from crypto.tlog.note import MAX_NOTE, split_note
from crypto.tlog.policy import Witness
from crypto.tlog.witness import (
    PATH,
    AddCheckpoint,
    accept_cosignature,
    add_lines,
    parse_size,
)
from whistle import logs
from whistle.errors import ConfigError

SECONDS: Final = 120.0  # for one witness, all its attempts together; Tor may take a minute
ATTEMPTS: Final = 4
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_LOST: Final = (
    aiohttp.ClientError,
    ProxyConnectionError,
    ProxyError,
    ProxyTimeoutError,
    TimeoutError,
    OSError,
    ssl.SSLError,
)
_SILENT: Final = ("User-Agent", "Accept", "Accept-Encoding")

Consistency = Callable[[int], Sequence[bytes]]
"""From an earlier size to the proof up to the checkpoint's size (`Tree.consistency`)."""


class Outcome(StrEnum):
    """What became of asking one witness."""

    COSIGNED = "cosigned"
    NO_ADDRESS = "no_address"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    """It does not know the log or its key, or it is busy or out of order."""
    CONFLICT = "conflict"
    """It has seen a history that this checkpoint does not continue."""
    AHEAD = "ahead"
    """It has seen a longer log than this one."""
    UNUSABLE = "unusable"
    """Its answer is not what the protocol allows."""


ALARMING: Final = frozenset({Outcome.CONFLICT, Outcome.AHEAD})
"""Never a passing fault: two histories exist, or the log has lost its end."""


@dataclass(frozen=True)
class Result:
    """One witness, by its name in the policy; `time` is that of its cosignature."""

    name: str
    outcome: Outcome
    time: int | None = None


@dataclass(frozen=True)
class Gathered:
    """The checkpoint with every cosignature that came, and what became of each witness."""

    note: str
    results: tuple[Result, ...]


@dataclass(frozen=True)
class Route:
    """How witnesses are reached; `proxy` is like `socks5://127.0.0.1:9050` (Tor)."""

    rng: Rng
    proxy: str | None = None
    seconds: float = SECONDS


async def gather(
    note: str,
    consistency: Consistency,
    witnesses: Sequence[Witness],
    route: Route,
    *,
    last: int = 0,
) -> Gathered:
    """Ask every witness for its cosignature.

    `note` is the checkpoint as the log signed it; `last` the size the witnesses most probably know,
    which spares a round trip.  Never raises for what a witness does; raises
    LogFormatError if the note is no checkpoint, ConfigError if the proxy is no address.
    """
    size = parse_checkpoint(split_note(note)[0]).size
    if route.proxy is not None:
        _proxy(route.proxy)
    asking = _Asking(note, size, min(last, size), consistency, route)
    answers = await asyncio.gather(*(asking.ask(each) for each in witnesses))
    results = tuple(result for result, _ in answers)
    _tell(results)
    return Gathered(add_lines(note, [line for _, line in answers if line]), results)


def _tell(results: Sequence[Result]) -> None:
    """Two histories are an alarm; a witness that is away is worth a line."""
    alarming = sum(each.outcome in ALARMING for each in results)
    silent = sum(each.outcome is not Outcome.COSIGNED for each in results) - alarming
    if alarming:
        logs.get("witnesses").error("witnesses have seen another history", count=alarming)
    if silent:
        logs.get("witnesses").warning("witnesses did not cosign", count=silent)


class _Asking:
    """One checkpoint on its way to several witnesses."""

    def __init__(
        self, note: str, size: int, last: int, consistency: Consistency, route: Route
    ) -> None:
        self._note = note
        self._size = size
        self._last = last
        self._consistency = consistency
        self._route = route

    async def ask(self, witness: Witness) -> tuple[Result, str]:
        """The outcome, and the line of the cosignature."""
        if witness.url is None or not _is_reachable(witness.url, self._route.proxy):
            return Result(witness.name, Outcome.NO_ADDRESS), ""
        try:
            async with (
                asyncio.timeout(self._route.seconds),
                _session(witness.url, self._route) as session,
            ):
                return await self._converse(session, witness, witness.url)
        except _LOST:
            return Result(witness.name, Outcome.UNREACHABLE), ""

    async def _converse(
        self, session: aiohttp.ClientSession, witness: Witness, url: str
    ) -> tuple[Result, str]:
        old = self._last
        for _ in range(ATTEMPTS):
            request = AddCheckpoint(old, tuple(self._consistency(old)), self._note)
            status, body = await _post(session, url, request.encode())
            if status == 200:
                return self._accept(witness, body)
            meaning = self._refused(status, body, old)
            if isinstance(meaning, Outcome):
                return Result(witness.name, meaning), ""
            old = meaning
        return Result(witness.name, Outcome.UNUSABLE), ""

    def _accept(self, witness: Witness, body: bytes) -> tuple[Result, str]:
        try:
            line, time = accept_cosignature(self._note, body, witness.key)
        except CryptoError:
            return Result(witness.name, Outcome.UNUSABLE), ""
        return Result(witness.name, Outcome.COSIGNED, time), line

    def _refused(self, status: int, body: bytes, old: int) -> Outcome | int:
        """What a refusal means, or the size to try again from."""
        if status == 422:
            return Outcome.CONFLICT
        if status != 409:
            return Outcome.REFUSED
        try:
            known = parse_size(body)
        except CryptoError:
            return Outcome.CONFLICT  # a second root for one size, as of v1.0.0
        if known == old:
            return Outcome.CONFLICT
        return Outcome.AHEAD if known > self._size else known


async def _post(session: aiohttp.ClientSession, url: str, body: bytes) -> tuple[int, bytes]:
    async with session.post(
        URL(url.rstrip("/") + PATH, encoded=True), data=io.BytesIO(body), allow_redirects=False
    ) as answer:
        data = bytearray()
        async for piece in answer.content.iter_chunked(16 * 1024):
            data += piece
            if len(data) > MAX_NOTE:
                raise aiohttp.ClientPayloadError
        return answer.status, bytes(data)


@contextlib.asynccontextmanager
async def _session(url: str, route: Route) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(
        connector=_connector(url, route),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Content-Type": "text/plain; charset=utf-8"},
        timeout=aiohttp.ClientTimeout(total=None),
        skip_auto_headers=_SILENT,
        auto_decompress=False,
        trust_env=False,
    ) as session:
        yield session


def _connector(url: str, route: Route) -> aiohttp.BaseConnector:
    # aiohttp's own default knows no certificate authority here (whistle.http.prelude)
    secure = ssl.create_default_context() if urlsplit(url).scheme == "https" else False
    if route.proxy is None or (urlsplit(url).hostname or "") in LOOPBACK:
        return aiohttp.TCPConnector(ssl=secure)
    host, port = _proxy(route.proxy)
    user = route.rng(8).hex()
    return ProxyConnector.from_url(f"socks5://{user}:x@{host}:{port}", rdns=True, ssl=secure)


def _is_reachable(url: str, proxy: str | None) -> bool:
    """Say whether an address of the policy is one we go to, this way."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if parts.scheme not in {"http", "https"} or not host or parts.username or parts.query:
        return False
    return proxy is not None or not host.endswith(".onion")


def _proxy(proxy: str) -> tuple[str, int]:
    try:
        parts = urlsplit(proxy)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError("the proxy's address is not socks5://HOST:PORT") from error
    if parts.scheme not in {"socks5", "socks5h"} or not host or not port:
        raise ConfigError("the proxy's address is not socks5://HOST:PORT")
    return host, port
