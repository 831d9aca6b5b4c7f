# SPDX-License-Identifier: AGPL-3.0-or-later
"""Recipients and identities, as bytes and as text."""

import pytest
from cryptography.exceptions import UnsupportedAlgorithm

from crypto import bech32
from crypto import xwing as subject
from crypto.errors import MalformedError
from crypto.xwing import Recipient
from tests.support.vectors import seed

SEED = seed("xwing")
RECIPIENT = subject.recipient_from_seed(SEED)
TEXT = RECIPIENT.to_age()
IDENTITY = subject.identity_to_age(SEED)


def test_round_trips() -> None:
    assert Recipient.from_age(TEXT) == RECIPIENT
    assert len(RECIPIENT.raw) == 1216
    assert len(TEXT) == 1959
    assert len(RECIPIENT.fingerprint()) == 32
    assert subject.identity_from_age(IDENTITY) == SEED


def test_equal_by_key_alone() -> None:
    again = subject.recipient_from_seed(SEED)
    assert again == RECIPIENT
    assert hash(again) == hash(RECIPIENT)
    assert subject.recipient_from_seed(seed("other")) != RECIPIENT


BAD_RECIPIENTS = {
    "empty": "",
    "upper case": TEXT.upper(),
    "an identity": IDENTITY,
    "a classic recipient": bech32.encode("age", bytes(32)),
    "cut": TEXT[:-1],
    "changed": TEXT[:100] + ("q" if TEXT[100] != "q" else "p") + TEXT[101:],
    "surrounding space": " " + TEXT,
    "coefficients out of range": bech32.encode("age1pq", b"\xff" * 1216),
}


@pytest.mark.parametrize("text", BAD_RECIPIENTS.values(), ids=BAD_RECIPIENTS)
def test_bad_recipient(text: str) -> None:
    with pytest.raises(MalformedError):
        Recipient.from_age(text)


@pytest.mark.parametrize("raw", [b"", bytes(1215), bytes(1217), b"\xff" * 1216])
def test_bad_raw_recipient(raw: bytes) -> None:
    with pytest.raises(MalformedError):
        Recipient(raw)


BAD_IDENTITIES = {
    "empty": "",
    "lower case": IDENTITY.lower(),
    "a recipient": TEXT,
    "a classic identity": bech32.encode("age-secret-key-", SEED).upper(),
    "cut": IDENTITY[:-1],
    "checksum": IDENTITY[:-1] + ("Q" if IDENTITY[-1] != "Q" else "P"),
    "31 bytes": bech32.encode("age-secret-key-pq-", SEED[:31]).upper(),
}


@pytest.mark.parametrize("text", BAD_IDENTITIES.values(), ids=BAD_IDENTITIES)
def test_bad_identity(text: str) -> None:
    with pytest.raises(MalformedError):
        subject.identity_from_age(text)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_seed_length(length: int) -> None:
    with pytest.raises(MalformedError):
        subject.recipient_from_seed(bytes(length))
    with pytest.raises(MalformedError):
        subject.hpke_private_key(bytes(length))


def test_support_is_found_out_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    subject.require_support()

    class Missing:
        @staticmethod
        def from_seed_bytes(_seed: bytes) -> None:
            raise UnsupportedAlgorithm("old OpenSSL")

    monkeypatch.setattr(subject, "MLKEM768PrivateKey", Missing)
    with pytest.raises(MalformedError):
        subject.require_support()
