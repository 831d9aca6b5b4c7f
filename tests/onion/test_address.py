# SPDX-License-Identifier: AGPL-3.0-or-later
"""Onion addresses: one key, one address; one wrong character is never accepted."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onion.address import encode_address, parse_address
from onion.errors import AddressError

# The Tor Project's own site, whose address is widely printed.
KNOWN = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion"
ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"

keys = st.binary(min_size=32, max_size=32)


def labelled(key: bytes, version: bytes) -> str:
    """An address with a right checksum for this version."""
    checksum = hashlib.sha3_256(b".onion checksum" + key + version).digest()[:2]
    return base64.b32encode(key + checksum + version).decode().lower() + ".onion"


def test_an_address_known_from_elsewhere_is_accepted() -> None:
    assert encode_address(parse_address(KNOWN)) == KNOWN


@given(keys)
def test_parse_undoes_encode(key: bytes) -> None:
    assert parse_address(encode_address(key)) == key


@given(keys, st.integers(0, 55), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_refused(key: bytes, place: int, other: str) -> None:
    address = encode_address(key)
    changed = address[:place] + other + address[place + 1 :]
    if changed != address:
        with pytest.raises(AddressError):
            parse_address(changed)


@given(keys, st.integers(0, 54))
def test_two_exchanged_characters_are_refused(key: bytes, place: int) -> None:
    address = encode_address(key)
    one, two = address[place], address[place + 1]
    changed = address[:place] + two + one + address[place + 2 :]
    if changed != address:
        with pytest.raises(AddressError):
            parse_address(changed)


@given(st.text(max_size=80))
def test_any_other_text_is_refused_with_our_error(text: str) -> None:
    with pytest.raises(AddressError):
        parse_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".onion",
        KNOWN.removesuffix(".onion"),
        KNOWN.upper(),
        KNOWN.replace("g", "G", 1),
        f"http://{KNOWN}",
        f"{KNOWN}/",
        f"{KNOWN}.",
        f"{KNOWN}\n",
        f" {KNOWN}",
        f"www.{KNOWN}",
        KNOWN.replace("o", "0"),
        KNOWN.replace("a", "а"),  # Cyrillic
        KNOWN[:40] + ".onion",
        "expyuzz4wqqyqhjn.onion",  # version 2
        labelled(bytes(32), b"\x02"),
        labelled(bytes(32), b"\x04"),
    ],
)
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(AddressError):
        parse_address(text)


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_key_of_another_size_has_no_address(size: int) -> None:
    with pytest.raises(AddressError):
        encode_address(bytes(size))


def test_the_error_does_not_repeat_the_text() -> None:
    wrong = KNOWN.replace("2gz", "2gy")
    with pytest.raises(AddressError) as caught:
        parse_address(wrong)
    assert wrong[:20] not in str(caught.value)
