# SPDX-License-Identifier: AGPL-3.0-or-later
"""The servers' reader: one stanza, one receipt, and not a byte of anything else."""

import pytest

from crypto.age.header import Stanza, build_header, parse_header
from crypto.age.reader import ReplySeed, open_single
from crypto.age.writer import header_length, seal_all
from crypto.errors import AuthenticationError, CryptoError, MalformedError
from crypto.xwing import recipient_from_seed
from tests.support.vectors import counting_rng, seed

SEED = ReplySeed(seed("reader"))
OTHER = seed("somebody else")
US, THEM = recipient_from_seed(SEED), recipient_from_seed(OTHER)
GOOD = seal_all([US], b"content", counting_rng())
HEAD = header_length(1)


def test_opens() -> None:
    assert open_single(SEED, GOOD) == b"content"


def test_for_somebody_else() -> None:
    with pytest.raises(AuthenticationError):
        open_single(ReplySeed(OTHER), GOOD)


@pytest.mark.parametrize("recipients", [[US, THEM], [THEM, US]])
def test_never_searches_among_stanzas(recipients: list[object]) -> None:
    """SECURITY: a container with several recipients is refused even by one of them."""
    container = seal_all(recipients, b"content", counting_rng())  # type: ignore[arg-type]
    with pytest.raises(MalformedError):
        open_single(SEED, container)


def test_a_second_stanza_of_unknown_type_is_refused() -> None:
    file_key = counting_rng()(16)
    ours = parse_header(GOOD).stanzas[0].encode()
    grease = Stanza((b"grease",), b"").encode()
    header = build_header([grease, ours], file_key)
    with pytest.raises(MalformedError):
        open_single(SEED, header + GOOD[HEAD:])


def test_payload_under_a_forged_header() -> None:
    """The MAC is checked: a stanza moved under another header does not open."""
    ours = parse_header(GOOD).stanzas[0].encode()
    with pytest.raises(AuthenticationError):
        open_single(SEED, build_header([ours], bytes(16)) + GOOD[HEAD:])


@pytest.mark.parametrize("length", [0, 10, HEAD - 1, HEAD, HEAD + 15, HEAD + 16, len(GOOD) - 1])
def test_truncated(length: int) -> None:
    with pytest.raises(CryptoError):
        open_single(SEED, GOOD[:length])


@pytest.mark.parametrize("at", [*range(0, len(GOOD), 37), len(GOOD) - 1])
def test_changed_byte(at: int) -> None:
    changed = bytearray(GOOD)
    changed[at] ^= 1
    with pytest.raises(CryptoError):
        open_single(SEED, bytes(changed))
