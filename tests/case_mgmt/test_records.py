# SPDX-License-Identifier: AGPL-3.0-or-later
"""Records of the feed: strict reading."""

from typing import Any

import pytest

from case_mgmt.errors import RecordError
from case_mgmt.records import parse_record, record_id
from crypto.encoding import b64
from tests.support.case_office import MAILBOX_KEY, container, feed_item

REPORT = feed_item()


def test_a_report_is_read() -> None:
    record = parse_record(REPORT)
    assert record.id == "0a" * 16
    assert record.mailbox_key == MAILBOX_KEY
    assert record.container == container(3)
    assert [(blob.id, blob.size) for blob in record.blobs] == [("0d" * 16, 70_000)]


def test_a_message_needs_no_mailbox_key() -> None:
    record = parse_record({**REPORT, "kind": "follow_up", "mailbox_key": None, "recipients": []})
    assert record.intent == "message"


def test_unknown_additions_are_ignored() -> None:
    assert parse_record({**REPORT, "later": 1}) == parse_record(REPORT)


@pytest.mark.parametrize(
    "change",
    [
        {"id": "0a" * 15},
        {"id": "0A" * 16},
        {"id": None},
        {"kind": "reply"},
        {"kind": None},
        {"kind": ["report"]},
        {"thread": "0b" * 32},
        {"intent": "delete"},
        {"intent": {}},
        {"day": "7 April 2026"},
        {"day": None},
        {"recipients": []},
        {"recipients": None},
        {"recipients": "penyidik-1"},
        {"recipients": ["../x"]},
        {"recipients": [7]},
        {"recipients": ["a"] * 17},
        {"mailbox_key": None},
        {"mailbox_key": "0c" * 16},
        {"container": ""},
        {"container": b64(b"plain text")},
        {"container": b64(container(3)[:-1])},
        {"container": b64(container(3)) + "="},
        {"container": None},
        {"blobs": None},
        {"blobs": [{}]},
        {"blobs": [7]},
        {"blobs": [{"id": "0d" * 16, "size": 0}]},
        {"blobs": [{"id": "0d" * 16, "size": -1}]},
        {"blobs": [{"id": "0d" * 16, "size": True}]},
        {"blobs": [{"id": "0d" * 16, "size": "7"}]},
        {"blobs": [{"id": "0d" * 16, "size": 1 << 40}]},
        {"blobs": [{"id": "../../etc", "size": 7}]},
        {"blobs": [{"id": "0d" * 16, "size": 7}] * 17},
    ],
)
def test_a_bad_record_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(RecordError):
        parse_record({**REPORT, **change})


@pytest.mark.parametrize("name", REPORT)
def test_a_missing_field_is_refused(name: str) -> None:
    with pytest.raises(RecordError):
        parse_record({key: value for key, value in REPORT.items() if key != name})


@pytest.mark.parametrize("item", [None, 7, "x", [], {}])
def test_what_is_no_record_is_refused(item: Any) -> None:
    assert record_id(item) is None
    with pytest.raises(RecordError):
        parse_record(item)


def test_the_id_is_found_even_in_a_broken_record() -> None:
    assert record_id({"id": "0a" * 16, "kind": 7}) == "0a" * 16
