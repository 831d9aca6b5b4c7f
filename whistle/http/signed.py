# SPDX-License-Identifier: AGPL-3.0-or-later
"""Verifies signed requests between our own programs (docs/spec/envelope.md, section 10).

The signature covers the path with its query exactly as sent, so the raw target is used, never a
decoded one. What the key may do is for the caller to decide.
"""

from typing import Final

from aiohttp import web

from crypto.errors import CryptoError
from crypto.requests import RequestVerifier
from whistle.errors import RefusedError

SIGNED_BODY: Final = web.RequestKey("signed_body", bytes)
"""Request key under which a middleware leaves the body it has verified."""


def require_signed(request: web.Request, body: bytes, verifier: RequestVerifier, now: int) -> bytes:
    """Return the public key that signed this request.

    Raises:
        RefusedError: "unsigned" - no signature, a wrong one, too old, or seen before.
    """
    try:
        return verifier.verify(request.headers, request.method, request.raw_path, body, now)
    except CryptoError:
        raise RefusedError("unsigned") from None
