# SPDX-License-Identifier: AGPL-3.0-or-later
"""Client authorisation keys: one text each, and no line that tor would skip or everybody could
use.
"""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onion.address import encode_address
from onion.client_auth import (
    ClientKey,
    auth_private_line,
    authorized_client_line,
    check_desk_name,
    generate_client_key,
    parse_private_key,
    parse_public_key,
)
from onion.errors import AddressError, ClientKeyError

# RFC 7748, section 6.1 (Alice).
ALICE = ClientKey(bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"))
ALICE_PUBLIC = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
ADDRESS = encode_address(bytes(range(32)))


def text_of(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=")


keys = st.binary(min_size=32, max_size=32).map(ClientKey)


def test_the_public_key_is_that_of_rfc_7748() -> None:
    assert parse_public_key(ALICE.public_text).hex() == ALICE_PUBLIC


@given(keys)
def test_both_halves_survive_their_text(key: ClientKey) -> None:
    assert parse_private_key(key.private_text).private == key.private
    assert text_of(parse_public_key(key.public_text)) == key.public_text


def test_a_new_key_is_32_bytes_of_the_given_randomness() -> None:
    asked: list[int] = []

    def rng(size: int) -> bytes:
        asked.append(size)
        return bytes(range(size))

    assert generate_client_key(rng).private == bytes(range(32))
    assert asked == [32]


def test_the_lines_have_tors_form() -> None:
    key = ClientKey(b"\x07" * 32)
    assert authorized_client_line(key.public_text) == f"descriptor:x25519:{key.public_text}"
    line = auth_private_line(ADDRESS, key)
    assert line == f"{ADDRESS.removesuffix('.onion')}:descriptor:x25519:{key.private_text}"


def test_a_private_line_needs_an_address() -> None:
    with pytest.raises(AddressError):
        auth_private_line("example.onion", ClientKey(b"\x07" * 32))


def test_a_key_pair_has_no_readable_repr() -> None:
    key = ClientKey(b"\x07" * 32)
    assert key.private_text not in repr(key)
    assert repr(key.private) not in repr(key)


GOOD = ClientKey(b"\x07" * 32).public_text


@pytest.mark.parametrize(
    "text",
    [
        "",
        GOOD[:-1],
        GOOD + "A",
        GOOD + "====",
        GOOD.lower(),
        GOOD[:-1] + "1",
        GOOD[:-1] + "é",
        GOOD[:-1] + "\n",
        f"{GOOD}\n",
        f"descriptor:x25519:{GOOD}",
        GOOD[:-1] + chr(ord(GOOD[-1]) + 1),  # the last character's unused bits are set
    ],
)
def test_other_texts_are_no_keys(text: str) -> None:
    with pytest.raises(ClientKeyError):
        parse_public_key(text)
    with pytest.raises(ClientKeyError):
        authorized_client_line(text)


@pytest.mark.parametrize(
    "point",
    [
        bytes(32),
        b"\x01" + bytes(31),
        bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
        bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
        b"\xec" + b"\xff" * 30 + b"\x7f",
    ],
    ids=["zero", "one", "order 8", "order 8 too", "minus one"],
)
def test_a_point_of_small_order_authorises_nobody(point: bytes) -> None:
    with pytest.raises(ClientKeyError):
        authorized_client_line(text_of(point))


@pytest.mark.parametrize("name", ["a", "desk-1", "penyidik-1", "7", "a" * 64])
def test_names_that_may_become_files(name: str) -> None:
    assert check_desk_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x", "a/b", "A", "a.b", "-a", "a-", "a b", "a\n", "a\0", "é", "a" * 65],
)
def test_names_that_may_not_become_files(name: str) -> None:
    with pytest.raises(ClientKeyError):
        check_desk_name(name)
