# SPDX-License-Identifier: AGPL-3.0-or-later
"""Logging: structlog, one JSON line per event, from an allow-list of keys.

Invariants:

* an event is a constant from our own code; a key outside `ALLOWED_KEYS` is dropped, and a value
  that is not a number, a day or a short plain word is dropped too, so no request data can slip in;
* exceptions are logged as their class name and the place in our code, never with their text;
* what nobody catches is logged the same way, not printed with its text (`catch_the_rest`);
* times are whole days; the standard library's loggers, and so every library's, are silenced.
"""

import logging
import sys
import threading
from collections.abc import Callable, MutableMapping
from datetime import date
from typing import Any, Final, TextIO, cast

from whistle import troubles

# structlog colours a developer's console with rich when that is installed (six megabytes). A server
# has no console: keep rich out of this process.
sys.modules.setdefault("rich", None)  # type: ignore[arg-type]

import structlog  # noqa: E402 - after the line above

ALLOWED_KEYS: Final = frozenset(
    {
        "event", "level", "day", "server", "error", "where", "count", "serial", "version",
        "port", "pid", "status", "kind", "seconds", "bytes",
    }
)  # fmt: skip
_MAX_WORD: Final = 80

Event = MutableMapping[str, Any]
Log = structlog.typing.FilteringBoundLogger


def configure(today: Callable[[], date], stream: TextIO | None = None) -> None:
    """Send events to `stream` (default: standard error) and silence every library."""
    logging.disable(logging.CRITICAL)
    logging.raiseExceptions = False

    def stamp(_logger: Any, _method: str, event: Event) -> Event:
        event["day"] = today()
        return event

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            stamp,
            keep_allowed,
            structlog.processors.JSONRenderer(sort_keys=True, default=str),
        ],
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )


def be_silent(_logger: Any, _method: str, _event: Event) -> Event:
    """Drop the event: what happens before `configure`, for instance in the commands of a desk."""
    raise structlog.DropEvent


structlog.configure(processors=[be_silent])


def get(server: str) -> Log:
    """Return the log of a server ("intake", "cases", "desk", …)."""
    return cast("Log", structlog.get_logger(server=server))


def catch_the_rest(server: str) -> None:
    """Log what nobody caught, in any thread or destructor, instead of letting Python print it.

    SECURITY: Python prints the text of an exception, which may quote what somebody wrote
    (tests/whistle/test_logs.py::test_what_nobody_caught_loses_its_text).
    """
    log = get(server)

    def uncaught(error: BaseException | None) -> None:
        log.error("unexpected error", **(describe(error) if error is not None else {}))

    sys.excepthook = lambda _kind, error, _trace: uncaught(error)
    threading.excepthook = lambda details: uncaught(details.exc_value)
    sys.unraisablehook = lambda details: uncaught(details.exc_value)


def keep_allowed(_logger: Any, _method: str, event: Event) -> Event:
    """Drop every key that is not allowed and every value that is not plain."""
    return {key: value for key, value in event.items() if key in ALLOWED_KEYS and is_plain(value)}


def is_plain(value: object) -> bool:
    """Say whether a value may stand in a log: a number, a day, or a short plain word."""
    if not isinstance(value, str):
        return isinstance(value, bool | int | float | date)
    return (
        len(value) <= _MAX_WORD
        and value.isascii()
        and all(character.isalnum() or character in "._-:/ " for character in value)
    )


def describe(error: BaseException) -> dict[str, str]:
    """Return what may be logged of an exception: its class, the innermost place of our code, and
    its `kind` if the operator's guide knows it (`whistle.troubles`)."""
    where = "unknown"
    trace = error.__traceback__
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] in {"whistle", "case_mgmt", "crypto", "onion"}:
            where = f"{module}:{trace.tb_lineno}"
        trace = trace.tb_next
    kind = troubles.kind_of(error)
    return {"error": type(error).__name__, "where": where} | (
        {} if kind is None else {"kind": kind}
    )
