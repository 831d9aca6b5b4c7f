# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bech32 with a checksum computed by masks: BIP 173 texts, and every kind of damage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import bech32
from crypto.errors import MalformedError

# Addresses of BIP 173 carry a version symbol outside the 8-bit data; these keys of age do not.
AGE_IDENTITY = "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0"
KEY = bytes(range(32))
TEXT = bech32.encode("prefix", KEY)


def slow_checksum_holds(prefix: str, text: str) -> bool:
    """BIP 173's own loop, kept here as the second opinion."""
    charset = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    symbols = [charset.index(each) for each in text[len(prefix) + 1 :]]
    state = 1
    for symbol in [*(ord(x) >> 5 for x in prefix), 0, *(ord(x) & 31 for x in prefix), *symbols]:
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ symbol
        for bit, value in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            state ^= value if top >> bit & 1 else 0
    return state == 1


def test_bip_173_example() -> None:
    """The valid text "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w"."""
    text = "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w"
    data = bech32.decode("split", text, 30)
    assert bech32.encode("split", data) == text


def test_age_identity() -> None:
    data = bech32.decode("age-secret-key-", AGE_IDENTITY, 32)
    assert bech32.encode("age-secret-key-", data).upper() == AGE_IDENTITY


@given(st.binary(min_size=1, max_size=300), st.text("abcdefgh-", min_size=1, max_size=10))
def test_round_trip(data: bytes, prefix: str) -> None:
    text = bech32.encode(prefix, data)
    assert slow_checksum_holds(prefix, text)
    assert bech32.decode(prefix, text, len(data)) == data
    assert bech32.decode(prefix, text.upper(), len(data)) == data


@pytest.mark.parametrize("at", range(len(TEXT)))
def test_every_changed_character(at: int) -> None:
    other = "q" if TEXT[at] != "q" else "p"
    with pytest.raises(MalformedError):
        bech32.decode("prefix", TEXT[:at] + other + TEXT[at + 1 :], 32)


BAD = {
    "empty": "",
    "mixed case": TEXT[:-1] + TEXT[-1].upper() if TEXT[-1].isalpha() else TEXT.capitalize(),
    "one short": TEXT[:-1],
    "one long": TEXT + "q",
    "other prefix": bech32.encode("suffix", KEY),
    "symbol b": TEXT[:10] + "b" + TEXT[11:],
    "not ASCII": TEXT[:10] + "é" + TEXT[11:],
    "Kelvin sign": TEXT[:10] + "\u212a" + TEXT[11:],
    "space": TEXT[:10] + " " + TEXT[11:],
    "no separator": TEXT.replace("1", "q"),
    "other length": bech32.encode("prefix", KEY[:31]),
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_bad_text(text: str) -> None:
    with pytest.raises(MalformedError):
        bech32.decode("prefix", text, 32)


def test_unused_bits_must_be_zero() -> None:
    """256 bits leave four bits of the last symbol unused; a valid checksum does not excuse them."""
    charset = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    body = TEXT[7:-6]
    loose = body[:-1] + charset[charset.index(body[-1]) | 1]
    symbols = [charset.index(each) for each in loose]
    prefix = [*(ord(x) >> 5 for x in "prefix"), 0, *(ord(x) & 31 for x in "prefix")]
    state = 1
    for symbol in [*prefix, *symbols, *[0] * 6]:
        state = bech32._step(state, symbol)
    tail = "".join(charset[(state ^ 1) >> 5 * (5 - place) & 31] for place in range(6))
    assert slow_checksum_holds("prefix", "prefix1" + loose + tail)
    with pytest.raises(MalformedError):
        bech32.decode("prefix", "prefix1" + loose + tail, 32)
