# SPDX-License-Identifier: AGPL-3.0-or-later
"""Logging: one JSON line per event, from an allow-list of keys.

Invariants:

* an event is a constant from our own code; a key outside `ALLOWED_KEYS` is dropped, and a value
  that is not a number, a bool or a short plain word is dropped too, so no request data can slip in;
* exceptions are logged as their class name and the place in our code, never with their text;
* times are whole days; the standard library's loggers of the web framework are silenced.
"""

import logging
import sys
from collections.abc import Callable, MutableMapping
from datetime import date
from typing import Any, TextIO, cast

import structlog

ALLOWED_KEYS = frozenset(
    {
        "event", "level", "day", "server", "error", "where", "count", "serial", "version",
        "port", "pid", "status", "kind", "seconds", "bytes",
    }
)  # fmt: skip
_MAX_WORD = 80


def _acceptable(value: object) -> bool:
    if isinstance(value, bool | int | float | date):
        return True
    return (
        isinstance(value, str)
        and len(value) <= _MAX_WORD
        and all(character.isalnum() or character in "._-:/ " for character in value)
        and value.isascii()
    )


def keep_allowed(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Drop every key that is not allowed and every value that is not plain."""
    kept = {key: value for key, value in event.items() if key in ALLOWED_KEYS}
    return {key: value for key, value in kept.items() if _acceptable(value)}


def _stamp(today: Callable[[], date]) -> structlog.typing.Processor:
    def stamp(
        _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        event["day"] = today().isoformat()
        return event

    return stamp


def configure(today: Callable[[], date], stream: TextIO | None = None) -> None:
    """Send events to `stream` (default: standard error) and silence every library."""
    logging.disable(logging.CRITICAL)
    logging.raiseExceptions = False
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            _stamp(today),
            keep_allowed,
            structlog.processors.JSONRenderer(sort_keys=True, default=str),
        ],
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )


def get(server: str) -> structlog.typing.FilteringBoundLogger:
    """Return the logger of one server ("intake", "feed", "cases", "desk")."""
    return cast("structlog.typing.FilteringBoundLogger", structlog.get_logger(server=server))


def describe(error: BaseException) -> dict[str, str]:
    """Return what may be logged of an exception: its class and the innermost place of our own
    code."""
    where = "unknown"
    trace = error.__traceback__
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", "")
        if module.split(".")[0] in {"whistle", "case_mgmt", "crypto", "onion"}:
            where = f"{module}:{trace.tb_lineno}"
        trace = trace.tb_next
    return {"error": type(error).__name__, "where": where}
