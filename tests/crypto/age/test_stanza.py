# SPDX-License-Identifier: AGPL-3.0-or-later
"""Wrapping and unwrapping a file key."""

import pytest

from crypto.age import stanza as subject
from crypto.age.header import Stanza, build_header, parse_header
from crypto.encoding import b64_standard
from crypto.errors import AuthenticationError, MalformedError
from crypto.xwing import MLKEM_PUBLIC, Recipient, recipient_from_seed
from tests.support.vectors import seed

KEY = bytes(range(16))
RECIPIENT = recipient_from_seed(seed("a"))


def wrapped() -> Stanza:
    return parse_header(build_header([subject.wrap(RECIPIENT, KEY)], KEY)).stanzas[0]


def test_round_trip_and_length() -> None:
    assert len(subject.wrap(RECIPIENT, KEY)) == subject.STANZA_LENGTH == 1557
    assert subject.unwrap(seed("a"), wrapped()) == KEY


def test_encoding_is_the_generic_one() -> None:
    stanza = wrapped()
    assert len(stanza.encode()) == subject.STANZA_LENGTH
    assert subject.is_ours(stanza)


def test_other_key() -> None:
    with pytest.raises(AuthenticationError):
        subject.unwrap(seed("b"), wrapped())


GOOD = wrapped()
ARGUMENT = GOOD.arguments[1]
MALFORMED = {
    "other type": Stanza((b"X25519", ARGUMENT), GOOD.body),
    "no argument": Stanza((subject.TYPE,), GOOD.body),
    "two arguments": Stanza((subject.TYPE, ARGUMENT, b"x"), GOOD.body),
    "short share": Stanza((subject.TYPE, b64_standard(bytes(1119))), GOOD.body),
    "long share": Stanza((subject.TYPE, b64_standard(bytes(1121))), GOOD.body),
    "share with padding": Stanza((subject.TYPE, ARGUMENT + b"=="), GOOD.body),
    "short body": Stanza((subject.TYPE, ARGUMENT), GOOD.body[:-1]),
    "file key of 17 bytes": Stanza((subject.TYPE, ARGUMENT), GOOD.body + b"\x00"),
}


@pytest.mark.parametrize("stanza", MALFORMED.values(), ids=MALFORMED)
def test_malformed(stanza: Stanza) -> None:
    with pytest.raises(MalformedError):
        subject.unwrap(seed("a"), stanza)


@pytest.mark.parametrize("at", [0, 700, 1087, 1088, 1119])
def test_changed_share(at: int) -> None:
    share = bytearray(subject.unb64_standard(ARGUMENT))
    share[at] ^= 1
    with pytest.raises(AuthenticationError):
        subject.unwrap(seed("a"), Stanza((subject.TYPE, b64_standard(bytes(share))), GOOD.body))


def test_low_order_share() -> None:
    share = subject.unb64_standard(ARGUMENT)[:1088] + bytes(32)
    with pytest.raises(AuthenticationError):
        subject.unwrap(seed("a"), Stanza((subject.TYPE, b64_standard(share)), GOOD.body))


def test_low_order_recipient() -> None:
    with pytest.raises(MalformedError):
        subject.wrap(Recipient(RECIPIENT.raw[:MLKEM_PUBLIC] + bytes(32)), KEY)
