# SPDX-License-Identifier: AGPL-3.0-or-later
"""HKDF against RFC 5869 and against the `cryptography` package."""

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from crypto import kdf
from crypto.errors import MalformedError


def test_rfc_5869_case_1() -> None:
    salt, secret = bytes(range(13)), b"\x0b" * 22
    prk = kdf.extract(salt, secret)
    assert prk.hex() == "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"
    okm = kdf.expand(prk, bytes(range(0xF0, 0xFA)), 32)
    assert okm.hex() == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"


@given(st.binary(max_size=80), st.binary(max_size=80), st.binary(max_size=80), st.integers(1, 32))
def test_same_as_the_library(salt: bytes, secret: bytes, info: bytes, length: int) -> None:
    other = HKDF(SHA256(), length=length, salt=salt, info=info).derive(secret)
    assert kdf.hkdf(salt, secret, info, length) == other


@pytest.mark.parametrize("length", [-1, 0, 33])
def test_one_block_only(length: int) -> None:
    with pytest.raises(MalformedError):
        kdf.expand(bytes(32), b"", length)
