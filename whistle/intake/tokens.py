# SPDX-License-Identifier: AGPL-3.0-or-later
"""Recognises the second press of a button without remembering anybody.

A form carries a token: base64url of the day it was made (u32) and 28 random bytes. A report's
receipt is

    R = HKDF(salt = H(content), ikm = day secret ‖ token, info = "whistle/v1/arrival-receipt")[0:16]

so the same form with the same content leads to the same receipt, and any change to a new one.
Invariants:

* the token alone, or the server's secrets alone, give no receipt; tokens are never stored;
* a day's secret is destroyed after `TOKEN_DAYS` days, and with it any way to derive that day's
  receipts again;
* a missing, malformed or stale token, or one from after tomorrow, gives a random receipt: a report
  is never refused for its token. Tomorrow's is recognised, because a clock may be set back over
  midnight between two presses of one button.
"""

import hashlib
from datetime import date, timedelta
from typing import Final

from crypto.encoding import b64, day_from_number, day_number, unb64
from crypto.errors import MalformedError
from crypto.kdf import hkdf
from crypto.rng import Rng
from whistle.limits import TOKEN_DAYS

_RANDOM: Final = 28
_SET_BACK: Final = timedelta(days=1)
_LENGTH: Final = 4 + _RANDOM
_RECEIPT_INFO: Final = b"whistle/v1/arrival-receipt"
_MESSAGE_INFO: Final = b"whistle/v1/arrival-message"


def new_token(today: date, rng: Rng) -> str:
    """Return the hidden value of a fresh form."""
    return b64(day_number(today).to_bytes(4, "big") + rng(_RANDOM))


def token_day(token: str, today: date) -> date | None:
    """Return the day a token was made, or None if it is not a token still recognised."""
    raw = _decode(token)
    if raw is None:
        return None
    try:
        day = day_from_number(int.from_bytes(raw[:4], "big"))
    except MalformedError:
        return None
    return day if -_SET_BACK <= today - day < timedelta(days=TOKEN_DAYS) else None


def receipt_bytes(day_secret: bytes, token: str, content: bytes) -> bytes:
    """Return the 16 bytes of the receipt that this form with this content leads to."""
    salt = hashlib.sha256(content).digest()
    return hkdf(salt, day_secret + token.encode("ascii"), _RECEIPT_INFO, 16)


def message_id(state_key: bytes, token: str, content: bytes, rng: Rng) -> bytes:
    """Return the id of a later message: the same for the same form and content, else new."""
    if _decode(token) is None:
        return rng(16)
    salt = hashlib.sha256(content).digest()
    return hkdf(salt, state_key + token.encode("ascii"), _MESSAGE_INFO, 16)


def _decode(token: str) -> bytes | None:
    try:
        raw = unb64(token)
    except MalformedError:
        return None
    return raw if len(raw) == _LENGTH else None
