# SPDX-License-Identifier: AGPL-3.0-or-later
"""Signed requests: replayed, late, early, tampered with."""

from typing import Any

import pytest

from crypto import requests as subject
from crypto.errors import AuthenticationError
from crypto.requests import RequestVerifier, sign_request
from crypto.signing import public_from_seed
from tests.support.vectors import counting_rng, seed

SEED = seed("device")
PUBLIC = public_from_seed(SEED)
INSTANCE = seed("instance")
NOW = 1_795_000_000
CALL: dict[str, Any] = {"method": "POST", "target": "/v1/acts?x=1", "body": b"{}"}


def headers(now: int = NOW, name: str = "n", **change: Any) -> dict[str, str]:
    return sign_request(SEED, INSTANCE, **{**CALL, **change}, now=now, rng=counting_rng(name))


def test_accepted() -> None:
    signed = headers()
    assert tuple(signed) == subject.REQUEST_HEADERS
    assert RequestVerifier(INSTANCE).verify(signed, **CALL, now=NOW) == PUBLIC


@pytest.mark.parametrize("offset", [-120, 0, 120])
def test_inside_the_window(offset: int) -> None:
    assert RequestVerifier(INSTANCE).verify(headers(), **CALL, now=NOW + offset) == PUBLIC


@pytest.mark.parametrize("offset", [-100_000, -121, 121, 100_000])
def test_outside_the_window(offset: int) -> None:
    with pytest.raises(AuthenticationError):
        RequestVerifier(INSTANCE).verify(headers(), **CALL, now=NOW + offset)


@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"method": "post"},
        {"target": "/v1/acts"},
        {"target": "/v1/acts?x=2"},
        {"target": "/v1/acts?x=1&y"},
        {"body": b"{} "},
        {"body": b""},
        {"method": "POS", "target": "T/v1/acts?x=1"},
    ],
    ids=str,
)
def test_tampered(change: dict[str, Any]) -> None:
    with pytest.raises(AuthenticationError):
        RequestVerifier(INSTANCE).verify(headers(), **{**CALL, **change}, now=NOW)


def test_other_organisation() -> None:
    with pytest.raises(AuthenticationError):
        RequestVerifier(seed("elsewhere")).verify(headers(), **CALL, now=NOW)


GOOD = headers()
BAD_HEADERS = {
    "no headers": {},
    "no key": {**GOOD, "Whistle-Key": ""},
    "key upper case": {**GOOD, "Whistle-Key": GOOD["Whistle-Key"].upper()},
    "other key": {**GOOD, "Whistle-Key": public_from_seed(seed("x")).hex()},
    "no time": {**GOOD, "Whistle-Time": ""},
    "time with sign": {**GOOD, "Whistle-Time": f"+{NOW}"},
    "time with zero": {**GOOD, "Whistle-Time": f"0{NOW}"},
    "time in other digits": {**GOOD, "Whistle-Time": "١٧٩٥٠٠٠٠٠٠"},
    "time with newline": {**GOOD, "Whistle-Time": f"{NOW}\n"},
    "other time": {**GOOD, "Whistle-Time": str(NOW + 1)},
    "endless time": {**GOOD, "Whistle-Time": "9" * 5000},
    "no nonce": {**GOOD, "Whistle-Nonce": ""},
    "other nonce": {**GOOD, "Whistle-Nonce": "00" * 16},
    "long nonce": {**GOOD, "Whistle-Nonce": "00" * 17},
    "no signature": {**GOOD, "Whistle-Signature": ""},
    "signature padded": {**GOOD, "Whistle-Signature": GOOD["Whistle-Signature"] + "=="},
    "not ASCII": {**GOOD, "Whistle-Signature": "é" * 86},
}


@pytest.mark.parametrize("bad", BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_bad_headers(bad: dict[str, str]) -> None:
    with pytest.raises(AuthenticationError):
        RequestVerifier(INSTANCE).verify(bad, **CALL, now=NOW)


def test_bytes_no_header_can_hold_do_not_crash() -> None:
    """aiohttp hands undecodable path bytes over as surrogates."""
    call = {**CALL, "target": "/\udcff"}
    signed = headers(target="/\udcff")
    assert RequestVerifier(INSTANCE).verify(signed, **call, now=NOW) == PUBLIC


def test_replay() -> None:
    verifier = RequestVerifier(INSTANCE)
    verifier.verify(headers(), **CALL, now=NOW)
    with pytest.raises(AuthenticationError):
        verifier.verify(headers(), **CALL, now=NOW)


@pytest.mark.parametrize("turn", [-1, 0, 1, 100, 119, 120])
@pytest.mark.parametrize("later", [1, 120, 200, 239, 240])
def test_replay_at_any_moment_it_could_pass(turn: int, later: int) -> None:
    """The request comes from the future edge of the window; other traffic turns the store."""
    verifier = RequestVerifier(INSTANCE)
    verifier.verify(headers(NOW - 120 + turn - 121, "old"), **CALL, now=NOW - 121 + turn - 120)
    verifier.verify(headers(NOW + 120), **CALL, now=NOW)
    for n in range(1, later, 17):
        verifier.verify(headers(NOW + n, f"other {n}"), **CALL, now=NOW + n)
    with pytest.raises(AuthenticationError, match="seen before"):
        verifier.verify(headers(NOW + 120), **CALL, now=NOW + later)


def test_same_nonce_of_another_key_is_another_request() -> None:
    verifier = RequestVerifier(INSTANCE)
    verifier.verify(headers(), **CALL, now=NOW)
    other = sign_request(seed("x"), INSTANCE, **CALL, now=NOW, rng=counting_rng("n"))
    assert verifier.verify(other, **CALL, now=NOW) == public_from_seed(seed("x"))


def test_memory_is_bounded_and_recovers() -> None:
    verifier = RequestVerifier(INSTANCE, max_nonces=3)
    for n in range(3):
        verifier.verify(headers(name=str(n)), **CALL, now=NOW)
    with pytest.raises(AuthenticationError, match="too many"):
        verifier.verify(headers(name="3"), **CALL, now=NOW)
    later = NOW + 241
    verifier.verify(headers(later, "4"), **CALL, now=later)
    with pytest.raises(AuthenticationError, match="seen before"):
        verifier.verify(headers(later, "4"), **CALL, now=later)
    much_later = later + 1000
    verifier.verify(headers(much_later, "4"), **CALL, now=much_later)


def test_unknown_keys_are_not_remembered() -> None:
    verifier = RequestVerifier(INSTANCE, known=lambda key: key == PUBLIC, max_nonces=1)
    for n in range(5):
        stranger = sign_request(seed("x"), INSTANCE, **CALL, now=NOW, rng=counting_rng(str(n)))
        with pytest.raises(AuthenticationError, match="unknown"):
            verifier.verify(stranger, **CALL, now=NOW)
    assert verifier.verify(headers(), **CALL, now=NOW) == PUBLIC


def test_a_forged_request_is_not_remembered() -> None:
    verifier = RequestVerifier(INSTANCE)
    with pytest.raises(AuthenticationError):
        verifier.verify(headers(), **{**CALL, "body": b"x"}, now=NOW)
    assert verifier.verify(headers(), **CALL, now=NOW) == PUBLIC
