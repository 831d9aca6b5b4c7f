# SPDX-License-Identifier: AGPL-3.0-or-later
"""The specifications say what the code does: examples, numbers, labels, section numbers."""

import hashlib
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from crypto import attachment, domains, frame, mailbox, manifest, padding, promise
from crypto.age import writer
from crypto.age.stream import sealed_length
from crypto.body import FollowUpBody, NoteBody, ReplyBody, ReportBody
from crypto.encoding import canonical_json
from crypto.errors import MalformedError, ReceiptError
from crypto.mailbox import Notice, seal_notice
from crypto.private import sealed_file
from crypto.receipt import Receipt, derive, parse_receipt
from crypto.requests import RequestVerifier, sign_request
from crypto.signing import public_from_seed
from crypto.words import encode_numbers
from crypto.xwing import identity_to_age, recipient_from_seed
from tests.support.vectors import counting_rng, seed

ROOT = Path(__file__).resolve().parent.parent.parent
TEXTS = {
    name: (ROOT / "docs" / "spec" / name).read_text(encoding="utf-8")
    for name in ("envelope.md", "receipt.md")
}
BLOCK = re.compile(r"^```json example: ([\w-]+)\n(.*?)^```$", re.M | re.S)
EXAMPLES: dict[str, Any] = {
    name: json.loads(text) for spec in TEXTS.values() for name, text in BLOCK.findall(spec)
}
REFERENCE = re.compile(
    r"docs/spec/(\w+\.md)[,;]? sections? ([\d, and]+)|docs/spec/(\w+\.md), (\d+)"
)


def unhex(value: str) -> bytes:
    return bytes.fromhex(value)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_version_is_the_codes(text: str) -> None:
    assert f"Specification version: {domains.SPECIFICATION}\n" in text
    assert f"| {domains.SPECIFICATION} | " in text


def test_every_label_is_specified() -> None:
    written = set(re.findall(r"`(whistle/v1/[a-z0-9-]+)`", TEXTS["envelope.md"]))
    assert written == {domain.value for domain in domains.Domain}


def test_sections_named_in_the_code_exist() -> None:
    named = set()
    for path in (ROOT / "crypto").rglob("*.py"):
        for match in REFERENCE.finditer(" ".join(path.read_text(encoding="utf-8").split())):
            spec = match[1] or match[3]
            named |= {(spec, number) for number in re.findall(r"\d+", match[2] or match[4])}
    assert len(named) > 10
    for spec, number in named:
        assert re.search(rf"^## {number}\. ", TEXTS[spec], re.M), (spec, number)


def test_numbers() -> None:
    envelope, receipt = TEXTS["envelope.md"], TEXTS["receipt.md"]
    *most, last = map(str, padding.FRAME_SIZES)
    assert f"{', '.join(most)} and {last}" in envelope
    *most, last = map(str, mailbox.NOTICE_SIZES)
    assert f"{', '.join(most)} and {last}" in receipt
    assert f"answers with {promise.PROMISE_LENGTH} bytes" in receipt
    assert f"blob     = {writer.header_length(1)} + 16" in envelope
    assert f"header    = {writer.HEADER_BASE} + 1557" in envelope
    mebibytes = sealed_file.DEFAULT_MEMORY // 2**20
    assert f"t = {sealed_file.DEFAULT_PASSES} and\nm = {mebibytes} MiB" in envelope
    assert sealed_file.MIN_MEMORY == 64 * 2**20
    assert sealed_file.MAX_MEMORY == 2**30


# ---- envelope.md ---------------------------------------------------------------------------


def test_recipient() -> None:
    example = EXAMPLES["recipient"]
    recipient = recipient_from_seed(unhex(example["seed"]))
    assert identity_to_age(unhex(example["seed"])) == example["identity"]
    assert recipient.fingerprint().hex() == example["fingerprint"]
    assert hashlib.sha256(recipient.to_age().encode()).hexdigest() == example["text_sha256"]


@pytest.mark.parametrize("example", EXAMPLES["container-sizes"])
def test_container_sizes(example: dict[str, int]) -> None:
    header = writer.header_length(example["recipients"])
    assert header + 16 + sealed_length(example["plaintext"]) == example["container"]


def test_frame() -> None:
    given, expected = EXAMPLES["frame"], EXAMPLES["frame-encoded"]
    names = ("instance_id", "thread_id", "message_id", "prev", "recipients_digest")
    message = frame.Frame(
        type=frame.FrameType(given["type"]),
        origin=frame.Origin(given["origin"]),
        day=given["day"],
        body=given["body"].encode(),
        **{name: unhex(given[name]) for name in names},
    )
    data = frame.encode_frame(message, unhex(given["sign_seed"]))
    assert len(data) == expected["size"]
    assert data[:240].hex() == expected["first_240_bytes"]
    assert hashlib.sha256(data).hexdigest() == expected["sha256"]
    assert frame.frame_hash(data).hex() == expected["frame_hash"]


def test_report_body() -> None:
    example = EXAMPLES["report-body"]
    example["reply_identity"] = identity_to_age(seed("x"))
    example["attachments"][0]["identity"] = identity_to_age(seed("y"))
    assert canonical_json(example) == ReportBody.parse(canonical_json(example)).encode()


@pytest.mark.parametrize(
    ("name", "kind"),
    [("follow-up-body", FollowUpBody), ("reply-body", ReplyBody), ("note-body", NoteBody)],
)
def test_other_bodies(name: str, kind: Any) -> None:
    data = canonical_json(EXAMPLES[name])
    assert kind.parse(data).encode() == data


@pytest.mark.parametrize(("length", "padded"), EXAMPLES["padme"])
def test_padme(length: int, padded: int) -> None:
    assert padding.padme(length) == padded
    blob = 1627 + 16 + padded + 16 * -(-padded // 65536)
    assert attachment.ciphertext_size(padded) == blob


def test_request() -> None:
    example = EXAMPLES["request"]
    instance, now = unhex(example["instance_id"]), example["now"]
    call = (example["method"], example["target"], example["body"].encode())
    nonce = unhex(example["nonce"])
    headers = sign_request(unhex(example["seed"]), instance, *call, now, lambda _length: nonce)
    assert headers["Whistle-Signature"] == example["signature"]
    key = RequestVerifier(instance).verify(headers, *call, now)
    assert key == public_from_seed(unhex(example["seed"]))


def test_manifest() -> None:
    example = EXAMPLES["manifest"]
    with pytest.raises(MalformedError):  # its keys are shortened for reading
        manifest.parse_content(canonical_json(example))
    example["people"][0]["recipient"] = recipient_from_seed(seed("x")).to_age()
    example["people"][0]["desk"] = "00" * 32
    example["services"] = dict.fromkeys(example["services"], "00" * 32)
    example["files"] = dict.fromkeys(example["files"], "00" * 32)
    content = manifest.parse_content(canonical_json(example))
    assert content.people[0].opens_reports


# ---- receipt.md ----------------------------------------------------------------------------


def test_receipt_keys() -> None:
    example = EXAMPLES["receipt"]
    keys = derive(Receipt(unhex(example["raw"])), unhex(example["instance_id"]))
    computed = {
        "reply_fingerprint": keys.reply_recipient.fingerprint().hex(),
        "commitment": promise.commitment(keys).hex(),
    }
    for name in example.keys() - computed.keys() - {"raw", "instance_id"}:
        computed[name] = getattr(keys, name).hex()
    assert computed.items() <= example.items()
    assert len(computed) == 11


def test_words() -> None:
    example = EXAMPLES["words"]
    receipt = Receipt(unhex(example["raw"]))
    assert list(encode_numbers(receipt.raw)) == example["numbers"]
    assert " ".join(receipt.words("id")) == example["id"]
    assert " ".join(receipt.words("en")) == example["en"]


def test_typed() -> None:
    example = EXAMPLES["typed"]
    for text in example["accepted"]:
        assert parse_receipt(text) == Receipt(unhex(EXAMPLES["words"]["raw"]))
    for kind in ("count", "check"):
        with pytest.raises(ReceiptError) as caught:
            parse_receipt(example[kind])
        assert caught.value.kind == kind
    with pytest.raises(ReceiptError) as caught:
        parse_receipt(example["unknown_word"]["text"])
    assert caught.value.kind == "unknown_word"
    assert caught.value.position == example["unknown_word"]["position"]


def test_promise() -> None:
    example = EXAMPLES["promise"]
    instance = unhex(example["instance_id"])
    keys = derive(Receipt(unhex(example["receipt"])), instance)
    service, day = unhex(example["service_seed"]), date.fromisoformat(example["day"])
    assert promise.make_promise(service, instance, keys, day).hex() == example["promise"]


@pytest.mark.parametrize("example", EXAMPLES["notice-sizes"])
def test_notice_sizes(example: dict[str, int]) -> None:
    facts = {"x": "y" * (example["facts"] - len('{"x":""}'))}
    assert len(canonical_json(facts)) == example["facts"]
    notice = Notice(facts, bytes(example["container"]) or None)
    box = seal_notice(bytes(32), bytes(16), 0, notice, counting_rng())
    assert len(box) == example["box"]


def test_every_example_is_used() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    for name in EXAMPLES:
        assert f'"{name}"' in source
