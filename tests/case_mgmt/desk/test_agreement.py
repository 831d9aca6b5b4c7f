# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the case server signs in the reporter's name is held against what the reporter sealed."""

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from case_mgmt.desk.agreement import Agreement, compare
from case_mgmt.desk.composing import Draft
from case_mgmt.desk.history import check_history
from case_mgmt.desk.office import open_office_file
from case_mgmt.model import ActKind, State
from crypto.body import FollowUpBody
from crypto.encoding import day_number
from crypto.frame import FrameType
from tests.case_mgmt.desk.threads import CASE, DAY, Chain, Thread, make_thread

TEXT = "Kami menelaah laporan Anda sekarang."


@dataclass
class Case:
    """A thread and its acts, extended together or, for a lie, apart."""

    thread: Thread
    chain: Chain
    copies: list[bytes]

    def message(self, intent: Any = "message", **changes: Any) -> None:
        body = FollowUpBody("id", intent, "Lanjutan.", ())
        self.thread.add("follow_up", FrameType.FOLLOW_UP, body.encode(), **changes)

    def act(self, kind: ActKind, target: State) -> None:
        self.chain.add("cases", kind, target)

    def office(self, target: State, *, copied: bool = True, **said: Any) -> None:
        opened = self.thread.open()
        draft = Draft(**{"lang": "id", "text": TEXT, "status": target.value, **said})
        sealed = self.thread.author().seal_reply(opened, draft, opened.last_hash)
        self.chain.add("penyidik-1", ActKind.TRANSITION, target, sealed.container)
        if copied:
            self.copies.append(sealed.office_copy)

    def compared(self) -> Agreement:
        thread = self.thread
        history = check_history(CASE, self.chain.entries, thread.manifest)
        assert history.is_verified
        seed = thread.org.identities["pengawas"].recipient_seed
        office = open_office_file(seed, thread.manifest, thread.keys.lookup_id, self.copies)
        return compare(history, thread.open("pengawas"), thread.stored, office)

    def found(self) -> list[tuple[str, int]]:
        return [(each.code, each.seq) for each in self.compared().remarks]


@pytest.fixture
def case(tmp_path: Path) -> Case:
    thread = make_thread(tmp_path)
    thread.report()
    chain = Chain(thread.org)
    chain.received()
    return Case(thread, chain, [])


def test_an_honest_case(case: Case) -> None:
    case.message()
    case.act(ActKind.FOLLOW_UP, State.RECEIVED)
    case.office(State.ASSESSING)
    case.message("withdraw")
    case.act(ActKind.WITHDRAW, State.WITHDRAWN)
    case.message("withdraw")
    case.act(ActKind.FOLLOW_UP, State.WITHDRAWN)
    case.message("contest")
    case.act(ActKind.CONTEST, State.REOPENED)
    agreement = case.compared()
    assert (agreement.remarks, agreement.has_invented_act) == ((), False)
    intents = [message.body.intent for message in agreement.messages.values()]
    assert intents == ["message", "withdraw", "withdraw", "contest"]


@pytest.mark.parametrize(
    ("kind", "target"),
    [(ActKind.FOLLOW_UP, State.RECEIVED), (ActKind.WITHDRAW, State.WITHDRAWN)],
)
def test_an_act_without_any_message(case: Case, kind: ActKind, target: State) -> None:
    case.act(kind, target)
    assert case.found() == [("act_without_message", 2)]
    assert case.compared().has_invented_act


def test_an_ordinary_message_is_no_withdrawal(case: Case) -> None:
    case.message()
    case.act(ActKind.WITHDRAW, State.WITHDRAWN)
    assert case.found() == [("act_without_message", 2)]


def test_one_message_stands_for_one_act(case: Case) -> None:
    case.message()
    case.act(ActKind.FOLLOW_UP, State.RECEIVED)
    case.act(ActKind.FOLLOW_UP, State.RECEIVED)
    assert case.found() == [("act_without_message", 3)]


def test_a_withdrawal_shown_again_withdraws_nothing(case: Case) -> None:
    case.message("withdraw")
    case.act(ActKind.WITHDRAW, State.WITHDRAWN)
    case.message("contest")
    case.act(ActKind.CONTEST, State.REOPENED)
    case.thread.stored.append(replace(case.thread.stored[1], id="again"))
    case.act(ActKind.WITHDRAW, State.WITHDRAWN)
    assert case.found() == [("act_without_message", 4)]


def test_the_same_record_listed_twice_counts_once(case: Case) -> None:
    case.message()
    case.thread.stored.append(case.thread.stored[1])
    case.act(ActKind.FOLLOW_UP, State.RECEIVED)
    case.act(ActKind.FOLLOW_UP, State.RECEIVED)
    assert case.found() == [("act_without_message", 3)]


@pytest.mark.parametrize("seed", [None, b"\x31" * 32])
def test_a_message_by_another_sender_stands_for_nothing(case: Case, seed: bytes | None) -> None:
    case.message("withdraw", sign_seed=seed)
    case.act(ActKind.WITHDRAW, State.WITHDRAWN)
    assert case.found() == [("act_without_message", 2)]


def test_a_message_that_does_not_open_stands_for_nothing(case: Case) -> None:
    case.message()
    case.thread.stored[1] = replace(case.thread.stored[1], container=b"x")
    case.message("withdraw")
    case.act(ActKind.FOLLOW_UP, State.RECEIVED)
    case.act(ActKind.WITHDRAW, State.WITHDRAWN)
    assert case.found() == [("act_without_message", 2)]


@pytest.mark.parametrize(
    ("inside", "stored", "differs"),
    [(0, 0, False), (1, 0, False), (-1, 0, False), (-2, 0, True), (2, 0, True), (0, -2, True),
     (None, 0, False), (None, -2, True), (2**32 - 1, 0, True)],
)  # fmt: skip
def test_the_day_of_arrival(tmp_path: Path, inside: int | None, stored: int, differs: bool) -> None:
    thread = make_thread(tmp_path)
    day = 0 if inside is None else min(day_number(DAY) + inside, 2**32 - 1)
    thread.report(day=day)
    thread.stored[0] = replace(thread.stored[0], day=DAY + timedelta(days=stored))
    chain = Chain(thread.org)
    chain.received()
    assert Case(thread, chain, []).found() == [("arrival_differs", 1)] * differs


def test_a_message_without_its_copy(case: Case) -> None:
    case.office(State.ASSESSING, copied=False)
    case.office(State.EXAMINING)
    assert case.found() == [("copy_missing", 2)]


def test_a_copy_by_somebody_else(case: Case) -> None:
    opened = case.thread.open()
    sealed = case.thread.author("penyidik-2").seal_reply(
        opened, Draft("id", TEXT, "assessing"), opened.last_hash
    )
    case.chain.add("penyidik-1", ActKind.TRANSITION, State.ASSESSING, sealed.container)
    case.copies.append(sealed.office_copy)
    assert case.found() == [("copy_missing", 2)]


@pytest.mark.parametrize("said", [{"status": "examining"}, {"status": None}, {"reason": "kpk"}])
def test_a_message_that_says_something_else(case: Case, said: dict[str, str | None]) -> None:
    case.office(State.ASSESSING, **said)
    assert case.found() == [("copy_differs", 2)]


def test_an_update_names_no_status(case: Case) -> None:
    opened = case.thread.open()
    sealed = case.thread.author().seal_reply(opened, Draft("id", TEXT), opened.last_hash)
    case.chain.add("penyidik-1", ActKind.UPDATE, State.RECEIVED, sealed.container)
    case.copies.append(sealed.office_copy)
    assert case.found() == []
