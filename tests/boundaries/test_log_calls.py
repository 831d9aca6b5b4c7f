# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every line our programs can log, read from the source: constant events, listed keys, and values
that cannot come from a request.
"""

import ast
from pathlib import Path

import pytest

from whistle.logs import ALLOWED_KEYS

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("whistle", "crypto", "onion", "case_mgmt")
LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}
SPREAD = {"logs.describe(error)", "known"}
"""What may stand after **: the class and place of an error."""

ALLOWED = {"whistle/logs.py", "onion/control.py"}
"""Our own log, and the module that silences stem's."""

VALUES = {
    "swept", "fresh.manifest.serial", "candidate.checkpoint.size", "alarming", "silent",
    "answer.status",
    "troubles.CLOCK_WENT_BACK", "troubles.DISK_FULL", "troubles.FILE_DAMAGED",
}  # fmt: skip
"""Expressions that may be logged. A new one needs a look: can a stranger choose it?"""


def calls(text: str) -> list[ast.Call]:
    """Calls of the form `logs.get(…).level(…)`."""
    return [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Call)
        and ast.unparse(node.func.value.func) in {"logs.get", "get"}
        and node.func.attr in LEVELS
    ]


def faults(call: ast.Call) -> list[str]:
    """What is wrong with one call."""
    found = []
    words = [word for word in call.args if isinstance(word, ast.Constant)]
    if len(call.args) != 1 or len(words) != 1 or not isinstance(words[0].value, str):
        found.append("the event is not one constant text")
    for keyword in call.keywords:
        value = ast.unparse(keyword.value)
        if keyword.arg is None:
            found += [f"** of {value}"] if value not in SPREAD else []
        elif keyword.arg not in ALLOWED_KEYS:
            found.append(f"the key {keyword.arg}")
        elif value not in VALUES:
            found.append(f"the value {value}")
    return found


def sources() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def test_every_logged_line_is_constant_but_for_what_was_looked_at() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{call.lineno}: {fault}"
        for path in sources()
        for call in calls(path.read_text(encoding="utf-8"))
        for fault in faults(call)
    ]
    assert found == []


def test_there_are_lines_to_look_at() -> None:
    assert sum(len(calls(path.read_text(encoding="utf-8"))) for path in sources()) >= 15


@pytest.mark.parametrize(
    "line",
    [
        'logs.get("x").info(f"came {name}")',
        'logs.get("x").info("came " + name)',
        'logs.get("x").info("came", story=1)',
        'logs.get("x").info("came", kind=name)',
        'logs.get("x").info("came", **fields)',
        'logs.get("x").info("came", name)',
    ],
)
def test_the_look_finds(line: str) -> None:
    assert [fault for call in calls(line) for fault in faults(call)] != []


def test_no_program_logs_by_another_way() -> None:
    """The standard library's logging and structlog are named in one module only."""
    for path in sources():
        text = path.read_text(encoding="utf-8")
        if path.relative_to(ROOT).as_posix() in ALLOWED:
            continue
        names = {
            name.name.partition(".")[0]
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Import)
            for name in node.names
        }
        assert not names & {"logging", "structlog", "syslog", "traceback"}, path
