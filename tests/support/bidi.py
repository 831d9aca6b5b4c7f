# SPDX-License-Identifier: AGPL-3.0-or-later
"""One WebDriver BiDi connection: commands with answers, events with waiters.

Only what the browser tests need, over aiohttp's websocket client, so that no driver binary and no
further dependency is wanted (W3C WebDriver BiDi, sections 3.1 to 3.5).

- A command either returns the result object or raises `BidiError` with the remote end's code and
text. - A waiter is registered *before* the command that causes its event, so no event is missed.
"""

import asyncio
import contextlib
import itertools
import json
from collections.abc import Callable
from typing import Any

import aiohttp

COMMAND_TIMEOUT = 90.0  # seconds; generous, for a machine whose cores are taken
MESSAGE_LIMIT = 256 * 1024 * 1024  # bytes; a full-page screenshot is one base64 string

Event = dict[str, Any]


class BidiError(Exception):
    """The browser refused a command, or the connection is gone."""


class BidiConnection:
    """A websocket with numbered commands and filtered event waiters."""

    def __init__(
        self, http: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse
    ) -> None:
        self._http = http
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._waiters: list[tuple[Callable[[str, Event], bool], asyncio.Future[tuple[str, Event]]]]
        self._waiters = []
        self._listeners: list[Callable[[str, Event], None]] = []
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, url: str) -> "BidiConnection":
        """Connect and begin a session."""
        http = aiohttp.ClientSession()
        try:
            socket = await http.ws_connect(url, max_msg_size=MESSAGE_LIMIT, autoping=True)
        except BaseException:
            await http.close()
            raise
        connection = cls(http, socket)
        await connection.send("session.new", capabilities={"alwaysMatch": {}})
        return connection

    async def send(self, method: str, timeout: float = COMMAND_TIMEOUT, **params: Any) -> Any:
        """Send one command and return its result."""
        number = next(self._numbers)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            await self._socket.send_str(
                json.dumps({"id": number, "method": method, "params": params})
            )
            return await asyncio.wait_for(answer, timeout)
        except TimeoutError:
            raise BidiError(f"{method}: no answer within {timeout} s") from None
        finally:
            self._answers.pop(number, None)

    def expect(self, wanted: Callable[[str, Event], bool]) -> asyncio.Future[tuple[str, Event]]:
        """Return a future for the first event from now on that *wanted(method, params)* accepts."""
        future: asyncio.Future[tuple[str, Event]] = asyncio.get_running_loop().create_future()
        self._waiters.append((wanted, future))
        return future

    def listen(self, listener: Callable[[str, Event], None]) -> None:
        """Tell *listener* every event from now on."""
        self._listeners.append(listener)

    async def close(self) -> None:
        """Close the socket; pending commands and waiters fail."""
        await self._socket.close()
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader
        await self._http.close()

    async def _read(self) -> None:
        try:
            async for message in self._socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._dispatch(json.loads(message.data))
        finally:
            gone = BidiError("the browser closed the connection")
            for future in [*self._answers.values(), *(future for _, future in self._waiters)]:
                if not future.done():
                    future.set_exception(gone)
                    future.exception()  # a waiter nobody awaits is not an error of its own

    def _dispatch(self, message: dict[str, Any]) -> None:
        if message["type"] == "event":
            self._notify(message["method"], message["params"])
            return
        answer = self._answers.get(message["id"]) if message.get("id") is not None else None
        if answer is None or answer.done():
            return
        if message["type"] == "success":
            answer.set_result(message["result"])
        else:
            answer.set_exception(BidiError(f"{message['error']}: {message['message']}"))

    def _notify(self, method: str, params: Event) -> None:
        for listener in self._listeners:
            listener(method, params)
        kept = []
        for wanted, future in self._waiters:
            if future.done():
                continue
            if wanted(method, params):
                future.set_result((method, params))
            else:
                kept.append((wanted, future))
        self._waiters = kept
