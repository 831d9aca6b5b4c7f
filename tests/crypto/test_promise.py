# SPDX-License-Identifier: AGPL-3.0-or-later
"""The signed promise."""

from datetime import date

import pytest

from crypto import promise as subject
from crypto.errors import AuthenticationError, CryptoError, MalformedError
from crypto.receipt import Receipt, derive
from crypto.signing import public_from_seed
from tests.support.vectors import seed

INSTANCE = seed("instance")
SERVICE = seed("service")
PUBLIC = public_from_seed(SERVICE)
KEYS = derive(Receipt(bytes(16)), INSTANCE)
DAY = date(2026, 11, 21)
DATA = subject.make_promise(SERVICE, INSTANCE, KEYS, DAY)


def test_round_trip() -> None:
    promise = subject.verify_promise(PUBLIC, DATA)
    assert promise == subject.Promise(INSTANCE, subject.commitment(KEYS), DAY, date(2027, 6, 5))
    assert len(DATA) == subject.PROMISE_LENGTH == 140


def test_commitment_belongs_to_one_receipt_at_one_organisation() -> None:
    other_receipt = derive(Receipt(b"\x01" * 16), INSTANCE)
    other_place = derive(Receipt(bytes(16)), seed("elsewhere"))
    values = {subject.commitment(keys) for keys in (KEYS, other_receipt, other_place)}
    assert len(values) == 3
    assert KEYS.lookup_id not in DATA


@pytest.mark.parametrize("at", range(len(DATA)))
def test_every_byte_counts(at: int) -> None:
    changed = bytearray(DATA)
    changed[at] ^= 1
    with pytest.raises(CryptoError):
        subject.verify_promise(PUBLIC, bytes(changed))


@pytest.mark.parametrize("data", [b"", DATA[:-1], DATA + b"\x00", b"WHP1" + DATA[4:]])
def test_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        subject.verify_promise(PUBLIC, data)


def test_other_signer() -> None:
    with pytest.raises(AuthenticationError):
        subject.verify_promise(public_from_seed(seed("other")), DATA)


def test_day_before_the_epoch() -> None:
    with pytest.raises(MalformedError):
        subject.make_promise(SERVICE, INSTANCE, KEYS, date(1969, 1, 1))
