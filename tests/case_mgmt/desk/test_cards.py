# SPDX-License-Identifier: AGPL-3.0-or-later
"""Cards: countable answers for the publishers, and not a word that anybody wrote."""

from pathlib import Path

import pytest

from case_mgmt.desk import cards as subject
from case_mgmt.desk.composing import Draft
from case_mgmt.desk.errors import OpeningError
from crypto.envelope import check_container
from crypto.manifest import Manifest
from crypto.padding import FRAME_SIZES
from tests.case_mgmt.desk.threads import Thread, make_thread, manifest_of


@pytest.fixture
def thread(tmp_path: Path) -> Thread:
    made = make_thread(tmp_path)
    made.report()
    return made


def reader(thread: Thread) -> tuple[bytes, Manifest]:
    """Somebody in a publisher's place."""
    return thread.org.identities["pengawas"].recipient_seed, manifest_of(thread.org)


def sealed(thread: Thread) -> bytes:
    people = [each for each in manifest_of(thread.org).people if each.id == "pengawas"]
    return subject.seal_card(thread.author(), thread.open(), people)


def test_a_card_says_what_can_be_counted(thread: Thread) -> None:
    card = subject.open_card(reader(thread)[0], sealed(thread), reader(thread)[1])
    assert card == subject.card_fields(thread.open().report.body.fields)
    assert set(card) == set(subject.CARD_FIELDS)


def test_a_card_has_one_size_and_one_reader(thread: Thread) -> None:
    info = check_container(sealed(thread))
    assert (info.recipients, info.frame_size) == (1, FRAME_SIZES[0])
    other = thread.org.identities["penyidik-1"].recipient_seed
    with pytest.raises(OpeningError):
        subject.open_card(other, sealed(thread), reader(thread)[1])


def test_no_word_of_the_report_is_in_it() -> None:
    answers = {"story": "Budi meminta uang", "who": "Budi", "unit": "kel-melati", "how": "x" * 65}
    assert subject.card_fields(answers) == {
        "unit": "kel-melati", "service": "", "subject": "", "how": "", "asked": "", "paid": "",
    }  # fmt: skip


def test_another_message_is_no_card(thread: Thread) -> None:
    opened = thread.open()
    draft = Draft("id", "Kami memeriksa.", "examining", None)
    copy = thread.author().seal_reply(opened, draft, opened.last_hash).office_copy
    note = thread.author().seal_note(opened, "id", "catatan", opened.last_hash)
    for container in (copy, note, b"nothing"):
        with pytest.raises(OpeningError):
            subject.open_card(reader(thread)[0], container, reader(thread)[1])
