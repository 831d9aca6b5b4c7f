# SPDX-License-Identifier: AGPL-3.0-or-later
"""One value, one encoding; everything merely tolerable is refused."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import encoding as subject
from crypto.errors import MalformedError

integers = st.integers(-subject.MAX_JSON_INT, subject.MAX_JSON_INT)
scalars = st.none() | st.booleans() | integers | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=15
)


@given(values)
def test_json_round_trip(value: Any) -> None:
    data = subject.canonical_json(value)
    parsed = subject.parse_json(data, max_bytes=len(data))
    assert parsed == value
    assert subject.canonical_json(parsed) == data


def test_canonical_form() -> None:
    value = {"b": [1, True, None], "a": {"z": "é\n", "y": ""}}
    assert subject.canonical_json(value) == '{"a":{"y":"","z":"é\\n"},"b":[1,true,null]}'.encode()


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


BAD_JSON = {
    "empty": b"",
    "no value": b" ",
    "two values": b"1 2",
    "duplicate key": b'{"a":1,"a":1}',
    "duplicate key inside": b'[{"x":{"a":1,"b":2,"a":3}}]',
    "float": b"1.0",
    "exponent": b"1e3",
    "NaN": b"NaN",
    "infinity": b"-Infinity",
    "beyond 2^53": b"9007199254740992",
    "below -2^53": b"-9007199254740992",
    "endless digits": b"1" * 5000,
    "not UTF-8": b'"\xff"',
    "UTF-16": '"a"'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf1",
    "lone surrogate": b'"\\ud800"',
    "lone surrogate as a key": b'{"\\udc00":1}',
    "control character": b'"\x01"',
    "trailing comma": b"[1,]",
    "17 levels": nested(17).encode(),
    "bottomless": b"[" * 100_000,
    "comment": b"1 // one",
}


@pytest.mark.parametrize("data", BAD_JSON.values(), ids=BAD_JSON)
def test_bad_json(data: bytes) -> None:
    with pytest.raises(MalformedError):
        subject.parse_json(data, max_bytes=1_000_000)


def test_json_edges() -> None:
    assert subject.parse_json(nested(16).encode(), max_bytes=32) == json.loads(nested(16))
    assert subject.parse_json(b'"\\ud83d\\ude00"', max_bytes=20) == "\U0001f600"
    with pytest.raises(MalformedError):
        subject.parse_json(b"[1]", max_bytes=2)


@pytest.mark.parametrize(
    "value",
    [1.0, float("nan"), b"x", (1,), {1: 2}, {"a": {None: 1}}, 2**53, -(2**53), "\ud800", {1}],
)
def test_values_without_a_canonical_form(value: Any) -> None:
    with pytest.raises(MalformedError):
        subject.canonical_json(value)


@given(st.binary(max_size=100))
def test_base64_round_trips(data: bytes) -> None:
    assert subject.unb64(subject.b64(data)) == data
    assert subject.unb64_standard(subject.b64_standard(data)) == data


@pytest.mark.parametrize(
    "text", ["A", "AA==", "AB", "AAB", "A A", "AA\n", "+A", "/A", "AAAAA", "ÄÄ", "=", "A="]
)
def test_bad_base64url(text: str) -> None:
    with pytest.raises(MalformedError):
        subject.unb64(text)


@pytest.mark.parametrize(
    "text", [b"A", b"AA==", b"AB", b"AAB", b"A A", b"AA\n", b"-A", b"_A", b"="]
)
def test_bad_base64(text: bytes) -> None:
    with pytest.raises(MalformedError):
        subject.unb64_standard(text)


@pytest.mark.parametrize("text", ["", "0", "000", "0G", "0A", " 0", "００", None, 7, b"00"])
def test_bad_hexadecimal(text: object) -> None:
    with pytest.raises(MalformedError):
        subject.unhex(text, 1)


def test_hexadecimal() -> None:
    assert subject.unhex("0a", 1) == b"\n"


def test_label() -> None:
    assert subject.label("whistle/v1/x", b"a", b"b") == b"whistle/v1/x\x00ab"


@pytest.mark.parametrize("day", [date(1970, 1, 1), date(2026, 11, 21), date(9999, 12, 31)])
def test_days(day: date) -> None:
    assert subject.day_from_number(subject.day_number(day)) == day
    assert subject.parse_day(day.isoformat()) == day


def test_day_zero() -> None:
    assert subject.day_number(date(1970, 1, 1)) == 0
    assert subject.day_number(date(2026, 11, 21)) == 20778


@pytest.mark.parametrize("number", [2932897, 2**32 - 1, 10**12])
def test_days_out_of_range(number: int) -> None:
    with pytest.raises(MalformedError):
        subject.day_from_number(number)


def test_day_before_the_epoch() -> None:
    with pytest.raises(MalformedError):
        subject.day_number(date(1969, 12, 31))


@pytest.mark.parametrize(
    "text",
    ["", "2026-1-1", "20260101", "2026-02-30", "2026-W01-1", "2026-01-01T00", None, 20260101],
)
def test_bad_days(text: object) -> None:
    with pytest.raises(MalformedError):
        subject.parse_day(text)
