# SPDX-License-Identifier: AGPL-3.0-or-later
"""Header parsing: one canonical form, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.age import header as subject
from crypto.age.header import Stanza, build_header, parse_header, try_parse_header
from crypto.errors import AuthenticationError, MalformedError

KEY = bytes(range(16))
GOOD = build_header([Stanza((b"type", b"arg"), b"body").encode()], KEY)
MAC_LINE = GOOD.split(b"\n")[-2]

arguments = st.binary(min_size=1, max_size=20).map(
    lambda data: bytes(0x21 + byte % (0x7F - 0x21) for byte in data)
)
stanzas = st.builds(
    Stanza, st.lists(arguments, min_size=1, max_size=4).map(tuple), st.binary(max_size=200)
)


@given(st.lists(stanzas, min_size=1, max_size=6), st.binary(max_size=40))
def test_what_is_written_is_read(written: list[Stanza], payload: bytes) -> None:
    data = build_header([each.encode() for each in written], KEY)
    header = parse_header(data + payload)
    assert header.stanzas == tuple(written)
    assert header.length == len(data)
    header.verify_mac(KEY)
    again = build_header([each.encode() for each in header.stanzas], KEY)
    assert again == data


@pytest.mark.parametrize("length", [0, 47, 48, 49, 95, 96, 97])
def test_bodies_at_line_ends(length: int) -> None:
    stanza = Stanza((b"t",), bytes(length))
    assert parse_header(build_header([stanza.encode()], KEY)).stanzas == (stanza,)


def test_mac_under_another_file_key() -> None:
    with pytest.raises(AuthenticationError):
        parse_header(GOOD).verify_mac(bytes(16))


MALFORMED = {
    "empty": b"",
    "other version": GOOD.replace(b"/v1", b"/v2"),
    "no stanza": b"age-encryption.org/v1\n" + MAC_LINE + b"\n",
    "no stanza but a line": b"age-encryption.org/v1\n\n" + MAC_LINE + b"\n",
    "no MAC line": GOOD[: -len(MAC_LINE) - 1],
    "no line end": GOOD[:-1],
    "MAC cut": GOOD[:-2] + b"\n",
    "MAC too long": GOOD[:-1] + b"A\n",
    "MAC with padding": GOOD[:-1] + b"=\n",
    "MAC not canonical": GOOD[:-2] + b"B\n",
    "CR before the end": GOOD[:-1] + b"\r\n",
    "CR after the version": GOOD.replace(b"/v1\n", b"/v1\r\n"),
    "trailing space": GOOD[:-1] + b" \n",
    "no arrow": GOOD.replace(b"-> ", b">> "),
    "arrow without space": GOOD.replace(b"-> ", b"->"),
    "no type": GOOD.replace(b"-> type arg", b"-> "),
    "double space": GOOD.replace(b"type arg", b"type  arg"),
    "control character": GOOD.replace(b"arg", b"a\x01g"),
    "DEL": GOOD.replace(b"arg", b"a\x7fg"),
    "UTF-8": GOOD.replace(b"arg", "är".encode()),
    "body not canonical": GOOD.replace(b"Ym9keQ\n", b"Ym9keR\n"),
    "body with padding": GOOD.replace(b"Ym9keQ\n", b"Ym9keQ==\n"),
    "body with url alphabet": GOOD.replace(b"Ym9keQ\n", b"Ym9k-_\n"),
    "body line too long": GOOD.replace(b"Ym9keQ\n", b"A" * 65 + b"\n"),
    "two short lines": GOOD.replace(b"Ym9keQ\n", b"Ym9k\nZQ\n"),
    "body missing": GOOD.replace(b"Ym9keQ\n", b""),
    "no short last line": GOOD.replace(b"Ym9keQ\n", b"A" * 64 + b"\n"),
    "blank line": GOOD.replace(b"Ym9keQ\n", b"Ym9keQ\n\n"),
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_malformed(data: bytes) -> None:
    assert data != GOOD
    with pytest.raises(MalformedError):
        parse_header(data)


@pytest.mark.parametrize("length", range(0, len(GOOD), 3))
def test_incomplete_is_neither_right_nor_wrong(length: int) -> None:
    assert try_parse_header(GOOD[:length]) is None


def test_every_changed_byte_is_noticed() -> None:
    for at in range(len(GOOD)):
        changed = bytearray(GOOD)
        changed[at] ^= 1
        with pytest.raises((MalformedError, AuthenticationError)):
            parse_header(bytes(changed)).verify_mac(KEY)


def test_endless_header_is_given_up() -> None:
    endless = GOOD.split(b"---")[0] + b"-> type arg\n\n" * (subject.MAX_HEADER // 10)
    with pytest.raises(MalformedError):
        try_parse_header(endless)
    with pytest.raises(MalformedError):
        try_parse_header(endless + MAC_LINE + b"\n")


def test_too_many_stanzas() -> None:
    one = Stanza((b"t",), b"").encode()
    parse_header(build_header([one] * subject.MAX_STANZAS, KEY))
    with pytest.raises(MalformedError):
        parse_header(build_header([one] * (subject.MAX_STANZAS + 1), KEY))
