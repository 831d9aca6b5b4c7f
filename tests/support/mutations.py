# SPDX-License-Identifier: AGPL-3.0-or-later
"""Damage to bytes and to JSON, the same in every run: what mutation tests are made of."""

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any

Change = Callable[[bytes, random.Random], bytes]


def _spot(data: bytes, chance: random.Random) -> int:
    return chance.randrange(len(data))


def _flip(data: bytes, chance: random.Random) -> bytes:
    at = _spot(data, chance)
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def _replace(data: bytes, chance: random.Random) -> bytes:
    at = _spot(data, chance)
    return data[:at] + chance.randbytes(1) + data[at + 1 :]


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: _spot(data, chance)]


def _shave(data: bytes, chance: random.Random) -> bytes:
    return data[: -chance.randint(1, min(40, len(data)))]


def _behead(data: bytes, chance: random.Random) -> bytes:
    return data[chance.randint(1, min(40, len(data))) :]


def _lengthen(data: bytes, chance: random.Random) -> bytes:
    return data + chance.randbytes(chance.randint(1, 40))


def _zeros(data: bytes, chance: random.Random) -> bytes:
    return data + bytes(chance.choice((1, 16, 32, 4096)))


def _drop(data: bytes, chance: random.Random) -> bytes:
    at = _spot(data, chance)
    return data[:at] + data[at + chance.randint(1, 64) :]


def _repeat(data: bytes, chance: random.Random) -> bytes:
    at = _spot(data, chance)
    end = at + chance.randint(1, 64)
    return data[:end] + data[at:]


def _blank(data: bytes, chance: random.Random) -> bytes:
    at = _spot(data, chance)
    piece = data[at : at + chance.randint(1, 64)]
    return data[:at] + bytes(len(piece)) + data[at + len(piece) :]


def _exchange(data: bytes, chance: random.Random) -> bytes:
    size = chance.randint(1, 32)
    first, second = sorted(chance.randrange(max(1, len(data) - 2 * size)) for _ in range(2))
    second = max(second, first + size)
    middle = data[first + size : second]
    one, two = data[first : first + size], data[second : second + size]
    return data[:first] + two + middle + one + data[second + size :]


CHANGES: tuple[Change, ...] = (
    _flip, _flip, _flip, _replace, _cut, _shave, _behead, _lengthen, _zeros, _drop, _repeat,
    _blank, _exchange,
)  # fmt: skip


def damaged(data: bytes, chance: random.Random, *, start: int = 0, end: int = 1 << 60) -> bytes:
    """Return data with one change between `start` and `end`, different from the original."""
    while True:
        inner = chance.choice(CHANGES)(data[start:end], chance)
        found = data[:start] + inner + data[end:]
        if found != data:
            return found


STRANGE: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**53 - 1, 2**31, "", "a", "A", "é", "-a", "a" * 64, "0" * 64,
    "F" * 64, "2026-02-30", "2026-2-3", "2028-02-29", "0000-01-01", [], [None], ["x"], {},
    {"x": 1}, [[]], "\U0001f600" * 200, "\U0001f600" * 201, "ﬁ" * 201,
)  # fmt: skip
"""Values that some member may or may not have."""


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything inside a JSON value."""
    if path:
        yield path
    inside: Any = ()
    if isinstance(value, dict):
        inside = value.items()
    elif isinstance(value, list):
        inside = enumerate(value)
    for key, each in inside:
        yield from paths(each, (*path, key))


def with_change(value: Any, path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Any:
    """Return a copy in which `change(container, key)` was done at this path."""
    whole = copy.deepcopy(value)
    inner = whole
    for key in path[:-1]:
        inner = inner[key]
    change(inner, path[-1])
    return whole


def altered_json(value: dict[str, Any], chance: random.Random) -> Any:
    """Return a JSON object in which one value was replaced, removed or doubled."""
    path = chance.choice(list(paths(value)))
    strange = chance.choice(STRANGE)

    def replace(inner: Any, key: Any) -> None:
        inner[key] = strange

    def remove(inner: Any, key: Any) -> None:
        del inner[key]

    def double(inner: Any, key: Any) -> None:
        if isinstance(inner, list):
            inner.append(copy.deepcopy(inner[key]))
        else:
            inner[f"{key}x"] = inner[key]

    return with_change(value, path, chance.choice((replace, replace, replace, remove, double)))
