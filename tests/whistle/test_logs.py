# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can never be logged."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import structlog

from whistle import logs


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    target = io.StringIO()
    logs.configure(lambda: date(2026, 4, 7), target)
    yield target
    logging.disable(logging.NOTSET)
    structlog.configure(processors=[logs.be_silent])


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_with_its_day(stream: io.StringIO) -> None:
    logs.get("intake").info("started", port=8080)
    assert _lines(stream) == [
        {"day": "2026-04-07", "event": "started", "level": "info", "port": 8080, "server": "intake"}
    ]


@pytest.mark.parametrize(
    "value", ["x" * 81, "line\nbreak", "<tag>", "é", '"', "a=b", "{", b"bytes", None, ["x"]]
)
def test_values_that_are_not_plain_are_dropped(stream: io.StringIO, value: Any) -> None:
    logs.get("intake").warning("odd", kind=value)
    assert "kind" not in _lines(stream)[0]


def test_keys_that_are_not_allowed_are_dropped(stream: io.StringIO) -> None:
    logs.get("intake").error("odd", story="x", remote="127.0.0.1", path="id", count=3)
    assert set(_lines(stream)[0]) == {"count", "day", "event", "level", "server"}


def test_exceptions_lose_their_text() -> None:
    try:
        raise ValueError("rahasia")
    except ValueError as error:
        described = logs.describe(error)
    assert described == {"error": "ValueError", "where": "unknown"}


def test_libraries_are_silent(stream: io.StringIO, capfd: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("aiohttp.server").error("kanari")
    logging.getLogger("asyncio").critical("kanari")
    assert stream.getvalue() == ""
    assert capfd.readouterr().err == ""


def test_nothing_is_written_before_it_is_configured(capfd: pytest.CaptureFixture[str]) -> None:
    logs.get("desk").error("odd", count=1)
    assert capfd.readouterr() == ("", "")


UNCAUGHT = """
import gc, sys, threading
from datetime import date
from whistle import logs

class Loud:
    def __del__(self):
        raise ValueError("rahasia")

def fall():
    raise ValueError("rahasia")

logs.configure(lambda: date(2026, 4, 7))
logs.catch_the_rest("intake")
thread = threading.Thread(target=fall)
thread.start()
thread.join()
Loud()
fall()
"""


def test_what_nobody_caught_loses_its_text() -> None:
    """In the main thread, another thread and a destructor."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", UNCAUGHT], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "rahasia" not in done.stderr + done.stdout
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["error"] for line in lines] == ["ValueError"] * 3
