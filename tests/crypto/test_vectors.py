# SPDX-License-Identifier: AGPL-3.0-or-later
"""Our own vectors, made by the second implementation (tests/vectors/generate.mjs)."""

import hashlib
from datetime import date
from typing import Any

import pytest

from crypto.age import stream
from crypto.age.header import build_header, payload_key
from crypto.encoding import canonical_json, day_from_number, parse_json
from crypto.errors import CryptoError
from crypto.frame import (
    Frame,
    FrameType,
    Origin,
    decode_frame,
    encode_frame,
    frame_hash,
    recipients_digest,
)
from crypto.mailbox import Notice, open_notice, open_own_copy, seal_notice, seal_own_copy
from crypto.manifest import verify_manifest
from crypto.padding import frame_size, padme
from crypto.private.age_open import open_all
from crypto.private.keystore import Identity, open_keystore, seal_keystore
from crypto.promise import MAX_LOG_DAYS, commitment, make_promise, verify_promise
from crypto.receipt import Receipt, ReceiptKeys, derive, parse_receipt
from crypto.requests import RequestVerifier, sign_request
from crypto.signing import public_from_seed
from crypto.words import LANGUAGES, encode_numbers
from crypto.xwing import Recipient, identity_from_age, identity_to_age, recipient_from_seed
from tests.support.vectors import own_vectors

V = own_vectors()


def unhex(value: str) -> bytes:
    return bytes.fromhex(value)


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def fixed(*values: bytes) -> Any:
    """Randomness that a vector prescribes."""
    left = list(values)

    def rng(length: int) -> bytes:
        value = left.pop(0)
        assert len(value) == length
        return value

    return rng


def test_format() -> None:
    assert V["format"] == "whistle/v1"


# ---- receipts and recipients -------------------------------------------------------------------

DERIVED = (
    "lookup_id",
    "auth_seed",
    "sign_seed",
    "reply_seed",
    "state_key",
    "mailbox_key",
    "log_secret",
)


@pytest.mark.parametrize("vector", V["receipts"], ids=lambda v: v["raw"][:8])
def test_receipt(vector: dict[str, Any]) -> None:
    receipt = Receipt(unhex(vector["raw"]))
    keys = derive(receipt, unhex(vector["instance_id"]))
    for name in (*DERIVED, "auth_public", "sign_public"):
        assert getattr(keys, name).hex() == vector[name], name
    assert keys.reply_recipient.fingerprint().hex() == vector["reply_fingerprint"]
    assert sha(keys.reply_recipient.to_age().encode()) == vector["reply_text_sha256"]
    assert commitment(keys).hex() == vector["commitment"]
    assert list(encode_numbers(receipt.raw)) == vector["numbers"]
    for language in LANGUAGES:
        assert list(receipt.words(language)) == vector["words"][language]
        assert parse_receipt(" ".join(vector["words"][language])) == receipt


@pytest.mark.parametrize("vector", V["recipients"], ids=lambda v: v["seed"][:8])
def test_recipient(vector: dict[str, str]) -> None:
    recipient = recipient_from_seed(unhex(vector["seed"]))
    assert recipient.to_age() == vector["text"]
    assert Recipient.from_age(vector["text"]) == recipient
    assert recipient.fingerprint().hex() == vector["fingerprint"]
    assert identity_to_age(unhex(vector["seed"])) == vector["identity"]
    assert identity_from_age(vector["identity"]) == unhex(vector["seed"])


def test_recipients_digest() -> None:
    recipients = [Recipient.from_age(each["text"]) for each in V["recipients"]]
    assert recipients_digest(recipients).hex() == V["recipients_digest"]


# ---- frames --------------------------------------------------------------------------------


def frame_of(vector: dict[str, Any]) -> tuple[Frame, bytes | None]:
    frame = Frame(
        type=FrameType(vector["type"]),
        origin=Origin(vector["origin"]),
        day=vector["day"],
        body=vector["body"].encode() + b"a" * vector["body_repeat_a"],
        **{
            name: unhex(vector[name])
            for name in ("instance_id", "thread_id", "message_id", "prev", "recipients_digest")
        },
    )
    return frame, vector["sign_seed"] and unhex(vector["sign_seed"])


def encoded(index: int) -> bytes:
    return encode_frame(*frame_of(V["frames"][index]))


@pytest.mark.parametrize("index", range(len(V["frames"])))
def test_frame(index: int) -> None:
    vector, data = V["frames"][index], encoded(index)
    assert len(data) == vector["size"]
    assert data[:240].hex() == vector["head"]
    assert sha(data) == vector["sha256"]
    assert frame_hash(data).hex() == vector["frame_hash"]
    assert decode_frame(data).body == frame_of(vector)[0].body


@pytest.mark.parametrize("vector", V["rejects"], ids=lambda v: v["name"])
def test_reject(vector: dict[str, Any]) -> None:
    data = bytearray(encoded(vector["base"]))
    for offset, value in vector["patch"]:
        data[offset : offset + len(unhex(value))] = unhex(value)
    if vector["length"]:
        data = data.ljust(vector["length"], b"\x00")
    assert bytes(data) != encoded(vector["base"])
    with pytest.raises(CryptoError):
        decode_frame(bytes(data))


# ---- containers ------------------------------------------------------------------------------


@pytest.mark.parametrize("vector", V["containers"], ids=lambda v: str(v["plain"]))
def test_container(vector: dict[str, Any]) -> None:
    """Everything but the encapsulation is made again byte for byte, then opened by each seed."""
    source = vector["plain"]
    plain = encoded(source["frame"]) if "frame" in source else b"a" * source["repeat_a"]
    file_key, nonce = unhex(vector["file_key"]), unhex(vector["nonce"])
    header = build_header([each.encode() for each in vector["stanzas"]], file_key)
    container = header + nonce + stream.seal_all(payload_key(file_key, nonce), plain)
    assert len(container) == vector["length"]
    assert sha(container) == vector["sha256"]
    assert sha(plain) == vector["plain_sha256"]
    for index in vector["recipients"]:
        assert open_all(unhex(V["recipients"][index]["seed"]), container) == plain


@pytest.mark.parametrize(("length", "size"), V["padme"])
def test_padme(length: int, size: int) -> None:
    assert padme(length) == size


@pytest.mark.parametrize(("length", "size"), V["frame_sizes"])
def test_frame_size(length: int, size: int) -> None:
    assert frame_size(length) == size


# ---- mailbox, promise, request, manifest, keystore -----------------------------------------------


def keys_of(vector: dict[str, Any]) -> ReceiptKeys:
    receipt = V["receipts"][vector["receipt"]]
    return derive(Receipt(unhex(receipt["raw"])), unhex(receipt["instance_id"]))


@pytest.mark.parametrize("vector", V["notices"], ids=lambda v: str(v["seq"]))
def test_notice(vector: dict[str, Any]) -> None:
    keys = keys_of(vector)
    notice = Notice(vector["meta"], unhex(vector["container"]) or None)
    place = (keys.mailbox_key, keys.lookup_id, vector["seq"])
    box = seal_notice(*place, notice, fixed(unhex(vector["nonce"])))
    assert (len(box), sha(box)) == (vector["length"], vector["sha256"])
    assert open_notice(*place, box) == notice


@pytest.mark.parametrize("vector", V["own_copies"], ids=lambda v: str(v["length"]))
def test_own_copy(vector: dict[str, Any]) -> None:
    keys = keys_of(vector)
    place = (keys.state_key, keys.lookup_id, unhex(vector["message_id"]))
    box = seal_own_copy(*place, vector["text"], fixed(unhex(vector["nonce"])))
    assert (len(box), sha(box)) == (vector["length"], vector["sha256"])
    assert open_own_copy(*place, box) == vector["text"]


def test_promise() -> None:
    vector = V["promise"]
    seed, instance = unhex(vector["seed"]), unhex(vector["instance_id"])
    day = day_from_number(vector["day"])
    assert make_promise(seed, instance, keys_of(vector), day).hex() == vector["data"]
    promise = verify_promise(public_from_seed(seed), unhex(vector["data"]))
    assert promise.commitment.hex() == V["receipts"][vector["receipt"]]["commitment"]
    assert promise.day == day
    assert (promise.latest - day).days == MAX_LOG_DAYS


def test_request() -> None:
    vector = V["request"]
    seed, instance = unhex(vector["seed"]), unhex(vector["instance_id"])
    call = (vector["method"], vector["target"], vector["body"].encode())
    headers = sign_request(seed, instance, *call, vector["now"], fixed(unhex(vector["nonce"])))
    assert headers == {
        "Whistle-Key": public_from_seed(seed).hex(),
        "Whistle-Time": str(vector["now"]),
        "Whistle-Nonce": vector["nonce"],
        "Whistle-Signature": vector["signature"],
    }
    assert RequestVerifier(instance).verify(headers, *call, vector["now"]) == public_from_seed(seed)


def test_manifest() -> None:
    data = V["manifest"]["text"].encode()
    instance = unhex(V["root"]["instance_id"])
    assert public_from_seed(unhex(V["root"]["seed"])) == instance
    manifest = verify_manifest(data, unhex(V["manifest"]["signature"]), instance, date(2026, 6, 1))
    assert manifest.serial == 7
    assert canonical_json(parse_json(data, max_bytes=len(data))) == data


def test_keystore() -> None:
    vector = V["keystore"]
    identity = Identity(
        vector["person"],
        unhex(vector["recipient_seed"]),
        unhex(vector["device_seed"]),
        unhex(V["root"]["instance_id"]),
    )
    data = unhex(vector["data"])
    assert open_keystore(data, vector["passphrase"]) == identity
    rng = fixed(data[17:33], data[33:57])
    limits = {"opslimit": 1, "memlimit": 64 * 1024 * 1024}
    assert seal_keystore(identity, vector["passphrase"], rng, **limits) == data
