# SPDX-License-Identifier: AGPL-3.0-or-later
"""The C2SP age vectors: same verdict as every other age implementation.

Two labels differ because the library hides the reason:
an all-zero shared secret counts as "no match".
For malformed payloads only the failure is compared: we release less before failing than allowed.
"""

import contextlib
import hashlib

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from crypto import bech32, kdf
from crypto.age import stream
from crypto.age.header import PAYLOAD_NONCE, Header, parse_header, payload_key
from crypto.encoding import unb64_standard
from crypto.errors import AuthenticationError, CryptoError, MalformedError
from crypto.private.age_open import Opener, open_all, unwrap_file_key
from crypto.xwing import identity_from_age
from tests.support.vectors import CctvVector, cctv_vectors, pieces

FAMILIES = ("hybrid", "stream", "header", "stanza", "hmac", "version", "empty")
VECTORS = cctv_vectors(*FAMILIES)
HYBRID = [
    vector
    for vector in VECTORS
    if len(vector.identities) == 1 and vector.identities[0].startswith("AGE-SECRET-KEY-PQ-")
]
SAME_VERDICT_OTHER_LABEL = {
    "hybrid_low_order": AuthenticationError,
    "hybrid_identity": AuthenticationError,
}
ERRORS: dict[str, type[CryptoError]] = {
    "header failure": MalformedError,
    "no match": AuthenticationError,
    "HMAC failure": AuthenticationError,
    "payload failure": CryptoError,
}


def unwrap_x25519(identity: str, header: Header) -> bytes | None:
    """Unwrap a stanza type the service does not use, to reach what lies behind it."""
    private = X25519PrivateKey.from_private_bytes(bech32.decode("age-secret-key-", identity, 32))
    public = private.public_key().public_bytes_raw()
    for stanza in header.stanzas:
        if stanza.arguments[0] != b"X25519":
            continue
        if len(stanza.arguments) != 2 or len(stanza.body) != 32:
            raise MalformedError("malformed X25519 stanza")
        share = unb64_standard(stanza.arguments[1])
        if len(share) != 32:
            raise MalformedError("malformed X25519 share")
        secret = private.exchange(X25519PublicKey.from_public_bytes(share))
        key = kdf.hkdf(share + public, secret, b"age-encryption.org/v1/X25519", 32)
        try:
            return ChaCha20Poly1305(key).decrypt(bytes(12), stanza.body, None)
        except InvalidTag:
            continue
    return None


def file_key(vector: CctvVector, header: Header) -> bytes:
    for identity in vector.identities:
        if identity.startswith("AGE-SECRET-KEY-PQ-"):
            with contextlib.suppress(AuthenticationError):
                return unwrap_file_key(identity_from_age(identity), header)
        else:
            key = unwrap_x25519(identity, header)
            if key is not None:
                return key
    raise AuthenticationError("no identity fits")


def open_vector(vector: CctvVector) -> bytes:
    header = parse_header(vector.container)
    key = file_key(vector, header)
    header.verify_mac(key)
    start = header.length + PAYLOAD_NONCE
    nonce = vector.container[header.length : start]
    return stream.open_all(payload_key(key, nonce), vector.container[start:])


def expected_error(vector: CctvVector) -> type[CryptoError]:
    return SAME_VERDICT_OTHER_LABEL.get(vector.name, ERRORS[vector.expect])


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_vector(vector: CctvVector) -> None:
    if vector.expect == "success":
        assert hashlib.sha256(open_vector(vector)).hexdigest() == vector.payload_sha256
    else:
        with pytest.raises(expected_error(vector)):
            open_vector(vector)


@pytest.mark.parametrize("vector", HYBRID, ids=lambda vector: vector.name)
@pytest.mark.parametrize("size", [1_000_000, 997])
def test_hybrid_vector_through_the_desk_reader(vector: CctvVector, size: int) -> None:
    """The streaming reader agrees with the whole-file one, however the bytes arrive."""

    def streamed(seed: bytes) -> bytes:
        opener = Opener(seed)
        return b"".join(map(opener.update, pieces(vector.container, size))) + opener.final()

    seed = identity_from_age(vector.identities[0])
    if vector.expect == "success":
        assert hashlib.sha256(streamed(seed)).hexdigest() == vector.payload_sha256
        assert open_all(seed, vector.container) == streamed(seed)
        return
    with pytest.raises(expected_error(vector)):
        streamed(seed)
    with pytest.raises(expected_error(vector)):
        open_all(seed, vector.container)


def test_enough_vectors_ran() -> None:
    assert len(VECTORS) >= 70
    assert len(HYBRID) >= 15
    assert {vector.expect for vector in VECTORS} == {"success", *ERRORS}
