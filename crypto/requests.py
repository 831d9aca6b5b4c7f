# SPDX-License-Identifier: AGPL-3.0-or-later
"""Signed requests between desk, case server and intake: who asks, for what, once.

Invariants:
- the signature covers organisation, method, target, time, nonce and body;
- a request is accepted at most once, within `window` seconds either side of the verifier's clock;
- memory is bounded: when the nonce store is full, requests are refused rather than forgotten;
- if the verifier was told who is known, other keys are refused before anything is remembered.

Source: docs/spec/envelope.md section 10.
"""

import hashlib
import re
import struct
from collections.abc import Callable, Mapping
from typing import Final

from crypto.domains import Domain
from crypto.encoding import b64, unb64, unhex
from crypto.errors import AuthenticationError, MalformedError
from crypto.rng import Rng
from crypto.signing import PUBLIC, public_from_seed, sign, verify

KEY_HEADER: Final = "Whistle-Key"
TIME_HEADER: Final = "Whistle-Time"
NONCE_HEADER: Final = "Whistle-Nonce"
SIGNATURE_HEADER: Final = "Whistle-Signature"
REQUEST_HEADERS: Final = (KEY_HEADER, TIME_HEADER, NONCE_HEADER, SIGNATURE_HEADER)

WINDOW: Final = 120  # seconds
MAX_NONCES: Final = 100_000  # per two windows
_NONCE: Final = 16
_TIME: Final = re.compile(r"0|[1-9][0-9]{0,15}")


def sign_request(  # noqa: PLR0913, PLR0917 - each argument is one thing the signature covers
    seed: bytes, instance_id: bytes, method: str, target: str, body: bytes, now: int, rng: Rng
) -> dict[str, str]:
    """Return the headers that authorise one request; `target` is the path with its query."""
    nonce = rng(_NONCE)
    covered = _covered(instance_id, method, target, body)
    signature = sign(seed, Domain.REQUEST, *covered, _stamp(now, nonce))
    return {
        KEY_HEADER: public_from_seed(seed).hex(),
        TIME_HEADER: str(now),
        NONCE_HEADER: nonce.hex(),
        SIGNATURE_HEADER: b64(signature),
    }


class RequestVerifier:
    """Accept each signed request once."""

    def __init__(
        self,
        instance_id: bytes,
        window: int = WINDOW,
        known: Callable[[bytes], bool] | None = None,
        max_nonces: int = MAX_NONCES,
    ) -> None:
        self._instance_id = instance_id
        self._window = window
        self._known = known
        self._max_nonces = max_nonces
        self._seen: set[bytes] = set()
        self._seen_before: set[bytes] = set()
        self._turned = 0

    def verify(
        self, headers: Mapping[str, str], method: str, target: str, body: bytes, now: int
    ) -> bytes:
        """Return the public key that signed this request.

        (1) All four headers are present, in canonical form. (2) The time is within the window.
        (3) The key is known, if anybody told us whom to know. (4) The signature verifies.
        (5) The nonce is new. What the key may do is for the caller to decide.
        """
        # Step 1 of the list above.
        try:
            key, time, nonce, signature = _parse(headers)
        except MalformedError as error:
            raise AuthenticationError("request is not signed as it should be") from error
        # Step 2 of the list above.
        if abs(now - time) > self._window:
            raise AuthenticationError("request is too old or from the future")
        # Step 3 of the list above.
        if self._known is not None and not self._known(key):
            raise AuthenticationError("request is signed by an unknown key")
        # Step 4 of the list above.
        covered = _covered(self._instance_id, method, target, body)
        verify(key, signature, Domain.REQUEST, *covered, _stamp(time, nonce))
        # Step 5 of the list above.
        self._remember(key + nonce, now)
        return key

    def _remember(self, token: bytes, now: int) -> None:
        """Keep a nonce for at least as long as its request could be accepted again."""
        if now - self._turned > 2 * self._window:
            stale = now - self._turned > 4 * self._window
            self._seen_before = set() if stale else self._seen
            self._seen = set()
            self._turned = now
        if token in self._seen or token in self._seen_before:
            raise AuthenticationError("request was seen before")
        if len(self._seen) >= self._max_nonces:
            raise AuthenticationError("too many requests to remember")
        self._seen.add(token)


def _covered(instance_id: bytes, method: str, target: str, body: bytes) -> tuple[bytes, ...]:
    return (
        instance_id,
        method.encode("utf-8", "surrogateescape"),
        b"\x00",
        target.encode("utf-8", "surrogateescape"),
        b"\x00",
        hashlib.sha256(body).digest(),
    )


def _stamp(now: int, nonce: bytes) -> bytes:
    return struct.pack(">Q", now) + nonce


def _parse(headers: Mapping[str, str]) -> tuple[bytes, int, bytes, bytes]:
    key, time, nonce, signature = (headers.get(name, "") for name in REQUEST_HEADERS)
    if _TIME.fullmatch(time) is None:
        raise MalformedError("request time is not a number")
    return unhex(key, PUBLIC), int(time), unhex(nonce, _NONCE), unb64(signature)
