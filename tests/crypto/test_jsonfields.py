# SPDX-License-Identifier: AGPL-3.0-or-later
"""Typed reading: whatever does not fit is malformed."""

from collections.abc import Callable
from typing import Any

import pytest

from crypto import jsonfields as read
from crypto.errors import MalformedError

GOOD = {"t": "text", "n": 7, "b": False, "l": [1, 2], "h": "0aff", "c": "yes", "z": None}
READERS: dict[str, tuple[Callable[[dict[str, Any]], Any], Any]] = {
    "t": (lambda m: read.text(m, "t", 4), "text"),
    "n": (lambda m: read.integer(m, "n"), 7),
    "b": (lambda m: read.boolean(m, "b"), False),
    "l": (lambda m: read.items(m, "l", 2), [1, 2]),
    "h": (lambda m: read.hexadecimal(m, "h", 2), b"\x0a\xff"),
    "c": (lambda m: read.choice(m, "c", ("yes", "no")), "yes"),
}
WRONG: dict[str, list[Any]] = {
    "t": [None, 1, ["text"], "texts"],
    "n": [None, "7", True, -1, 2**53, [7]],
    "b": [None, 0, 1, "false"],
    "l": [None, {}, "ab", [1, 2, 3]],
    "h": [None, "0AFF", "0aff00", "0af", 7],
    "c": [None, "maybe", 1, ["yes"], ""],
}


@pytest.mark.parametrize("key", READERS)
def test_right(key: str) -> None:
    reader, value = READERS[key]
    assert reader(GOOD) == value


@pytest.mark.parametrize(("key", "value"), [(key, each) for key in WRONG for each in WRONG[key]])
def test_wrong(key: str, value: Any) -> None:
    with pytest.raises(MalformedError):
        READERS[key][0]({**GOOD, key: value})


@pytest.mark.parametrize("key", READERS)
def test_missing(key: str) -> None:
    with pytest.raises(MalformedError):
        READERS[key][0]({})


def test_optional_text() -> None:
    assert read.optional_text(GOOD, "z", 5) is None
    assert read.optional_text(GOOD, "absent", 5) is None
    assert read.optional_text(GOOD, "t", 5) == "text"
    with pytest.raises(MalformedError):
        read.optional_text(GOOD, "n", 5)


@pytest.mark.parametrize("value", [None, [], "x", 1])
def test_members(value: Any) -> None:
    assert read.members(GOOD) == GOOD
    with pytest.raises(MalformedError):
        read.members(value)
