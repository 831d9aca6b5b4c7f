# SPDX-License-Identifier: AGPL-3.0-or-later
"""Signed requests: accepted once, as sent, from the right key."""

import pytest
from aiohttp.test_utils import make_mocked_request

from crypto.requests import RequestVerifier, sign_request
from crypto.rng import system_rng
from crypto.signing import public_from_seed
from whistle.errors import RefusedError
from whistle.http.signed import require_signed

SEED = bytes(range(32))
INSTANCE = bytes(32)
NOW = 1_775_000_000
TARGET = "/v1/x?a=%2F&b=1"


def _headers(**changes: str) -> dict[str, str]:
    signed = sign_request(SEED, INSTANCE, "POST", TARGET, b"body", NOW, system_rng)
    return {**signed, **changes}


def test_a_signed_request_names_its_key_once() -> None:
    verifier = RequestVerifier(INSTANCE)
    request = make_mocked_request("POST", TARGET, headers=_headers())
    assert require_signed(request, b"body", verifier, NOW) == public_from_seed(SEED)
    with pytest.raises(RefusedError, match="unsigned"):
        require_signed(request, b"body", verifier, NOW)


@pytest.mark.parametrize(
    ("method", "target", "body", "now"),
    [
        ("GET", TARGET, b"body", NOW),
        ("POST", "/v1/x?a=/&b=1", b"body", NOW),
        ("POST", TARGET, b"Body", NOW),
        ("POST", TARGET, b"body", NOW + 121),
        ("POST", TARGET, b"body", NOW - 121),
    ],
)
def test_what_was_not_signed_is_refused(method: str, target: str, body: bytes, now: int) -> None:
    request = make_mocked_request(method, target, headers=_headers())
    with pytest.raises(RefusedError):
        require_signed(request, body, RequestVerifier(INSTANCE), now)


def test_an_unsigned_request_is_refused() -> None:
    with pytest.raises(RefusedError) as caught:
        require_signed(make_mocked_request("GET", "/"), b"", RequestVerifier(INSTANCE), NOW)
    assert caught.value.status == 401
