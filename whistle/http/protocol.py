# SPDX-License-Identifier: AGPL-3.0-or-later
"""One HTTP connection: aiohttp's handler without its logging, echoing and telling headers.

Invariants:

* nothing a peer sent is ever logged: an unexpected error is one line with its class and place;
* a request that the HTTP parser rejects gets a constant body and our headers, after a pause: it
  must not be cheaper to send nonsense than to answer it;
* a peer that reads nothing for `WRITE_TIMEOUT` while an answer waits is cut off;
* with circuits, a connection begins with tor's line (`whistle.http.proxyline`); one that does not,
  and one of a circuit that has asked for too much, is cut off.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

from aiohttp import HttpVersion10, web
from aiohttp.web_protocol import RequestHandler

from whistle import limits, logs
from whistle.http import headers
from whistle.http.circuits import Circuits
from whistle.http.connections import Connections
from whistle.http.proxyline import ProxyLine, ProxyLineError

BODIES: Final = {
    400: b"400 Bad Request\n",
    417: b"417 Expectation Failed\n",
    500: b"500 Internal Server Error\n",
    504: b"504 Gateway Timeout\n",
}


class Protocol(RequestHandler):
    """aiohttp's connection handler without its logging, echoing and telling headers."""

    __slots__ = (
        "_circuits", "_line", "_pause", "_received", "_requests", "_siblings", "_unread",
        "_wire", "circuit",
    )  # fmt: skip

    def __init__(
        self, siblings: Connections, circuits: Circuits | None, *args: Any, **keywords: Any
    ) -> None:
        """`circuits`: where the scores are kept, if tor says which circuit a connection is of."""
        super().__init__(*args, **keywords)
        self.circuit: int | None = None
        self._circuits = circuits
        self._line = None if circuits is None else ProxyLine()
        self._pause = 0.0
        self._siblings = siblings
        self._wire: asyncio.Transport | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._requests = 0
        self._received = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accept the connection; another one goes if there are too many."""
        self._wire = cast("asyncio.Transport", transport)
        super().connection_made(transport)
        self._siblings.add(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection."""
        self._siblings.remove(self)
        self._stop_waiting()
        super().connection_lost(exc)
        self._wire = None

    def data_received(self, data: bytes) -> None:
        """Parse what arrived; a complete head and a good piece of a body are progress."""
        if self._line is not None:
            data = self._after_line(self._line, data)
            if not data:
                return
        super().data_received(data)
        self._received += len(data)
        if self._request_count != self._requests or self._received >= limits.PROGRESS_BYTES:
            self._requests, self._received = self._request_count, 0
            self._siblings.progressed(self)

    def _after_line(self, line: ProxyLine, data: bytes) -> bytes:
        """Take tor's line off; return what follows it."""
        try:
            found = line.feed(data)
        except ProxyLineError:
            logs.get("http").error("no circuit from tor, connection closed")
            self.shed()
            return b""
        if found is None:
            return b""
        self._line = None
        self.circuit, rest = found
        if not self._siblings.belongs(self, self.circuit):
            self.shed()
            return b""
        if self._circuits is not None and self._circuits.is_spent(self.circuit):
            # Later: who is hung up on at once is back at once.
            self._loop.call_later(limits.SPENT_PAUSE, self.shed)
            if self._wire is not None:
                self._wire.pause_reading()
            return b""
        return rest

    def pause_writing(self) -> None:
        """The peer reads more slowly than we write: it gets some time."""
        super().pause_writing()
        self._wait_for_reading(self._unsent())

    def resume_writing(self) -> None:
        """The peer has read."""
        self._stop_waiting()
        super().resume_writing()

    def _wait_for_reading(self, unsent: int) -> None:
        self._unread = self._loop.call_later(limits.WRITE_TIMEOUT, self._look_again, unsent)

    def _look_again(self, before: int) -> None:
        """Cut off a peer that has read nothing since."""
        unsent = self._unsent()
        if unsent < before:
            self._wait_for_reading(unsent)
        else:
            self.shed()

    def _unsent(self) -> int:
        return 0 if self._wire is None else self._wire.get_write_buffer_size()

    def _stop_waiting(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Answer; a request that has come to its answer is progress."""
        if self._pause:
            await asyncio.sleep(self._pause)
        self._siblings.progressed(self)
        return await super().finish_response(request, resp, start_time)

    def shed(self) -> None:
        """Close at once, without waiting for a peer that may not read."""
        wire = self._wire
        self.force_close()
        if wire is not None:
            wire.abort()

    def log_exception(self, *_args: Any, **keywords: Any) -> None:
        """Log the class and our own place of an error, nothing of the request.

        A peer that goes away is no error.
        """
        error = keywords.get("exc_info")
        if isinstance(error, ConnectionError):
            return
        known = logs.describe(error) if isinstance(error, BaseException) else {}
        logs.get("http").error("unexpected error", **known)

    def _price_of_nonsense(self) -> float:
        """Charge the circuit; return how long the answer waits, longer each time."""
        cost = limits.COST_MALFORMED
        score = self._circuits.charge(self.circuit, cost) if self._circuits is not None else cost
        return limits.MALFORMED_PAUSE * min(limits.MALFORMED_STEPS, max(1.0, score / cost))

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - holds bytes of the peer
    ) -> web.StreamResponse:
        """Answer a rejected request or a failed handler with a constant body, then close.

        SECURITY: aiohttp's own answer echoes the request and logs it with the peer's address
        (tests/whistle/http/test_serve.py::test_malformed_requests_get_our_headers).
        """
        if isinstance(exc, ConnectionError):
            raise exc
        if status >= 500:
            self.log_exception(exc_info=exc)
        else:
            self._pause = self._price_of_nonsense()
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun already")
        body = BODIES.get(status, BODIES[500])
        response = headers.HardResponse(
            body=body, status=status, headers={"Content-Type": headers.TEXT}
        )
        response.force_close()
        return response


Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


async def guarded(handle: Handler, request: web.BaseRequest) -> web.StreamResponse:
    """Refuse, before any routing, what aiohttp itself would answer with bytes of the request, and
    HTTP/0.9, which the parser lets pass."""
    expect = request.headers.get("Expect")
    if expect is not None and expect.lower() != "100-continue":
        return _refused(417)
    if request.version < HttpVersion10:
        return _refused(400)
    return await handle(request)


def _refused(status: int) -> web.Response:
    response = headers.HardResponse(body=BODIES[status], status=status)
    response.force_close()
    return response


def circuit_of(request: web.BaseRequest) -> int | None:
    """Return the circuit a request came on; None if tor does not tell, or there is no tor."""
    protocol = request.protocol
    return protocol.circuit if isinstance(protocol, Protocol) else None
