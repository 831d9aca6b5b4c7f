# SPDX-License-Identifier: AGPL-3.0-or-later
"""Messages go to the reporter alone, copies and notes to the office alone, and they agree."""

from dataclasses import replace
from pathlib import Path

import pytest

from case_mgmt.desk.composing import Draft
from case_mgmt.desk.errors import ComposeError
from case_mgmt.desk.office import open_office_file, payload_digest
from crypto.body import NoteBody, ReplyBody
from crypto.envelope import check_container
from crypto.errors import CryptoError
from crypto.frame import FrameType, Origin, frame_hash
from crypto.mailbox import open_reply
from crypto.private.open_report import open_message
from tests.case_mgmt.desk.threads import DAY, Thread, make_thread

TEXT = "Kami memeriksa loket 2 minggu ini."


@pytest.fixture
def thread(tmp_path: Path) -> Thread:
    made = make_thread(tmp_path)
    made.report()
    return made


def test_the_reporter_reads_exactly_the_draft(thread: Thread) -> None:
    opened = thread.open()
    draft = Draft("id", TEXT + "  \r\n", "examining", None)
    sealed = thread.author().seal_reply(opened, draft, opened.last_hash)
    frame, raw = open_reply(thread.keys, sealed.container, thread.org.instance_id)
    assert check_container(sealed.container).recipients == 1
    assert (frame.type, frame.origin, frame.prev) == (
        FrameType.REPLY,
        Origin.DESK,
        thread.hashes[-1],
    )
    assert frame.sender == thread.org.identities["penyidik-1"].device_public
    body = ReplyBody.parse(frame.body)
    assert body == draft.body(DAY)
    assert (body.text, body.status, body.day) == (TEXT, "examining", DAY.isoformat())
    assert len(frame_hash(raw)) == 32


def test_no_colleague_opens_the_reporters_container(thread: Thread) -> None:
    opened = thread.open()
    sealed = thread.author().seal_reply(opened, Draft("id", TEXT), opened.last_hash)
    for identity in thread.org.identities.values():
        with pytest.raises(CryptoError):
            open_message(
                identity.recipient_seed,
                sealed.container,
                thread.org.instance_id,
                thread.keys.lookup_id,
            )


@pytest.mark.parametrize("person", ["penyidik-1", "penyidik-2", "pengawas"])
def test_every_colleague_reads_the_office_copy(thread: Thread, person: str) -> None:
    opened = thread.open()
    sealed = thread.author().seal_reply(opened, Draft("id", TEXT, "examining"), opened.last_hash)
    assert check_container(sealed.office_copy).recipients == 3
    assert payload_digest(sealed.office_copy) == payload_digest(sealed.container)
    seed = thread.org.identities[person].recipient_seed
    office = open_office_file(
        seed, thread.manifest, thread.keys.lookup_id, [sealed.office_copy, b"garbage"]
    )
    copy = office.copy_of(sealed.container)
    assert copy is not None
    assert copy.body.text == TEXT
    assert office.hashes == {copy.hash}
    assert office.unreadable == 1
    assert office.copy_of(b"garbage") is None


def test_a_copy_of_other_words_belongs_to_no_message(thread: Thread) -> None:
    opened = thread.open()
    first = thread.author().seal_reply(opened, Draft("id", TEXT), opened.last_hash)
    second = thread.author().seal_reply(opened, Draft("id", TEXT), opened.last_hash)
    seed = thread.org.identities["pengawas"].recipient_seed
    office = open_office_file(seed, thread.manifest, thread.keys.lookup_id, [second.office_copy])
    assert office.copy_of(first.container) is None


def test_a_note_never_reaches_the_reporter(thread: Thread) -> None:
    opened = thread.open()
    container = thread.author().seal_note(opened, "id", "[lihat] berkas 2", opened.last_hash)
    with pytest.raises(CryptoError):
        open_reply(thread.keys, container, thread.org.instance_id)
    seed = thread.org.identities["penyidik-2"].recipient_seed
    office = open_office_file(seed, thread.manifest, thread.keys.lookup_id, [container])
    (note,) = office.notes
    assert (note.text, note.day) == ("[lihat] berkas 2", DAY)
    assert note.author is not None
    assert note.author.id == "penyidik-1"
    frame, _raw = open_message(seed, container, thread.org.instance_id, thread.keys.lookup_id)
    assert NoteBody.parse(frame.body).lang == "id"


def test_a_note_by_nobody_known_has_no_author(thread: Thread) -> None:
    opened = thread.open()
    stranger = replace(thread.org.identities["penyidik-1"], device_seed=b"\x08" * 32)
    author = replace(thread.author(), identity=stranger)
    container = author.seal_note(opened, "id", "catatan", opened.last_hash)
    seed = thread.org.identities["pengawas"].recipient_seed
    office = open_office_file(seed, thread.manifest, thread.keys.lookup_id, [container])
    assert office.notes[0].author is None


def test_a_reporters_message_among_the_notes_is_not_shown(thread: Thread) -> None:
    seed = thread.org.identities["pengawas"].recipient_seed
    containers = [thread.stored[0].container]
    office = open_office_file(seed, thread.manifest, thread.keys.lookup_id, containers)
    assert (office.notes, office.copies, office.unreadable) == ((), {}, 1)


def test_who_cannot_read_the_case_cannot_write_in_it(tmp_path: Path) -> None:
    thread = make_thread(tmp_path)
    thread.report({"story": "x", "unit": "inspektorat-1"}, people=["penyidik-2", "pengawas"])
    opened = thread.open("pengawas")
    with pytest.raises(ComposeError, match="not_a_recipient"):
        thread.author("penyidik-1").seal_reply(opened, Draft("id", TEXT), opened.last_hash)
    with pytest.raises(ComposeError, match="not_a_recipient"):
        thread.author("penyidik-1").seal_note(opened, "id", TEXT, opened.last_hash)


@pytest.mark.parametrize("text", ["", "Kami [langkah] besok siang."])
def test_unfinished_words_are_not_sealed(thread: Thread, text: str) -> None:
    opened = thread.open()
    with pytest.raises(ComposeError):
        thread.author().seal_reply(opened, Draft("id", text), opened.last_hash)
