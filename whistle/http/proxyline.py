# SPDX-License-Identifier: AGPL-3.0-or-later
"""The line with which tor begins a connection: the circuit it came on, nothing about its maker.

With `HiddenServiceExportCircuitID haproxy` tor writes, before the first byte of a client,

    PROXY TCP6 fc00:dead:beef:4dad::AAAA:BBBB ::1 PORT 80 CR LF

where `AAAA:BBBB` are the 32 bits of its own number for the circuit. Streams of one circuit have one
number; another circuit of the same client has another, so the number is worth nothing once the
circuit is gone. It stays in memory.

Invariants: at most `MAX_LINE` bytes are kept; what is not exactly such a line is refused; the bytes
after it are handed on untouched.

Sources: tor(1); the PROXY protocol, version 1, section 2.1, where 107 bytes are the longest line.
"""

import re
from typing import Final

MAX_LINE: Final = 107
"""Bytes of the longest line, its end included."""

_LINE: Final = re.compile(
    rb"PROXY TCP6 fc00:dead:beef:4dad::([0-9a-f]{1,4}):([0-9a-f]{1,4})"
    rb" ::1 [0-9]{1,5} [0-9]{1,5}\r\n",
)
_END: Final = b"\n"


class ProxyLineError(Exception):
    """A connection does not begin with tor's line."""


class ProxyLine:
    """Gathers the line; it may come in pieces."""

    def __init__(self) -> None:
        self._gathered = b""

    def feed(self, data: bytes) -> tuple[int, bytes] | None:
        """Take bytes; return the circuit and what follows the line, or None while it is not whole.

        Raises:
            ProxyLineError: this is not tor's line.
        """
        room = MAX_LINE - len(self._gathered)
        end = data.find(_END, 0, room)
        if end < 0:
            if len(data) >= room:
                raise ProxyLineError("a line too long for tor's")
            self._gathered += data
            return None
        line, rest = self._gathered + data[: end + 1], data[end + 1 :]
        return parse_proxy_line(line), rest


def parse_proxy_line(line: bytes) -> int:
    """Return the circuit (32 bits) of a whole line, its end included. Raises ProxyLineError."""
    match = _LINE.fullmatch(line)
    if match is None:
        raise ProxyLineError("not tor's line")
    return int(match[1], 16) << 16 | int(match[2], 16)
