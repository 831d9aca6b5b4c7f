# SPDX-License-Identifier: AGPL-3.0-or-later
"""Typed reading of parsed JSON: every mismatch is a `MalformedError`, never a `KeyError`.

Invariants: a boolean is not an integer; lengths are capped by the caller.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from crypto.encoding import MAX_JSON_INT, unhex
from crypto.errors import MalformedError


def members(value: Any) -> Mapping[str, Any]:
    """Return a JSON object."""
    if not isinstance(value, dict):
        raise MalformedError("not a JSON object")
    return value


def items(source: Mapping[str, Any], key: str, most: int) -> list[Any]:
    """Return a list of at most `most` values."""
    value = source.get(key)
    if not isinstance(value, list) or len(value) > most:
        raise MalformedError("not a list of acceptable length")
    return value


def text(source: Mapping[str, Any], key: str, longest: int) -> str:
    """Return a string of at most `longest` characters."""
    value = source.get(key)
    if not isinstance(value, str) or len(value) > longest:
        raise MalformedError("not a text of acceptable length")
    return value


def optional_text(source: Mapping[str, Any], key: str, longest: int) -> str | None:
    """Return a string, or None where the member is null or absent."""
    return None if source.get(key) is None else text(source, key, longest)


def choice(source: Mapping[str, Any], key: str, options: Sequence[str]) -> str:
    """Return one of the listed strings."""
    value = source.get(key)
    if not isinstance(value, str) or value not in options:
        raise MalformedError("not one of the known choices")
    return value


def integer(source: Mapping[str, Any], key: str) -> int:
    """Return an integer from 0 to 2^53 - 1."""
    value = source.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_JSON_INT:
        raise MalformedError("not an integer in range")
    return value


def boolean(source: Mapping[str, Any], key: str) -> bool:
    """Return true or false."""
    value = source.get(key)
    if not isinstance(value, bool):
        raise MalformedError("not true or false")
    return value


def hexadecimal(source: Mapping[str, Any], key: str, length: int) -> bytes:
    """Return `length` bytes written in lower-case hexadecimal."""
    return unhex(source.get(key), length)
