# SPDX-License-Identifier: AGPL-3.0-or-later
"""Dossiers: the excluded offices, for the receipt alone."""

import pytest

from crypto.errors import AuthenticationError, MalformedError
from crypto.rng import system_rng
from whistle.intake.dossier import _cipher, open_dossier, seal_dossier

KEY, THREAD = bytes(32), bytes(16)
UNITS = frozenset({"inspektorat-1", "kel-melati"})


def test_seal_and_open() -> None:
    box = seal_dossier(KEY, THREAD, UNITS, system_rng)
    assert open_dossier(KEY, THREAD, box) == UNITS
    assert b"inspektorat" not in box
    assert box != seal_dossier(KEY, THREAD, UNITS, system_rng)


def test_what_it_says_does_not_show_in_its_length() -> None:
    lengths = {
        len(seal_dossier(KEY, THREAD, units, system_rng))
        for units in (frozenset[str](), UNITS, frozenset({"x" * 63, "y" * 63}))
    }
    assert len(lengths) == 1


@pytest.mark.parametrize("change", ["key", "thread", "bit", "short", "empty"])
def test_it_opens_only_whole_and_in_its_place(change: str) -> None:
    box = seal_dossier(KEY, THREAD, UNITS, system_rng)
    key = b"\x01" * 32 if change == "key" else KEY
    thread = b"\x01" * 16 if change == "thread" else THREAD
    if change == "bit":
        box = box[:-1] + bytes([box[-1] ^ 1])
    if change in {"short", "empty"}:
        box = box[:20] if change == "short" else b""
    with pytest.raises(AuthenticationError):
        open_dossier(key, thread, box)


@pytest.mark.parametrize("plain", [b"", bytes(1), bytes(255), bytes(256), b"\xff\xff" + bytes(254)])
def test_what_opens_and_is_no_dossier_is_malformed(plain: bytes) -> None:
    nonce = bytes(12)
    with pytest.raises(MalformedError):
        open_dossier(KEY, THREAD, nonce + _cipher(KEY).encrypt(nonce, plain, THREAD))
