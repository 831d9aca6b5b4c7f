# SPDX-License-Identifier: AGPL-3.0-or-later
"""How values become bytes and text, with exactly one encoding per value.

Invariants:
- decoding accepts a text only if encoding the result gives the same text again (base64);
- JSON read here has no duplicate keys, no floats, no integers beyond +-(2^53 - 1), no lone
  surrogates and at most 16 levels, so every JSON library sees the same value;
- canonical JSON sorts keys by code point and has no white space.

Sources: RFC 4648 (base64), RFC 8259 and RFC 7493 (JSON), docs/spec/envelope.md section 3.
"""

import base64
import binascii
import json
from datetime import date, timedelta
from typing import Any, Final, NoReturn

from crypto.errors import MalformedError

MAX_JSON_DEPTH: Final = 16
MAX_JSON_INT: Final = 2**53 - 1
_EPOCH: Final = date(1970, 1, 1)
_ALTERNATE: Final = b"-_"


def label(domain: str, *parts: bytes) -> bytes:
    """Return ASCII `domain`, a zero byte, and the parts; parts must be self-delimiting."""
    return domain.encode("ascii") + b"\x00" + b"".join(parts)


def b64(data: bytes) -> str:
    """Encode as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def unb64(text: str) -> bytes:
    """Decode canonical base64url without padding."""
    try:
        raw = text.encode("ascii")
        data = base64.b64decode(raw + b"=" * (-len(raw) % 4), altchars=_ALTERNATE, validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise MalformedError("not base64url") from error
    if b64(data) != text:
        raise MalformedError("base64url is not canonical")
    return data


def b64_standard(data: bytes) -> bytes:
    """Encode as age does: standard alphabet, no padding."""
    return binascii.b2a_base64(data, newline=False).rstrip(b"=")


def unb64_standard(text: bytes) -> bytes:
    """Decode age's base64, refusing any but the canonical form."""
    try:
        data = binascii.a2b_base64(text + b"=" * (-len(text) % 4), strict_mode=True)
    except binascii.Error as error:
        raise MalformedError("not base64") from error
    if b64_standard(data) != text:
        raise MalformedError("base64 is not canonical")
    return data


def unhex(text: object, length: int) -> bytes:
    """Decode exactly `length` bytes written as lower-case hexadecimal."""
    if not isinstance(text, str) or len(text) != 2 * length:
        raise MalformedError("hexadecimal of the wrong length")
    if not all(character in "0123456789abcdef" for character in text):
        raise MalformedError("not lower-case hexadecimal")
    return bytes.fromhex(text)


def canonical_json(value: Any) -> bytes:
    """Encode integers, strings, booleans, null, lists and string-keyed objects, one way only."""
    _check_json(value)
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8")


def parse_json(data: bytes, *, max_bytes: int) -> Any:
    """Parse untrusted JSON; see the module's invariants."""
    if len(data) > max_bytes:
        raise MalformedError("JSON is too large")
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_distinct,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
    except (ValueError, RecursionError) as error:
        raise MalformedError("not JSON") from error
    _check_json(value)
    return value


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedError("JSON object with a duplicate key")
    return members


def _refuse_number(_text: str) -> NoReturn:
    raise MalformedError("JSON number is not an integer")


def _check_json(value: Any) -> None:
    level: list[Any] = [value]
    for _ in range(MAX_JSON_DEPTH):
        level = [child for parent in level for child in _children(parent)]
    if any(isinstance(each, list | dict) or _children(each) for each in level):
        raise MalformedError("JSON is nested too deeply")


def _children(value: Any) -> list[Any]:
    """Return what a value contains, having checked the value itself."""
    if isinstance(value, dict):
        _check_keys(value)
        return [*value.keys(), *value.values()]
    if isinstance(value, list):
        return value
    if isinstance(value, str):
        _check_text(value)
    elif value is not None and not isinstance(value, int):
        raise MalformedError("value has no canonical JSON form")
    elif isinstance(value, int) and abs(value) > MAX_JSON_INT:
        raise MalformedError("JSON integer is out of range")
    return []


def _check_keys(members: dict[Any, Any]) -> None:
    if not all(isinstance(key, str) for key in members):
        raise MalformedError("JSON keys must be strings")


def _check_text(text: str) -> None:
    if text.isascii():
        return
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise MalformedError("text with a lone surrogate") from error


def day_number(day: date) -> int:
    """Return whole days since 1970-01-01."""
    number = (day - _EPOCH).days
    if number < 0:
        raise MalformedError("day before 1970")
    return number


def day_from_number(number: int) -> date:
    """Return the day `number` days after 1970-01-01."""
    try:
        return _EPOCH + timedelta(days=number)
    except OverflowError as error:
        raise MalformedError("day out of range") from error


def parse_day(text: object) -> date:
    """Parse YYYY-MM-DD and nothing else."""
    try:
        day = date.fromisoformat(text if isinstance(text, str) else "")
    except ValueError as error:
        raise MalformedError("not a day") from error
    if day.isoformat() != text:
        raise MalformedError("not a day")
    return day
