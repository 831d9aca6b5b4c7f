# SPDX-License-Identifier: AGPL-3.0-or-later
"""The witness's HTTP interface: `add-checkpoint`, and for monitors the latest checkpoint.

Invariants
* Deciding and remembering are one step per log: nothing is decided between them, and nothing is
  answered before the disk has it.
* A body is read to `MAX_REQUEST` bytes and for `BODY_SECONDS` at most; at most `MAX_WAITING`
  requests wait; every refusal is a constant.
* Nothing a stranger sends is logged, stored or shown before a trusted log has signed it.

Source: C2SP tlog-witness v1.0.0; docs/spec/log.md section 4.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from whistle.http import prelude  # noqa: F401 - before aiohttp

# isort: split

from aiohttp import hdrs, web

from crypto.errors import CryptoError
from crypto.tlog.note import VerifierKey
from crypto.tlog.witness import (
    BAD_REQUEST,
    MAX_REQUEST,
    PATH,
    TEXT,
    UNKNOWN,
    AddCheckpoint,
    Answer,
    Seen,
    decide,
    parse_add_checkpoint,
)
from whistle import logs
from whistle.clock import Now
from whistle.http.headers import harden_response
from whistle.witness.store import WitnessStore

BODY_SECONDS: Final = 30.0
MAX_WAITING: Final = 64
TOO_LARGE: Final = Answer(413, "request is too large\n")
TOO_SLOW: Final = Answer(408, "request took too long\n")
BUSY: Final = Answer(503, "busy\n")
BROKEN: Final = Answer(500, "this witness is out of order\n")
NOWHERE: Final = Answer(404, "not found\n")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Witness:
    """One witness and the logs it watches."""

    def __init__(self, store: WitnessStore, trusted: Sequence[VerifierKey], now: Now) -> None:
        self._store = store
        self._now = now
        self._logs: dict[str, list[VerifierKey]] = {}
        for key in trusted:
            self._logs.setdefault(key.name, []).append(key)
        self._turns = {origin: asyncio.Lock() for origin in self._logs}
        self._waiting = 0

    def check(self) -> None:
        """Read back everything remembered.  Raises StoreError: something is damaged."""
        for origin in self._logs:
            self._store.seen(origin)

    async def add_checkpoint(self, request: AddCheckpoint) -> Answer:
        """Decide, remember, answer."""
        turn = self._turns.get(request.origin)
        if turn is None:
            return UNKNOWN
        if self._waiting >= MAX_WAITING:
            return BUSY
        self._waiting += 1
        try:
            async with turn:
                # SECURITY: shielded, so that a peer that goes away cannot free the turn while the
                # disk still works (test_server.py::test_a_peer_that_leaves_frees_no_turn).
                work = asyncio.ensure_future(asyncio.to_thread(self._decide, request))
                return await _finished(work)
        finally:
            self._waiting -= 1

    async def shown(self, hashed: str) -> bytes | None:
        """The latest checkpoint of a log, by its origin's hash."""
        return await asyncio.to_thread(self._store.shown, hashed)

    def _decide(self, request: AddCheckpoint) -> Answer:
        seen = self._store.seen(request.origin)
        answer = decide(self._store.signer, self._logs, seen, request, self._now())
        if answer.seen is not None:
            self._store.remember(answer.seen)
        if seen is not None and answer.evidence is not None:
            self._testify(seen, answer.evidence)
        return answer

    def _testify(self, seen: Seen, note: str) -> None:
        if self._store.keep_evidence(seen, note):
            logs.get("witness").error("a log signed two histories")


async def _finished(work: "asyncio.Future[Answer]") -> Answer:
    """Wait for work that must not be abandoned; a cancellation is passed on once it is done."""
    cancelled: asyncio.CancelledError | None = None
    while not work.done():
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError as error:
            cancelled = error
        except Exception:  # noqa: S110 - raised again by result() below
            pass
    if cancelled is not None:
        raise cancelled
    return work.result()


WITNESS: Final = web.AppKey("witness", Witness)


def create_app(witness: Witness) -> web.Application:
    """Both prefixes, submission and monitoring, are the address itself."""
    app = web.Application(middlewares=[errors], client_max_size=MAX_REQUEST)
    app[WITNESS] = witness
    app.on_response_prepare.append(harden_response)
    app.router.add_post(PATH, _add_checkpoint)
    app.router.add_get("/{hashed:[0-9a-f]{64}}/checkpoint", _monitor)
    return app


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every refusal and every accident into a constant."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        response = _response(NOWHERE if error.status == 404 else BAD_REQUEST)
        response.set_status(error.status if error.status >= 400 else 400)
        if hdrs.ALLOW in error.headers:
            response.headers[hdrs.ALLOW] = error.headers[hdrs.ALLOW]
        return response
    except ConnectionError:
        raise
    except Exception as error:
        logs.get("witness").error("unexpected error", **logs.describe(error))
        return _response(BROKEN)


async def _add_checkpoint(request: web.Request) -> web.Response:
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await _body(request)
    except TimeoutError:
        return _closing(TOO_SLOW)
    if body is None:
        return _closing(TOO_LARGE)
    try:
        asked = parse_add_checkpoint(body)
    except CryptoError:
        return _response(BAD_REQUEST)
    answer = await request.app[WITNESS].add_checkpoint(asked)
    logs.get("witness").info("add-checkpoint", status=answer.status)
    return _response(answer)


async def _monitor(request: web.Request) -> web.Response:
    note = await request.app[WITNESS].shown(request.match_info["hashed"])
    if note is None:
        return _response(UNKNOWN)
    return web.Response(body=note, headers={hdrs.CONTENT_TYPE: TEXT})


async def _body(request: web.Request) -> bytes | None:
    """The whole body, or None if it is too large."""
    if (request.content_length or 0) > MAX_REQUEST:
        return None
    data = bytearray()
    async for piece in request.content.iter_chunked(16 * 1024):
        data += piece
        if len(data) > MAX_REQUEST:
            return None
    return bytes(data)


def _response(answer: Answer) -> web.Response:
    return web.Response(
        status=answer.status,
        body=answer.body.encode(),
        headers={hdrs.CONTENT_TYPE: answer.content_type},
    )


def _closing(answer: Answer) -> web.Response:
    response = _response(answer)
    response.force_close()
    return response
