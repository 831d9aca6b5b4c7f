# SPDX-License-Identifier: AGPL-3.0-or-later
"""How a reporter's client proves that a thread is its own without showing the receipt.

signature = Ed25519(auth_seed, label("auth", instance_id ‖ nonce ‖ action (1) ‖ lookup_id))

Invariant: for a thread that does not exist a signature is verified too, with a key that has no
secret half in use, so that the work is the same.
"""

from enum import IntEnum
from typing import Final

from crypto.domains import Domain
from crypto.errors import AuthenticationError
from crypto.signing import public_from_seed, sign, verify

NOBODY: Final = public_from_seed(bytes(32))


class Action(IntEnum):
    """What a signature allows."""

    READ = 1
    APPEND = 2


def sign_action(
    auth_seed: bytes, instance_id: bytes, nonce: bytes, action: Action, lookup_id: bytes
) -> bytes:
    """Sign as a reporter's client does."""
    return sign(auth_seed, Domain.REPORTER_AUTH, *_parts(instance_id, nonce, action, lookup_id))


def may(
    public: bytes | None, signature: bytes, place: tuple[bytes, bytes, bytes], action: Action
) -> bool:
    """Verify a signature; `place` is (instance_id, nonce, lookup_id), `public` None for nobody."""
    instance_id, nonce, lookup_id = place
    parts = _parts(instance_id, nonce, action, lookup_id)
    try:
        verify(public or NOBODY, signature, Domain.REPORTER_AUTH, *parts)
    except AuthenticationError:
        return False
    return public is not None


def _parts(instance_id: bytes, nonce: bytes, action: Action, lookup_id: bytes) -> tuple[bytes, ...]:
    return instance_id, nonce, bytes([action]), lookup_id
