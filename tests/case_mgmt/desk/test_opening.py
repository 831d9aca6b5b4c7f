# SPDX-License-Identifier: AGPL-3.0-or-later
"""A thread opens for its recipients only, and what does not fit is said."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from case_mgmt.desk.errors import OpeningError
from case_mgmt.desk.opening import Origin, open_thread, people_for
from crypto.body import ReplyBody
from crypto.encoding import day_number
from crypto.frame import FrameType
from crypto.receipt import derive, generate
from crypto.rng import system_rng
from crypto.xwing import identity_to_age
from tests.case_mgmt.desk.threads import DAY, Thread, attachment, make_thread


@pytest.fixture
def thread(tmp_path: Path) -> Thread:
    return make_thread(tmp_path)


def test_a_good_thread_has_no_remarks(thread: Thread) -> None:
    thread.report({"story": "Empat kali.", "unit": "kel-melati"}, ["foto.jpg"])
    thread.follow_up(names=["lagi.jpg"])
    opened = thread.open()
    assert opened.remarks == ()
    assert opened.report.origin is Origin.ARRIVAL
    assert opened.report.body.fields["story"] == "Empat kali."
    assert opened.reply_to.to_age() == thread.keys.reply_recipient.to_age()
    assert [message.attachments[0].name for message in opened.messages] == ["foto.jpg", "lagi.jpg"]
    assert opened.last_hash == thread.hashes[-1]
    assert {person.id for person in opened.people} == {"penyidik-1", "penyidik-2", "pengawas"}


def test_accused_and_excluded_units_are_not_among_the_people(thread: Thread) -> None:
    fields = {"story": "x", "unit": "inspektorat-1", "exclude_unit": "inspektorat-2"}
    thread.report(fields, people=["pengawas"])
    assert [person.id for person in thread.open("pengawas").people] == ["pengawas"]
    assert thread.codes("pengawas") == []
    with pytest.raises(OpeningError, match="cannot_open"):
        thread.open("penyidik-1")
    assert [each.id for each in people_for(fields, thread.manifest)] == ["pengawas"]


FRAME_CHANGES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "swapped sender": ({"sign_seed": b"\x07" * 32}, ["unknown_sender"]),
    "unsigned": ({"sign_seed": None}, ["unsigned"]),
    "gap": ({"prev": b"\x01" * 32}, ["gap"]),
    "digest of others": ({"recipients_digest": bytes(32)}, ["recipients_differ"]),
    "day ahead": ({"day": day_number(DAY + timedelta(days=1))}, ["day_differs"]),
    "day withheld": ({"day": 0}, []),
    "browser": ({"origin": Origin.BROWSER}, []),
}


@pytest.mark.parametrize("name", FRAME_CHANGES)
def test_follow_up_out_of_context(thread: Thread, name: str) -> None:
    changes, expected = FRAME_CHANGES[name]
    thread.report()
    thread.follow_up(**changes)
    assert thread.codes() == expected


def test_prev_of_an_earlier_frame_or_of_our_reply_is_no_gap(thread: Thread) -> None:
    thread.report()
    thread.follow_up(prev=thread.hashes[0])
    thread.follow_up(prev=b"\x05" * 32)
    assert thread.codes() == ["gap"]
    assert thread.codes(replies={b"\x05" * 32}) == []


def test_repeated_message(thread: Thread) -> None:
    thread.report()
    thread.follow_up(message_id=b"\x02" * 16)
    thread.follow_up(message_id=b"\x02" * 16)
    assert thread.codes() == ["repeated"]


def test_files_named_and_stored_must_agree(thread: Thread) -> None:
    thread.report(names=["a.jpg"], blobs={})
    thread.follow_up(blobs={attachment("x").id: 1})
    assert thread.codes() == ["file_missing", "file_extra"]


@pytest.mark.parametrize("change", ["instance_id", "thread_id"])
def test_a_follow_up_of_another_place_is_not_shown(thread: Thread, change: str) -> None:
    thread.report()
    width = 32 if change == "instance_id" else 16
    thread.follow_up("rahasia", **{change: b"\x09" * width})
    opened = thread.open()
    assert opened.follow_ups == ()
    assert [remark.code for remark in opened.remarks] == ["cannot_open"]


@pytest.mark.parametrize("change", ["instance_id", "thread_id"])
def test_a_report_of_another_place_does_not_open(thread: Thread, change: str) -> None:
    width = 32 if change == "instance_id" else 16
    thread.report(**{change: b"\x09" * width})
    with pytest.raises(OpeningError, match="cannot_open"):
        thread.open()


def test_a_report_of_another_organisation_does_not_open(thread: Thread) -> None:
    thread.report()
    foreign = replace(thread.manifest, instance_id=b"\x03" * 32)
    with pytest.raises(OpeningError, match="cannot_open"):
        open_thread(thread.lens(manifest=foreign), thread.stored)


def test_the_reply_key_is_that_of_the_first_report_only(thread: Thread) -> None:
    thread.report()
    other = derive(generate(system_rng), thread.org.instance_id)
    thread.report(reply_identity=identity_to_age(other.reply_seed), sign_seed=other.sign_seed)
    opened = thread.open()
    assert opened.reply_to.to_age() == thread.keys.reply_recipient.to_age()


def test_a_second_report_is_not_taken_for_a_follow_up(thread: Thread) -> None:
    thread.report()
    thread.report()
    thread.stored[1] = replace(thread.stored[1], kind="follow_up")
    assert thread.codes() == ["wrong_type"]


def test_no_first_report(thread: Thread) -> None:
    thread.follow_up()
    with pytest.raises(OpeningError, match="no_first_report"):
        thread.open()
    with pytest.raises(OpeningError, match="no_first_report"):
        open_thread(thread.lens(), [])


def test_another_type_in_the_place_of_the_report(thread: Thread) -> None:
    body = ReplyBody("id", None, None, "x", DAY.isoformat()).encode()
    thread.add("report", FrameType.REPLY, body)
    with pytest.raises(OpeningError, match="wrong_type"):
        thread.open()


def test_a_body_that_is_not_one(thread: Thread) -> None:
    thread.report()
    thread.add("follow_up", FrameType.FOLLOW_UP, b"{}")
    assert thread.codes() == ["malformed"]
    thread.stored.clear()
    thread.add("report", FrameType.REPORT, b"[]")
    with pytest.raises(OpeningError, match="malformed"):
        thread.open()


@pytest.mark.parametrize("container", [b"", b"age-encryption.org/v1\n", b"\x00" * 9000])
def test_garbage_instead_of_a_container(thread: Thread, container: bytes) -> None:
    thread.report()
    thread.stored.append(replace(thread.stored[0], id="1", kind="follow_up", container=container))
    assert thread.codes()[0] in {"malformed", "cannot_open"}


def test_a_flipped_bit_is_not_shown(thread: Thread) -> None:
    thread.report()
    thread.follow_up()
    raw = bytearray(thread.stored[1].container)
    raw[-20] ^= 1
    thread.stored[1] = replace(thread.stored[1], container=bytes(raw))
    assert thread.open().follow_ups == ()
