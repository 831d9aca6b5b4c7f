# SPDX-License-Identifier: AGPL-3.0-or-later
"""Targets: JSON, words and names, as strangers, offices and the sandbox write them."""

import json
from datetime import date
from typing import Any

from case_mgmt.acts import Act
from case_mgmt.desk.jail_answer import JailAnswerError, png_of, read_cleaned, read_pages
from case_mgmt.errors import CaseError
from case_mgmt.records import parse_record, record_id
from crypto.body import AttachmentRef, FollowUpBody, NoteBody, ReplyBody, ReportBody
from crypto.domains import Domain
from crypto.encoding import (
    b64,
    b64_standard,
    canonical_json,
    parse_day,
    parse_json,
    unb64,
    unb64_standard,
)
from crypto.errors import CryptoError, MalformedError, ManifestError, ReceiptError
from crypto.filenames import clean_media_type, clean_name
from crypto.manifest import verify_manifest
from crypto.padding import padme
from crypto.receipt import Receipt, parse_receipt
from crypto.signing import public_from_seed, sign
from crypto.words import LANGUAGES
from crypto.xwing import identity_to_age, recipient_from_seed
from tests.fuzz.target import Target, chosen, fixed, require, ways
from whistle.cases import wire as office
from whistle.cases.errors import ApiError
from whistle.desk.errors import UnreachableError
from whistle.desk.records import parse_case, parse_queue, read_json
from whistle.errors import RefusedError
from whistle.intake import feed
from whistle.intake.api import wire as client
from whistle.intake.sessions import _parse as parse_cookie
from whistle.intake.tokens import message_id, token_day
from whistle.intake.wiring import parse_statistics

ROOT = fixed("root")
TODAY = date(2026, 4, 7)
MOST = 65536
HEX16, HEX32 = "0f" * 16, "0f" * 32
JSON_WORDS = (b'"v":1', b"null", b"true", b"[]", b"{}", b"\\ud800", b"1e9", b"NaN", b"0" * 16)


def as_json(*values: Any) -> list[bytes]:
    """Canonical JSON of each."""
    return [canonical_json(value) for value in values]


# ---- encodings -----------------------------------------------------------------------------------
def strict_json(data: bytes) -> None:
    """What is accepted has one canonical form, which says the same to any other reader."""
    value = parse_json(data, max_bytes=MOST)
    encoded = canonical_json(value)
    require(parse_json(encoded, max_bytes=8 * MOST) == value, "canonical JSON says another thing")
    require(json.loads(data) == value, "another reader sees another value")


def encodings(data: bytes) -> None:
    """Base64 of both kinds and days: one text for one value."""
    way, data = chosen(data, 3)
    if way == 0:
        require(b64_standard(unb64_standard(data)) == data, "base64 is ambiguous")
        return
    text = data.decode("utf-8", "replace")
    if way == 1:
        require(b64(unb64(text)) == text, "base64url is ambiguous")
    else:
        require(parse_day(text).isoformat() == text, "a day is ambiguous")


def tokens(data: bytes) -> None:
    """A form's token and a session's cookie: never an error, whatever they are."""
    text = data.decode("utf-8", "replace")
    parse_cookie(text)
    token_day(text, TODAY)
    require(len(message_id(ROOT, text, b"", bytes)) == 16, "no message id")
    unb64(text)


def names(data: bytes) -> None:
    """File names and media types: tame, and tamed once for all."""
    text = data.decode("utf-8", "replace")
    name, kind = clean_name(text), clean_media_type(text)
    require(clean_name(name) == name, "a tamed name is tamed further")
    require(0 < len(name) <= 200 and "/" not in name and "\\" not in name, "a name is not tame")
    require(clean_media_type(kind) == kind, "a tamed type is tamed further")


# ---- bodies and receipts -------------------------------------------------------------------------
_BODIES = (ReportBody, FollowUpBody, ReplyBody, NoteBody)


def bodies(data: bytes) -> None:
    """What is read is written again as the same."""
    way, data = chosen(data, len(_BODIES))
    kind = _BODIES[way]
    body = kind.parse(data)
    require(kind.parse(body.encode()) == body, "a body changes on its way")


def some_bodies() -> list[bytes]:
    """One of each, the first with a file."""
    identity = identity_to_age(fixed("reply"))
    file = AttachmentRef(HEX16, identity, 3, padme(3), HEX32, "foto.jpg", "image/jpeg", False)
    story = {"story": "Mereka meminta uang.", "asked": "50k_100k"}
    return ways(
        [
            ReportBody("id", "report@1", story, identity, (file,)).encode(),
            ReportBody("en", "report@1", {}, identity).encode(),
        ],
        [FollowUpBody("en", "message", "Again.").encode()],
        [ReplyBody("id", "closed", None, "Selesai.", "2026-04-07").encode()],
        [NoteBody("id", "Catatan.").encode()],
    )


def receipt(data: bytes) -> None:
    """Twelve words, however typed, are one receipt."""
    found = parse_receipt(data.decode("utf-8", "replace"))
    for language in LANGUAGES:
        require(parse_receipt(" ".join(found.words(language))) == found, "words differ")


def receipts() -> list[bytes]:
    """In both languages, numbered, cut off, and with a slip."""
    one = Receipt(fixed("receipt", 16))
    texts = [" ".join(one.words(language)) for language in LANGUAGES]
    texts.append("\n".join(f"{at}. {word}" for at, word in enumerate(one.words("en"), 1)))
    texts.append(",".join(word[:4] for word in one.words("id")))
    texts.append(texts[1].replace("a", "q", 1))
    return [text.encode() for text in texts]


# ---- manifests -----------------------------------------------------------------------------------
def manifest(data: bytes) -> None:
    """With a signature that fits: what an organisation, or a thief of its key, could publish."""
    signature = sign(ROOT, Domain.MANIFEST, data)
    found = verify_manifest(data, signature, public_from_seed(ROOT), TODAY)
    require(found.recipients_for(None), "nobody opens reports")


def manifests() -> list[bytes]:
    """A small organisation, with and without former keys and an onion address."""
    person = {
        "id": "penyidik-1", "name": "Penyidik", "roles": ["investigator"], "unit": "inspektorat",
        "recipient": recipient_from_seed(fixed("person")).to_age(), "desk": fixed("desk").hex(),
    }  # fmt: skip
    other = {
        **person, "id": "pengawas", "unit": "pusat", "roles": ["supervisor"],
        "recipient": recipient_from_seed(fixed("other")).to_age(), "desk": fixed("desk 2").hex(),
    }  # fmt: skip
    value = {
        "v": 1, "serial": 7, "not_before": "2026-01-01", "not_after": "2026-12-31", "demo": True,
        "name": {"id": "Kantor", "en": "Office"}, "people": [person, other],
        "services": {"intake": fixed("intake").hex(), "cases": fixed("cases").hex()},
        "files": {"policy.json": HEX32}, "onion": "a" * 56 + ".onion",
        "former": [{"id": "lama", "desk": fixed("old").hex(), "until_serial": 3}],
        "former_services": [{"id": "intake", "key": fixed("old 2").hex(), "until_serial": 3}],
    }  # fmt: skip
    return as_json(value, {**value, "onion": None, "former": [], "former_services": []})


# ---- the interfaces ------------------------------------------------------------------------------
def client_api(data: bytes) -> None:
    """The JSON of a reporter's client, and the header of an upload."""
    way, data = chosen(data, 4)
    if way == 3:
        client.parse_upload_key(data.decode("utf-8", "replace"))
        return
    value = parse_json(data, max_bytes=MOST)
    (client.parse_signed, client.parse_report, client.parse_addition)[way](value)


def client_values() -> list[bytes]:
    """Of docs/spec/client-api.md, sections 4 to 6."""
    blob = {"id": HEX16, "size": 67195, "upload": b64(fixed("upload"))}
    signed = {"lookup_id": HEX16, "nonce": HEX32, "signature": b64(fixed("sig", 64))}
    report = {
        "lookup_id": HEX16, "auth_public": HEX32, "mailbox_key": HEX32, "commitment": HEX32,
        "dossier": b64(fixed("dossier", 284)), "recipients": ["penyidik-1", "pengawas"],
        "container": b64(bytes(30)), "blobs": [blob],
    }  # fmt: skip
    addition = {
        "lookup_id": HEX16, "intent": "message", "recipients": None, "container": "AAAA",
        "own": {"id": HEX16, "box": "AAAA"}, "blobs": [],
    }  # fmt: skip
    people = ["penyidik-1"]
    return ways(
        as_json(signed),
        as_json(report, {**report, "blobs": [], "commitment": None}),
        as_json(addition, {**addition, "recipients": people, "blobs": [blob]}),
        [b64(fixed("upload")).encode()],
    )


def feed_pushes(data: bytes) -> None:
    """What the case server brings to the intake, once its signature is checked."""
    way, data = chosen(data, 3)
    value = parse_json(data, max_bytes=MOST)
    if way == 0:
        for one in feed._list(value["records"]):
            feed.unhex(one, 16)
    elif way == 1:
        for one in feed._list(value["entries"]):
            feed._entry(one)
    elif parse_statistics(data.decode("utf-8")) is None:
        raise MalformedError("no statistics")


def some_pushes() -> list[bytes]:
    """Of docs/spec/http.md, section 7."""
    numbers = {
        "v": 1, "as_of": "2026-04-07", "received": 120, "open": 40, "followed_up_7": 100,
        "followed_up_30": 110, "closed": 80, "overdue": None,
        "outcomes": {"upheld_action": 12, "insufficient": None},
    }  # fmt: skip
    entry = {"thread": HEX16, "seq": 1, "box": "AAAA"}
    return ways(as_json({"records": [HEX16]}), as_json({"entries": [entry]}), as_json(numbers))


def feed_records(data: bytes) -> None:
    """What the intake hands to the case server."""
    value = parse_json(data, max_bytes=MOST)
    found = record_id(value)
    record = parse_record(value)
    require(record.id == found, "a record has two ids")


def some_records() -> list[bytes]:
    """A report and a later message; the container is the smallest there is."""
    from tests.fuzz.sealed import containers  # noqa: PLC0415 - only for its seeds

    record = {
        "id": HEX16, "kind": "report", "thread": HEX16, "intent": "message", "day": "2026-04-07",
        "recipients": ["penyidik-1"], "mailbox_key": HEX32, "container": b64(containers()[0]),
        "blobs": [{"id": HEX16, "size": 67195}], "commitment": HEX32,
    }  # fmt: skip
    later = {"kind": "follow_up", "intent": "contest", "mailbox_key": None, "commitment": None}
    return as_json(record, {**record, **later, "blobs": []}, {**record, "container": "AAAA"})


_ACT = {
    "v": 1, "case": "WH-7QK2M9XD", "seq": 3, "prev": HEX32, "kind": "transition",
    "from": "received", "to": "assessing", "reason": None, "message": HEX32, "day": "2026-04-07",
    "signer": HEX32, "until": None, "assignee": None,
}  # fmt: skip
_SIGNED = {
    "act": _ACT, "signature": b64(fixed("sig", 64)), "countersigner": None,
    "countersignature": None,
}  # fmt: skip


def case_api(data: bytes) -> None:
    """What a desk sends to the case server, once its signature is checked."""
    way, data = chosen(data, 5)
    if way == 4:
        act = Act.parse(data)
        require(act.encode() == data, "an act has two encodings")
        return
    readers = (office.read_submission, office.read_confirmation, office.read_return)
    (*readers, office.read_note)[way](data)


def some_acts() -> list[bytes]:
    """Of docs/spec/case-api.md, section 4."""
    submission = {"act": _ACT, "signature": b64(fixed("sig", 64)), "container": "AAAA"}
    waiting = {**_ACT, "kind": "extension", "from": None, "until": "2026-05-01", "assignee": "a"}
    return ways(
        as_json(submission, {**submission, "container": None}),
        as_json({"act_hash": HEX32, "countersignature": b64(fixed("sig", 64))}),
        as_json({"act_hash": HEX32}),
        as_json({"container": "AAAA"}),
        as_json(_ACT, {**_ACT, "from": None}) + as_json(waiting),
    )


def desk_records(data: bytes) -> None:
    """What a case server, honest or not, answers a desk."""
    way, data = chosen(data, 2)
    value = read_json(data)
    (parse_queue, parse_case)[way](value)


def some_cases() -> list[bytes]:
    """A queue and a case."""
    summary = {
        "case": "WH-7QK2M9XD", "state": "examining", "assignee": "penyidik-1",
        "received": "2026-04-01", "next_due": "2026-05-07", "due_kind": "update",
        "overall_due": "2026-07-03", "update_due": None, "overdue_since": None,
        "contest_until": None, "paused": False, "new_material": False,
        "proposal": {"to": "upheld_fixed", "by": "penyidik-1"},
        "allowed": [{"to": "needs_info", "needs_second": False, "needs_reason": False}],
    }  # fmt: skip
    message = {
        "id": HEX16, "kind": "report", "intent": "message", "day": "2026-04-01",
        "container": "AAAA", "blobs": [{"id": HEX16, "size": 67259}],
    }  # fmt: skip
    case = {
        **summary, "thread": HEX16, "messages": [message], "head": HEX32, "next_seq": 4,
        "history": [{**_SIGNED, "container": None}],
        "pending": {
            "act": _ACT, "act_hash": HEX32, "signature": b64(fixed("sig", 64)),
            "container": "AAAA", "by": "penyidik-1",
        },
        "notes": [{"person": "penyidik-1", "day": "2026-04-02", "container": "AAAA"}],
        "returns": [],
    }  # fmt: skip
    return ways(
        as_json({"today": "2026-04-07", "cases": [summary]}),
        as_json(case, {**case, "pending": None}),
    )


def jail_answers(data: bytes) -> None:
    """What comes out of the sandbox, as if an attacker had written it."""
    way, data = chosen(data, 2)
    if way:
        read_cleaned(data)
        return
    for picture in read_pages(data).pictures:
        require(len(png_of(picture)) > 40, "no picture")


def some_answers() -> list[bytes]:
    """One picture, one clean copy, one failure."""
    pages = b'{"pages":[{"width":2,"height":1}],"total":1}\n' + bytes(6)
    clean = b'{"size":3,"found":["GPS"],"left":[]}\nabc'
    return ways([pages, b'{"failure":"unreadable"}\n'], [clean])


_CASE = (ApiError, CaseError, CryptoError)
_FEED = (MalformedError, KeyError, TypeError, ValueError, RefusedError)  # as feed.only_cases has it
TARGETS = (
    Target(
        "json", strict_json, (MalformedError,),
        lambda: [b'{"a":[1,-2,"x",null,true]}', b'"\\u00e9"'], JSON_WORDS, 2048,
    ),
    Target(
        "encodings", encodings, (MalformedError,),
        lambda: ways([b"AAAA", b"AA"], [b"A-_A", b"AQ"], [b"2026-04-07"]), max_len=128,
    ),
    Target(
        "tokens", tokens, (MalformedError,),
        lambda: [b64(fixed("token")).encode(), b"AABQKA", b"x"], max_len=128,
    ),
    Target(
        "names", names, (),
        lambda: [b"foto.jpg", b"../a\\b.tar.gz", b"image/jpeg; q=1", "é\u202egpj.exe".encode()],
        max_len=1024,
    ),
    Target("bodies", bodies, (MalformedError,), some_bodies, JSON_WORDS),
    Target("receipt", receipt, (ReceiptError,), receipts, tuple(receipts()[0].split()[:4]), 1200),
    Target("manifest", manifest, (ManifestError,), manifests, JSON_WORDS, 8192),
    Target("client_api", client_api, (MalformedError,), client_values, JSON_WORDS),
    Target("feed_pushes", feed_pushes, _FEED, some_pushes, JSON_WORDS, 2048),
    Target(
        "feed_records", feed_records, (CaseError, MalformedError), some_records, JSON_WORDS, 10240
    ),
    Target("case_api", case_api, _CASE, some_acts, JSON_WORDS, 2048),
    Target("desk_records", desk_records, (UnreachableError,), some_cases, JSON_WORDS),
    Target("jail_answers", jail_answers, (JailAnswerError,), some_answers, JSON_WORDS, 2048),
)  # fmt: skip
