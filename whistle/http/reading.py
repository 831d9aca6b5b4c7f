# SPDX-License-Identifier: AGPL-3.0-or-later
"""Hands what arrives on a connection to its protocol, and overwrites the place where it arrived.

uvloop receives into a buffer of its own (250 kB) that it never clears: what a reporter sent would
stay there until somebody sends more (tests/whistle/http/test_reading.py shows both). Here the event
loop receives into a buffer of ours instead.

Invariants:

* when `buffer_updated` returns, the buffer holds nothing of what arrived;
* one buffer serves all connections: the loop fills it and hands it over without a pause between.

Source: asyncio.BufferedProtocol.
"""

import asyncio
from typing import Final

RECEIVE: Final = 256 * 1024
"""Bytes taken from the system at once; as much as uvloop's own buffer."""

_ZEROS: Final = memoryview(bytes(RECEIVE))


class ReceiveBuffer:
    """The one place where bytes arrive, for all connections of an event loop."""

    def __init__(self) -> None:
        self.view: Final = memoryview(bytearray(RECEIVE))

    def take(self, count: int) -> bytes:
        """Return what has arrived and clear the place."""
        data = bytes(self.view[:count])
        self.view[:count] = _ZEROS[:count]
        return data


class ClearedReading(asyncio.BufferedProtocol):
    """Stands between the event loop and a protocol that takes bytes."""

    def __init__(
        self, protocol: asyncio.Protocol, buffer: ReceiveBuffer, most: int = RECEIVE
    ) -> None:
        """`most`: how many bytes are taken from the system at once."""
        self._protocol = protocol
        self._buffer = buffer
        self._place = buffer.view[:most]
        self.connection_lost = protocol.connection_lost  # type: ignore[method-assign]
        self.pause_writing = protocol.pause_writing  # type: ignore[method-assign]
        self.resume_writing = protocol.resume_writing  # type: ignore[method-assign]
        self.eof_received = protocol.eof_received  # type: ignore[method-assign]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Pass the connection on."""
        self._protocol.connection_made(transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        """Return where the next bytes go."""
        return self._place

    def buffer_updated(self, nbytes: int) -> None:
        """Take the bytes, clear the place, and pass them on."""
        self._protocol.data_received(self._buffer.take(nbytes))
