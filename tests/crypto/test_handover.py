# SPDX-License-Identifier: AGPL-3.0-or-later
"""A hand-over is believed only when both root keys signed exactly these words."""

import json
from datetime import date

import pytest

from crypto.encoding import canonical_json
from crypto.errors import AuthenticationError, CryptoError, MalformedError
from crypto.handover import Handover, verify_handover
from crypto.signing import public_from_seed

OLD, NEW, OTHER = (bytes([number]) * 32 for number in (1, 2, 3))
HANDOVER = Handover(public_from_seed(OLD), public_from_seed(NEW), date(2026, 4, 7), "planned")


def test_round_trip() -> None:
    document = HANDOVER.document(OLD, NEW)
    assert verify_handover(document, public_from_seed(OLD)) == HANDOVER
    assert HANDOVER.document(OLD, NEW) == document


def test_only_the_named_keys_sign() -> None:
    for seeds in ((OLD, OTHER), (OTHER, NEW), (NEW, OLD)):
        with pytest.raises(MalformedError):
            HANDOVER.document(*seeds)


def test_of_another_organisation() -> None:
    with pytest.raises(MalformedError):
        verify_handover(HANDOVER.document(OLD, NEW), public_from_seed(OTHER))


@pytest.mark.parametrize("name", ["old_signature", "new_signature"])
def test_each_signature_counts(name: str) -> None:
    source = json.loads(HANDOVER.document(OLD, NEW))
    other = "new_signature" if name == "old_signature" else "old_signature"
    for value in ("00" * 64, source[other]):
        with pytest.raises(AuthenticationError):
            verify_handover(canonical_json({**source, name: value}), HANDOVER.old)


@pytest.mark.parametrize(
    "change",
    [
        {"new": public_from_seed(OTHER).hex()}, {"day": "2026-04-08"}, {"reason": "lost_control"},
        {"v": 2}, {"reason": "stolen"}, {"day": "soon"}, {"new": "x"}, {"more": 1},
        {"new": public_from_seed(OLD).hex()},
    ],
)  # fmt: skip
def test_every_word_counts(change: dict[str, object]) -> None:
    source = json.loads(HANDOVER.document(OLD, NEW))
    source["statement"] = {**source["statement"], **change}
    with pytest.raises(CryptoError):
        verify_handover(canonical_json(source), HANDOVER.old)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b'{"statement": []}', b"x" * 5000])
def test_garbage(data: bytes) -> None:
    with pytest.raises(MalformedError):
        verify_handover(data, HANDOVER.old)
