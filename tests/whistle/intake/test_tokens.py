# SPDX-License-Identifier: AGPL-3.0-or-later
"""Tokens: which are recognised, and what they lead to."""

from datetime import date, timedelta

import pytest

from crypto.encoding import b64
from crypto.rng import system_rng
from whistle.intake.tokens import message_id, new_token, receipt_bytes, token_day

TODAY = date(2026, 4, 7)


@pytest.mark.parametrize(
    ("age", "known"), [(0, True), (1, True), (2, False), (-1, True), (-2, False)]
)
def test_two_days_are_recognised(age: int, known: bool) -> None:
    made = TODAY - timedelta(days=age)
    assert token_day(new_token(made, system_rng), TODAY) == (made if known else None)


@pytest.mark.parametrize(
    "token",
    ["", "x", "é" * 43, b64(bytes(31)), b64(bytes(33)), b64(bytes(32)) + "=", b64(b"\xff" * 32)],
)
def test_malformed_tokens_are_nobodys(token: str) -> None:
    assert token_day(token, TODAY) is None


def test_token_and_content_and_secret_all_count() -> None:
    token = new_token(TODAY, system_rng)
    secret = bytes(32)
    one = receipt_bytes(secret, token, b"content")
    assert len(one) == 16
    assert one == receipt_bytes(secret, token, b"content")
    assert one != receipt_bytes(secret, token, b"Content")
    assert one != receipt_bytes(b"\x01" * 32, token, b"content")
    assert one != receipt_bytes(secret, new_token(TODAY, system_rng), b"content")


def test_message_ids_repeat_only_with_the_same_form() -> None:
    key, token = bytes(32), new_token(TODAY, system_rng)
    one = message_id(key, token, b"content", system_rng)
    assert one == message_id(key, token, b"content", system_rng)
    assert one != message_id(key, token, b"other", system_rng)
    assert message_id(key, "", b"c", system_rng) != message_id(key, "", b"c", system_rng)


def test_tokens_differ() -> None:
    assert new_token(TODAY, system_rng) != new_token(TODAY, system_rng)
