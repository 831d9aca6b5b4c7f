# SPDX-License-Identifier: AGPL-3.0-or-later
"""A decision attaches to the verified head; the second person signs only what was read."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from case_mgmt.acts import SignedAct, sign_act, verify_act, verify_countersignature
from case_mgmt.desk.composing import Draft, SealedReply
from case_mgmt.desk.errors import ComposeError
from case_mgmt.desk.history import Head, check_history
from case_mgmt.desk.office import OfficeCopy, OfficeFile, open_office_file
from case_mgmt.desk.signing import (
    Decision,
    Proposal,
    Verified,
    check_proposal,
    countersign,
    read_proposal,
    sign_decision,
)
from case_mgmt.model import ActHash, ActKind, CaseId, State
from crypto.manifest import Person
from tests.case_mgmt.desk.threads import CASE, DAY, Chain, Thread, make_thread, remanifest

CLOSING = Decision(ActKind.TRANSITION, State.UPHELD_ACTION)
TEXT = "Terbukti; petugas ditindak."


@dataclass
class Desk:
    """A case under examination, and a closing proposed by penyidik-1."""

    thread: Thread
    head: Head
    sealed: SealedReply
    proposal: Proposal
    today: date = DAY

    def office(self, *containers: bytes, person: str = "pengawas") -> OfficeFile:
        seed = self.thread.org.identities[person].recipient_seed
        return open_office_file(seed, self.thread.manifest, self.thread.keys.lookup_id, containers)

    def known(self, *containers: bytes, person: str = "pengawas") -> Verified:
        office = self.office(*containers, person=person)
        return Verified(self.thread.manifest, self.head, office, self.today)

    def person(self, name: str) -> Person:
        return next(each for each in self.thread.manifest.people if each.id == name)

    def read(self, *containers: bytes) -> OfficeCopy:
        return read_proposal(self.proposal, self.known(*containers))

    def remanifest(self, people: dict[str, Any], **changes: Any) -> None:
        """Signs the manifest again: None removes a person, a mapping changes one."""
        self.thread.manifest = remanifest(self.thread.org, people, **changes)

    def write(self, text: str = TEXT, person: str = "penyidik-1", **more: str) -> SealedReply:
        opened = self.thread.open(person)
        draft = Draft("id", text, **{"status": "upheld_action", **more})
        return self.thread.author(person).seal_reply(opened, draft, opened.last_hash)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    thread = make_thread(tmp_path)
    thread.report()
    chain = Chain(thread.org)
    chain.received()
    chain.add("penyidik-1", ActKind.TRANSITION, State.ASSESSING, b"satu")
    chain.add("penyidik-1", ActKind.TRANSITION, State.EXAMINING, b"dua")
    head = check_history(CASE, chain.entries, thread.manifest).head
    made = Desk(thread, head, None, None)  # type: ignore[arg-type]
    made.sealed = made.write()
    identity = thread.org.identities["penyidik-1"]
    signed = sign_decision(identity, head, CLOSING, made.sealed.container, DAY)
    made.proposal = Proposal(signed, made.sealed.container)
    return made


def test_an_act_attaches_to_the_head(desk: Desk) -> None:
    act = desk.proposal.signed.act
    assert (act.seq, act.prev, act.source) == (4, desk.head.prev, State.EXAMINING)
    verify_act(act, desk.proposal.signed.signature)


def test_an_assignment_carries_no_message(desk: Desk) -> None:
    identity = desk.thread.org.identities["pengawas"]
    decision = Decision(ActKind.ASSIGN, desk.head.state, assignee="penyidik-2")  # type: ignore[arg-type]
    act = sign_decision(identity, desk.head, decision, None, DAY).act
    assert (act.message, act.assignee, act.target) == (None, "penyidik-2", State.EXAMINING)


def test_an_extension_names_its_day(desk: Desk) -> None:
    identity = desk.thread.org.identities["pengawas"]
    until = date(2026, 9, 1)
    decision = Decision(ActKind.EXTEND, desk.head.state, "expert_opinion", until)
    act = sign_decision(identity, desk.head, decision, b"x", DAY).act
    assert (act.until, act.reason) == (until, "expert_opinion")


def test_the_second_person_signs_what_the_reporter_will_read(desk: Desk) -> None:
    assert desk.read(desk.sealed.office_copy).body.text == TEXT
    identity = desk.thread.org.identities["pengawas"]
    signature = countersign(identity, desk.proposal, desk.known(desk.sealed.office_copy))
    act = desk.proposal.signed.act
    verify_countersignature(act, identity.device_public.hex(), signature)  # type: ignore[arg-type]


def test_nobody_signs_twice(desk: Desk) -> None:
    known = desk.known(desk.sealed.office_copy, person="penyidik-1")
    identity = desk.thread.org.identities["penyidik-1"]
    with pytest.raises(ComposeError, match="second_person"):
        countersign(identity, desk.proposal, known)
    with pytest.raises(ComposeError, match="second_person"):
        check_proposal(desk.proposal, known, desk.person("penyidik-1"))


def test_one_person_with_two_keys_is_one_person(desk: Desk) -> None:
    identity = desk.thread.org.identities["penyidik-1"]
    renewed = replace(identity, device_seed=b"\x21" * 32)
    old = {"id": "penyidik-1", "desk": identity.device_public.hex(), "until_serial": 1}
    desk.remanifest({"penyidik-1": {"desk": renewed.device_public.hex()}}, former=[old])
    known = desk.known(desk.sealed.office_copy, person="penyidik-1")
    with pytest.raises(ComposeError, match="second_person"):
        countersign(renewed, desk.proposal, known)


@pytest.mark.parametrize("is_listed", [True, False])
def test_a_proposal_by_somebody_who_left_is_not_confirmed(desk: Desk, *, is_listed: bool) -> None:
    key = desk.thread.org.identities["penyidik-1"].device_public.hex()
    old = {"id": "penyidik-1", "desk": key, "until_serial": 1}
    desk.remanifest({"penyidik-1": None}, former=[old] if is_listed else [])
    identity = desk.thread.org.identities["pengawas"]
    with pytest.raises(ComposeError, match="proposer_left"):
        countersign(identity, desk.proposal, desk.known(desk.sealed.office_copy))


def test_a_proposal_by_somebody_who_handles_no_cases_any_more(desk: Desk) -> None:
    desk.remanifest({"penyidik-1": {"roles": ["auditor"]}})
    with pytest.raises(ComposeError, match="proposer_left"):
        desk.read(desk.sealed.office_copy)


def test_who_handles_no_cases_is_no_second_person(desk: Desk) -> None:
    desk.remanifest({"penyidik-2": {"roles": ["auditor"]}})
    identity = desk.thread.org.identities["penyidik-2"]
    with pytest.raises(ComposeError, match="not_a_recipient"):
        countersign(identity, desk.proposal, desk.known(desk.sealed.office_copy))


def test_without_the_copy_nothing_is_confirmed(desk: Desk) -> None:
    with pytest.raises(ComposeError, match="copy_missing"):
        desk.read()


def test_a_copy_with_other_words_does_not_help(desk: Desk) -> None:
    other = desk.write("Tidak terbukti sama sekali.")
    with pytest.raises(ComposeError, match="copy_missing"):
        desk.read(other.office_copy)


def test_a_message_by_somebody_else_is_refused(desk: Desk) -> None:
    sealed = desk.write(person="penyidik-2")
    identity = desk.thread.org.identities["penyidik-1"]
    signed = sign_decision(identity, desk.head, CLOSING, sealed.container, DAY)
    desk.proposal = Proposal(signed, sealed.container)
    with pytest.raises(ComposeError, match="copy_missing"):
        desk.read(sealed.office_copy)


@pytest.mark.parametrize("more", [{"status": "insufficient"}, {"reason": "no_contact"}])
def test_a_message_that_says_something_else_than_the_act(desk: Desk, more: dict[str, str]) -> None:
    sealed = desk.write(**more)
    identity = desk.thread.org.identities["penyidik-1"]
    signed = sign_decision(identity, desk.head, CLOSING, sealed.container, DAY)
    desk.proposal = Proposal(signed, sealed.container)
    with pytest.raises(ComposeError, match="act_mismatch"):
        desk.read(sealed.office_copy)


HEADS: dict[str, Callable[[Head], Head]] = {
    "case": lambda head: replace(head, case=CaseId("WH-ZZZZZZZZ")),
    "number": lambda head: replace(head, next_seq=head.next_seq + 1),
    "link": lambda head: replace(head, prev=ActHash("ab" * 32)),
    "state": lambda head: replace(head, state=State.REOPENED),
}


@pytest.mark.parametrize("name", HEADS)
def test_a_proposal_on_another_head(desk: Desk, name: str) -> None:
    desk.head = HEADS[name](desk.head)
    with pytest.raises(ComposeError, match="act_mismatch"):
        desk.read(desk.sealed.office_copy)


@pytest.mark.parametrize("days", [-1, 1, 3])
def test_a_proposal_of_another_day(desk: Desk, days: int) -> None:
    desk.today = DAY + timedelta(days=days)
    with pytest.raises(ComposeError, match="proposal_lapsed"):
        desk.read(desk.sealed.office_copy)


def test_a_forged_signature(desk: Desk) -> None:
    act = desk.proposal.signed.act
    desk.proposal = replace(desk.proposal, signed=SignedAct(act, sign_act(b"\x05" * 32, act)))
    with pytest.raises(ComposeError, match="act_mismatch"):
        desk.read(desk.sealed.office_copy)


def test_an_exchanged_container(desk: Desk) -> None:
    other = desk.write()
    desk.proposal = replace(desk.proposal, container=other.container)
    with pytest.raises(ComposeError, match="act_mismatch"):
        desk.read(other.office_copy)
