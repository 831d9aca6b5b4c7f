# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the intake must know of a report for later messages, sealed under a key only the receipt
gives.

A later message has to go to the same people as the report: to everybody but the staff of the
offices the report accuses. Those offices are written here, so that the server itself cannot tell
them. Invariant: every dossier has the same length whatever it says, as long as it fits one step.
"""

import struct
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from crypto import kdf
from crypto.encoding import canonical_json, parse_json
from crypto.errors import AuthenticationError, MalformedError
from crypto.rng import Rng

_INFO: Final = b"whistle/v1/dossier"
_NONCE: Final = 12
_STEP: Final = 256
_LENGTH: Final = struct.Struct(">H")


def seal_dossier(state_key: bytes, lookup_id: bytes, excluded: frozenset[str], rng: Rng) -> bytes:
    """Seal the ids of the offices whose staff must not read this thread."""
    text = canonical_json({"excluded": sorted(excluded)})
    plain = _LENGTH.pack(len(text)) + text
    plain += bytes(-len(plain) % _STEP)
    nonce = rng(_NONCE)
    return nonce + _cipher(state_key).encrypt(nonce, plain, lookup_id)


def open_dossier(state_key: bytes, lookup_id: bytes, box: bytes) -> frozenset[str]:
    """Return the excluded offices.

    Raises:
        AuthenticationError: the box belongs to another receipt or was changed.
        MalformedError: it opens, and is no dossier.
    """
    try:
        plain = _cipher(state_key).decrypt(box[:_NONCE], box[_NONCE:], lookup_id)
    except (InvalidTag, ValueError):
        raise AuthenticationError("the dossier does not open") from None
    if not plain or len(plain) % _STEP:
        raise MalformedError("not a dossier")
    length = int(_LENGTH.unpack_from(plain)[0])
    content = parse_json(plain[_LENGTH.size : _LENGTH.size + length], max_bytes=len(plain))
    excluded = content.get("excluded") if isinstance(content, dict) else None
    if not isinstance(excluded, list) or not all(isinstance(unit, str) for unit in excluded):
        raise MalformedError("not a dossier")
    return frozenset(excluded)


def _cipher(state_key: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(kdf.expand(state_key, _INFO, 32))
