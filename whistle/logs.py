# SPDX-License-Identifier: AGPL-3.0-or-later
"""Logging: one JSON line per event, from an allow-list of keys.

Invariants:

* an event is a constant from our own code; a key outside `ALLOWED_KEYS` is dropped, and a value
  that is not a number, a day or a short plain word is dropped too, so no request data can slip in;
* exceptions are logged as their class name and the place in our code, never with their text;
* times are whole days; the standard library's loggers, and so every library's, are silenced.

Twenty lines of our own instead of a logging library: what can never be logged is then visible at a
glance, and the intake is six megabytes smaller.
"""

import json
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Final, TextIO

ALLOWED_KEYS: Final = frozenset(
    {
        "event", "level", "day", "server", "error", "where", "count", "serial", "version",
        "port", "pid", "status", "kind", "seconds", "bytes",
    }
)  # fmt: skip
_MAX_WORD: Final = 80

Value = bool | int | float | date | str


@dataclass
class _Output:
    """Where events go; nothing is written before `configure`."""

    stream: TextIO | None = None
    today: Callable[[], date] = field(default=lambda: date.min)


_output: Final = _Output()


@dataclass(frozen=True)
class Log:
    """The log of one server."""

    server: str

    def info(self, event: str, **values: Value) -> None:
        """Record something expected."""
        self._write("info", event, values)

    def warning(self, event: str, **values: Value) -> None:
        """Record something an operator should look at."""
        self._write("warning", event, values)

    def error(self, event: str, **values: Value) -> None:
        """Record a failure."""
        self._write("error", event, values)

    def _write(self, level: str, event: str, values: dict[str, Value]) -> None:
        if _output.stream is None:
            return
        line: dict[str, Value] = {**values, "event": event, "level": level, "server": self.server}
        line["day"] = _output.today()
        kept = {key: value for key, value in line.items() if key in ALLOWED_KEYS}
        plain = {key: value for key, value in kept.items() if _is_plain(value)}
        _output.stream.write(json.dumps(plain, sort_keys=True, default=str) + "\n")
        _output.stream.flush()


def configure(today: Callable[[], date], stream: TextIO | None = None) -> None:
    """Send events to `stream` (default: standard error) and silence every library."""
    logging.disable(logging.CRITICAL)
    logging.raiseExceptions = False
    _output.stream = stream or sys.stderr
    _output.today = today


def get(server: str) -> Log:
    """Return the log of a server ("intake", "cases", "desk", …)."""
    return Log(server)


def describe(error: BaseException) -> dict[str, str]:
    """Return what may be logged of an exception: its class, and the innermost place of our code."""
    where = "unknown"
    trace = error.__traceback__
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] in {"whistle", "case_mgmt", "crypto", "onion"}:
            where = f"{module}:{trace.tb_lineno}"
        trace = trace.tb_next
    return {"error": type(error).__name__, "where": where}


def _is_plain(value: Value) -> bool:
    if not isinstance(value, str):
        return isinstance(value, bool | int | float | date)
    return (
        len(value) <= _MAX_WORD
        and value.isascii()
        and all(character.isalnum() or character in "._-:/ " for character in value)
    )
