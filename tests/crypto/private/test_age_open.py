# SPDX-License-Identifier: AGPL-3.0-or-later
"""The desk's reader: finds its stanza, trusts nothing before the MAC, releases nothing early."""

import pytest

from crypto.age.header import Stanza, build_header, parse_header
from crypto.age.stanza import wrap
from crypto.age.writer import header_length, seal_all
from crypto.errors import AuthenticationError, CryptoError, MalformedError
from crypto.private.age_open import Opener, open_all
from crypto.xwing import recipient_from_seed
from tests.support.vectors import counting_rng, pieces, seed

SEEDS = [seed(f"open/{n}") for n in range(3)]
RECIPIENTS = [recipient_from_seed(each) for each in SEEDS]
DATA = counting_rng("content")(140_000)
GOOD = seal_all(RECIPIENTS, DATA, counting_rng())
FILE_KEY = counting_rng()(16)
HEAD = header_length(3)


def streamed(container: bytes, key: bytes, size: int) -> bytes:
    opener = Opener(key)
    return b"".join(map(opener.update, pieces(container, size))) + opener.final()


@pytest.mark.parametrize("key", SEEDS)
@pytest.mark.parametrize("size", [17, 1000, 65536, 1_000_000])
def test_every_recipient_opens_however_it_arrives(key: bytes, size: int) -> None:
    assert streamed(GOOD, key, size) == DATA
    assert open_all(key, GOOD) == DATA


def test_stanzas_of_other_types_are_ignored() -> None:
    stanzas = [each.encode() for each in parse_header(GOOD).stanzas]
    grease = Stanza((b"x-grease", b"y"), b"z" * 100).encode()
    container = build_header([grease, *stanzas, grease], FILE_KEY) + GOOD[HEAD:]
    assert open_all(SEEDS[2], container) == DATA


def test_nobody_we_know() -> None:
    with pytest.raises(AuthenticationError):
        open_all(seed("stranger"), GOOD)
    with pytest.raises(AuthenticationError):
        streamed(GOOD, seed("stranger"), 5000)


def test_recipients_cannot_be_shown_different_content() -> None:
    """A stanza with another file key under the same header fails the MAC."""
    stanzas = [wrap(RECIPIENTS[0], FILE_KEY), wrap(RECIPIENTS[1], bytes(16))]
    container = build_header(stanzas, FILE_KEY) + GOOD[HEAD:]
    assert open_all(SEEDS[0], container) == DATA
    with pytest.raises(AuthenticationError):
        open_all(SEEDS[1], container)


@pytest.mark.parametrize("length", [0, 1, HEAD - 1, HEAD, HEAD + 15, HEAD + 16, len(GOOD) - 1])
def test_truncated(length: int) -> None:
    with pytest.raises(CryptoError):
        open_all(SEEDS[0], GOOD[:length])
    with pytest.raises(CryptoError):
        streamed(GOOD[:length], SEEDS[0], 4096)


def test_malformed_as_soon_as_it_shows() -> None:
    with pytest.raises(MalformedError):
        Opener(SEEDS[0]).update(b"PK\x03\x04")


@pytest.mark.parametrize("at", [*range(0, HEAD + 20, 97), HEAD + 70_000, len(GOOD) - 1])
def test_changed_byte(at: int) -> None:
    changed = bytearray(GOOD)
    changed[at] ^= 4
    with pytest.raises(CryptoError):
        open_all(SEEDS[1], bytes(changed))
