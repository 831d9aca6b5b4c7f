# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bodies: what goes in comes out, and nothing malformed comes in."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import body as subject
from crypto.body import AttachmentRef, FollowUpBody, NoteBody, ReplyBody, ReportBody
from crypto.encoding import canonical_json, parse_json
from crypto.errors import MalformedError
from crypto.padding import MAX_BODY
from crypto.xwing import identity_to_age
from tests.support.vectors import seed

REPLY_IDENTITY = identity_to_age(seed("reply"))
ATTACHMENT = AttachmentRef(
    id="00112233445566778899aabbccddeeff",
    identity=identity_to_age(seed("attachment")),
    size=100_000,
    padded=100_352,
    sha256="ab" * 32,
    name="kuitansi.jpg",
    type="image/jpeg",
    stripped=True,
)
REPORT = ReportBody(
    "id", "report@1", {"story": "Empat kali datang.", "unit": ""}, REPLY_IDENTITY, (ATTACHMENT,)
)
FOLLOW_UP = FollowUpBody("en", "contest", "This is not settled.", (ATTACHMENT,))
REPLY = ReplyBody("id", "examining", None, "Sedang diperiksa.", "2026-11-21")
NOTE = NoteBody("id", "Hanya untuk kita.")
BODIES: list[Any] = [
    REPORT,
    ReportBody("en", "f", {}, REPLY_IDENTITY),
    FOLLOW_UP,
    FollowUpBody("id", "withdraw", ""),
    REPLY,
    ReplyBody("en", None, "duplicate", "", "2026-01-01"),
    NOTE,
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_round_trip(body: Any) -> None:
    assert type(body).parse(body.encode()) == body


@given(st.dictionaries(st.text(max_size=64), st.text(), max_size=8))
def test_any_fields(fields: dict[str, str]) -> None:
    body = ReportBody("id", "f", fields, REPLY_IDENTITY)
    assert ReportBody.parse(body.encode()) == body


def test_wire_form_of_a_report() -> None:
    value = parse_json(REPORT.encode(), max_bytes=MAX_BODY)
    assert list(value) == ["attachments", "fields", "form", "lang", "reply_identity", "v"]
    assert value["v"] == 1
    assert value["attachments"][0]["alg"] == "age"


def test_unknown_keys_are_ignored() -> None:
    for body in BODIES:
        value = parse_json(body.encode(), max_bytes=MAX_BODY)
        assert type(body).parse(canonical_json({**value, "later": [1]})) == body


def changed(body: Any, **changes: Any) -> bytes:
    value = parse_json(body.encode(), max_bytes=MAX_BODY)
    return canonical_json({**value, **changes})


BAD_REPORTS: dict[str, dict[str, Any]] = {
    "version": {"v": 2},
    "version as text": {"v": "1"},
    "version true": {"v": True},
    "language": {"lang": "fr"},
    "no language": {"lang": None},
    "form": {"form": 1},
    "long form": {"form": "x" * 65},
    "fields as list": {"fields": []},
    "field not text": {"fields": {"a": 1}},
    "field name too long": {"fields": {"a" * 65: ""}},
    "too many fields": {"fields": {str(n): "" for n in range(101)}},
    "reply key missing": {"reply_identity": None},
    "reply key classic": {"reply_identity": "AGE-SECRET-KEY-1" + "Q" * 58},
    "reply key damaged": {"reply_identity": REPLY_IDENTITY[:-1] + "B"},
    "attachments missing": {"attachments": None},
    "too many attachments": {"attachments": [ATTACHMENT.to_json()] * 33},
    "attachment twice": {"attachments": [ATTACHMENT.to_json()] * 2},
}


@pytest.mark.parametrize("change", BAD_REPORTS.values(), ids=BAD_REPORTS)
def test_bad_report(change: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        ReportBody.parse(changed(REPORT, **change))


BAD_ATTACHMENTS: dict[str, dict[str, Any]] = {
    "algorithm": {"alg": "none"},
    "id": {"id": "00"},
    "id upper case": {"id": "AA" * 16},
    "identity": {"identity": "AGE-SECRET-KEY-1" + "Q" * 58},
    "identity too long": {"identity": "A" * 129},
    "size negative": {"size": -1},
    "size as text": {"size": "1"},
    "not padded": {"padded": 100_000},
    "padded too far": {"padded": 131_072},
    "hash": {"sha256": "ab" * 31},
    "name": {"name": None},
    "type": {"type": 5},
    "stripped": {"stripped": "yes"},
}


@pytest.mark.parametrize("change", BAD_ATTACHMENTS.values(), ids=BAD_ATTACHMENTS)
def test_bad_attachment(change: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        AttachmentRef.from_json({**ATTACHMENT.to_json(), **change})


def test_hostile_names_do_not_lose_a_report() -> None:
    hostile = {**ATTACHMENT.to_json(), "name": "../\u202ex", "type": "<script>"}
    parsed = AttachmentRef.from_json(hostile)
    assert (parsed.name, parsed.type) == ("x", "application/octet-stream")


BAD_OTHERS: list[tuple[Any, dict[str, Any]]] = [
    (FOLLOW_UP, {"intent": "delete"}),
    (FOLLOW_UP, {"intent": None}),
    (FOLLOW_UP, {"text": 7}),
    (FOLLOW_UP, {"v": 0}),
    (REPLY, {"status": 5}),
    (REPLY, {"status": "x" * 65}),
    (REPLY, {"reason": ["a"]}),
    (REPLY, {"day": "2026-02-30"}),
    (REPLY, {"day": None}),
    (REPLY, {"text": None}),
    (NOTE, {"text": None}),
    (NOTE, {"lang": "xx"}),
]


@pytest.mark.parametrize(("body", "change"), BAD_OTHERS)
def test_other_bad_bodies(body: Any, change: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        type(body).parse(changed(body, **change))


@pytest.mark.parametrize("data", [b"", b"[]", b'"x"', b"{}", b'{"v":1,"v":1}', b"\xff"])
@pytest.mark.parametrize("kind", [ReportBody, FollowUpBody, ReplyBody, NoteBody])
def test_not_a_body(kind: Any, data: bytes) -> None:
    with pytest.raises(MalformedError):
        kind.parse(data)


def test_secrets_stay_out_of_representations() -> None:
    assert "AGE-SECRET" not in repr(ATTACHMENT)
    for body in (REPORT, FOLLOW_UP, REPLY, NOTE):
        assert "Sedang" not in repr(body)
        assert "Empat" not in repr(body)
    assert subject.INTENTS == ("message", "contest", "withdraw")
