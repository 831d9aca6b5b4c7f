# SPDX-License-Identifier: AGPL-3.0-or-later
"""Signatures: bound to their domain, strict about encodings."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crypto import signing as subject
from crypto.domains import Domain
from crypto.encoding import label
from crypto.errors import AuthenticationError, MalformedError
from tests.support.vectors import seed

SEED = seed("signer")
PUBLIC = subject.public_from_seed(SEED)
SIGNATURE = subject.sign(SEED, Domain.MANIFEST, b"one", b"two")
ORDER = 2**252 + 27742317777372353535851937790883648493


def test_round_trip_and_second_implementation() -> None:
    subject.verify(PUBLIC, SIGNATURE, Domain.MANIFEST, b"one", b"two")
    other = Ed25519PrivateKey.from_private_bytes(SEED)
    assert other.public_key().public_bytes_raw() == PUBLIC
    assert other.sign(label(Domain.MANIFEST, b"onetwo")) == SIGNATURE


def test_rfc_8032_key() -> None:
    secret = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert subject.public_from_seed(secret).hex() == public


@pytest.mark.parametrize("domain", [each for each in Domain if each is not Domain.MANIFEST])
def test_other_domain(domain: Domain) -> None:
    with pytest.raises(AuthenticationError):
        subject.verify(PUBLIC, SIGNATURE, domain, b"one", b"two")


def malleable() -> bytes:
    scalar = int.from_bytes(SIGNATURE[32:], "little") + ORDER
    return SIGNATURE[:32] + scalar.to_bytes(32, "little")


IDENTITY_POINT = b"\x01" + bytes(31)
REFUSED = {
    "other key": (subject.public_from_seed(seed("x")), SIGNATURE),
    "S not reduced": (PUBLIC, malleable()),
    "all zero": (PUBLIC, bytes(64)),
    "too short": (PUBLIC, SIGNATURE[:-1]),
    "too long": (PUBLIC, SIGNATURE + b"\x00"),
    "no signature": (PUBLIC, b""),
    "key too short": (PUBLIC[:-1], SIGNATURE),
    "small-order key": (IDENTITY_POINT, IDENTITY_POINT + bytes(32)),
    "key not canonical": (b"\xee" + b"\xff" * 30 + b"\x7f", IDENTITY_POINT + bytes(32)),
    "key not on the curve": (b"\x02" + bytes(31), SIGNATURE),
}


@pytest.mark.parametrize(("public", "signature"), REFUSED.values(), ids=REFUSED)
def test_refused(public: bytes, signature: bytes) -> None:
    with pytest.raises(AuthenticationError):
        subject.verify(public, signature, Domain.MANIFEST, b"one", b"two")


@pytest.mark.parametrize("parts", [(b"one",), (b"one", b"tw0"), (), (b"one", b"two", b"\x00")])
def test_other_content(parts: tuple[bytes, ...]) -> None:
    with pytest.raises(AuthenticationError):
        subject.verify(PUBLIC, SIGNATURE, Domain.MANIFEST, *parts)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_seed_length(length: int) -> None:
    with pytest.raises(MalformedError):
        subject.public_from_seed(bytes(length))
    with pytest.raises(MalformedError):
        subject.sign(bytes(length), Domain.ACT)
