# SPDX-License-Identifier: AGPL-3.0-or-later
"""The use cases, from arrival to reopening."""

from datetime import date, timedelta

import pytest

from case_mgmt.acts import countersign_act, verify_chain
from case_mgmt.errors import GateError, UnknownCaseError
from case_mgmt.model import ActKind, BlobId, CaseId, State
from case_mgmt.projection import project
from case_mgmt.service import Status
from crypto.mailbox import Notice, open_notice
from crypto.signing import public_from_seed
from tests.support.case_office import MAILBOX_KEY, TODAY, Office, container
from tests.support.org import seed


def notices(office: Office) -> list[Notice]:
    return [
        open_notice(MAILBOX_KEY, bytes.fromhex(entry.thread), entry.seq, entry.box)
        for entry in office.office.outbox(100)
    ]


def test_an_arrival_is_received_assigned_and_noticed(office: Office) -> None:
    case = office.arrive()
    file = office.file(case)
    kinds = [entry.signed.act.kind for entry in file.history]
    assert kinds == [ActKind.RECEIVED, ActKind.ASSIGN]
    assert office.assignee(case) in ("penyidik-1", "penyidik-2")
    assert verify_chain([entry.signed for entry in file.history]) == file.overview.case.head
    (notice,) = notices(office)
    assert notice.meta["state"] == "received"
    assert notice.meta["due"] == "2026-04-10"
    assert notice.meta["due_kind"] == "assess"
    assert notice.meta["overall_due"] == "2026-07-09"
    assert notice.container is None


def test_the_clock_starts_on_the_day_of_arrival_not_of_collection(office: Office) -> None:
    case = office.arrive(day=TODAY - timedelta(days=7))
    overview = office.file(case).overview
    assert overview.case.present.arrival == TODAY - timedelta(days=7)
    assert overview.clock.overdue_since is not None


def test_a_day_in_the_future_is_not_believed(office: Office) -> None:
    case = office.arrive(day=TODAY + timedelta(days=7))
    assert office.file(case).overview.case.present.arrival == TODAY


def test_the_way_to_a_closing_by_two_persons_and_back(office: Office) -> None:
    case = office.arrive()
    me = office.assignee(case)
    assert office.submit(case, me, State.ASSESSING)[0] is Status.COMMITTED
    assert office.submit(case, me, State.EXAMINING)[0] is Status.COMMITTED
    status, overview = office.submit(case, me, State.INSUFFICIENT, reason="no_contact")
    assert status is Status.AWAITING_SECOND
    assert overview.case.present.state is State.EXAMINING
    assert overview.allowed == ()
    assert overview.proposal is not None
    closed = office.confirm(case, "pengawas")
    assert closed.case.present.state is State.INSUFFICIENT
    assert closed.clock.contest_until == date(2026, 4, 21)
    office.event(1, "contest")
    file = office.file(case)
    assert file.overview.case.present.state is State.REOPENED
    assert file.overview.clock.overall_due == date(2026, 7, 9)
    assert file.overview.case.present.new_material
    verify_chain([entry.signed for entry in file.history])
    states = [notice.meta["state"] for notice in notices(office)]
    assert states == ["received", "assessing", "examining", "insufficient", "reopened"]
    closing = notices(office)[3]
    assert closing.container == file.history[-2].container
    assert closing.meta["countersigner"] == file.history[-2].signed.countersigner
    assert closing.meta["contest_until"] == "2026-04-21"


def test_nothing_is_noticed_before_the_second_person(office: Office) -> None:
    case = office.arrive()
    office.submit(case, office.assignee(case), State.ASSESSING)
    before = len(office.office.outbox(100))
    office.submit(case, office.assignee(case), State.OUTSIDE_MANDATE, reason="kpk")
    assert len(office.office.outbox(100)) == before


def test_a_returned_closing_may_come_again(office: Office) -> None:
    case = office.arrive()
    me = office.assignee(case)
    office.submit(case, me, State.ASSESSING)
    again = office.submission(case, me, State.JOINED, reason="same_event")
    for _ in range(2):
        office.office.submit(case, office.person(me), again, office.rules())
        proposal = office.file(case).overview.proposal
        assert proposal is not None
        office.office.hand_back(case, office.person("pengawas"), proposal.hash, office.rules())
        assert office.file(case).overview.proposal is None
    with pytest.raises(GateError, match="no_proposal"):
        office.office.hand_back(case, office.person(me), proposal.hash, office.rules())


def test_who_declined_a_closing_is_kept(office: Office) -> None:
    case = office.arrive()
    me = office.assignee(case)
    office.submit(case, me, State.ASSESSING)
    for who in ("pengawas", me):
        office.submit(case, me, State.JOINED, reason="same_event")
        proposal = office.file(case).overview.proposal
        assert proposal is not None
        office.office.hand_back(case, office.person(who), proposal.hash, office.rules())
    returns = office.file(case).returns
    assert [(each.proposed_by, each.by, each.day) for each in returns] == [
        (me, "pengawas", TODAY),
        (me, me, TODAY),
    ]
    assert returns[1].hash == proposal.hash
    assert {each.target for each in returns} == {State.JOINED}


def test_one_person_with_two_keys_does_not_close_alone(office: Office) -> None:
    case = office.arrive()
    me = office.assignee(case)
    office.submit(case, me, State.ASSESSING)
    office.submit(case, me, State.OUTSIDE_MANDATE, reason="kpk")
    proposal = office.file(case).overview.proposal
    assert proposal is not None
    new = seed("another device")
    office.staff(**{me.replace("-", "_"): {"desk": public_from_seed(new).hex()}})
    signature = countersign_act(new, proposal.signed.act)
    with pytest.raises(GateError, match="same_person"):
        office.office.confirm(case, office.person(me), proposal.hash, signature, office.rules())
    office.office.hand_back(case, office.person("pengawas"), proposal.hash, office.rules())
    office.submit(case, "pengawas", State.OUTSIDE_MANDATE, reason="kpk")


def test_a_closing_takes_effect_on_the_day_both_have_signed(office: Office) -> None:
    case = office.arrive()
    me = office.assignee(case)
    office.submit(case, me, State.ASSESSING)
    office.submit(case, me, State.OUTSIDE_MANDATE, reason="kpk")
    office.pass_days(30)  # the first step was due in between
    overview = office.file(case).overview
    assert overview.proposal is None
    assert overview.allowed or me == "pengawas"
    assert overview.clock.overdue_since is not None
    office.close(case, State.OUTSIDE_MANDATE, reason="kpk")
    last = office.file(case).history[-1].signed.act
    assert last.day == office.day
    window = office.rules().policy.calendar.add(office.day, 10)
    assert office.file(case).overview.clock.contest_until == window


def test_a_message_overtakes_a_waiting_closing(office: Office) -> None:
    case = office.arrive()
    me = office.assignee(case)
    office.submit(case, me, State.ASSESSING)
    office.submit(case, me, State.OUTSIDE_MANDATE, reason="police")
    proposal = office.file(case).overview.proposal
    assert proposal is not None
    office.event(1, "message")
    assert office.file(case).overview.proposal is None
    signature = office.countersign(proposal.signed.act, "pengawas")
    with pytest.raises(GateError, match="no_proposal"):
        office.office.confirm(
            case, office.person("pengawas"), proposal.hash, signature, office.rules()
        )


def test_the_same_act_twice_is_stale(office: Office) -> None:
    case = office.arrive()
    me = office.assignee(case)
    act = office.submission(case, me, State.ASSESSING)
    office.office.submit(case, office.person(me), act, office.rules())
    with pytest.raises(GateError, match="stale_head"):
        office.office.submit(case, office.person(me), act, office.rules())


def test_somebody_elses_act_cannot_be_handed_in(office: Office) -> None:
    case = office.arrive()
    act = office.submission(case, office.assignee(case), State.ASSESSING)
    with pytest.raises(GateError, match="signer_differs"):
        office.office.submit(case, office.person("pengawas"), act, office.rules())


def test_only_recipients_see_a_case(office: Office) -> None:
    case = office.arrive(recipients=("penyidik-2", "pengawas"))
    for who in ("penyidik-1", "pemeriksa"):
        person = office.person(who)
        assert office.office.queue(person, office.rules()) == []
        for look in (
            lambda person=person: office.office.show(case, person, office.rules()),
            lambda person=person: office.office.blob_size(case, person, BlobId("0" * 32)),
            lambda person=person: office.office.add_note(
                case, person, container(3), office.rules()
            ),
        ):
            with pytest.raises(GateError, match="conflicted"):
                look()
    assert [each.case.id for each in office.office.queue(office.person("pengawas"), office.rules())]


def test_an_unknown_case_is_unknown(office: Office) -> None:
    with pytest.raises(UnknownCaseError):
        office.office.show(CaseId("WH-00000000"), office.person("pengawas"), office.rules())


def test_the_queue_is_ordered_by_what_is_due_next(office: Office) -> None:
    late = office.arrive(1, day=TODAY - timedelta(days=30))
    fresh = office.arrive(2)
    closed = office.arrive(3)
    office.submit(closed, office.assignee(closed), State.ASSESSING)
    office.close(closed, State.OUTSIDE_MANDATE, reason="kpk")
    queue = office.office.queue(office.person("pengawas"), office.rules())
    assert [each.case.id for each in queue] == [late, fresh, closed]
    assert queue[0].clock.overdue_since is not None


def test_only_who_may_act_is_offered_steps(office: Office) -> None:
    case = office.arrive()
    other = {"penyidik-1": "penyidik-2", "penyidik-2": "penyidik-1"}[office.assignee(case)]
    assert office.file(case, other).overview.allowed == ()
    assert [target for target, _ in office.file(case, "pengawas").overview.allowed] == [
        State.ASSESSING,
        State.SET_ASIDE,
    ]


def test_a_supervisor_hands_a_case_over(office: Office) -> None:
    case = office.arrive()
    other = {"penyidik-1": "penyidik-2", "penyidik-2": "penyidik-1"}[office.assignee(case)]
    before = len(office.office.outbox(100))
    office.submit(case, "pengawas", kind=ActKind.ASSIGN, message=None, assignee=other)
    assert office.assignee(case) == other
    assert len(office.office.outbox(100)) == before


def test_new_material_lasts_until_the_office_writes(office: Office) -> None:
    case = office.arrive()
    assert not office.file(case).overview.case.present.new_material
    office.event(1, "message")
    assert office.file(case).overview.case.present.new_material
    office.submit(case, office.assignee(case), kind=ActKind.UPDATE)
    assert not office.file(case).overview.case.present.new_material


def test_notes_stay_inside(office: Office) -> None:
    case = office.arrive()
    before = len(office.office.outbox(100))
    office.office.add_note(case, office.person("penyidik-2"), container(3), office.rules())
    assert [note.container for note in office.file(case).notes] == [container(3)]
    assert len(office.office.outbox(100)) == before
    with pytest.raises(GateError, match="note_malformed"):
        office.office.add_note(case, office.person("pengawas"), b"plain", office.rules())


def test_the_ledger_has_every_act_and_no_content(office: Office) -> None:
    first, second = office.arrive(1), office.arrive(2)
    office.submit(first, office.assignee(first), State.ASSESSING)
    ledger = office.office.ledger(office.person("pemeriksa"), office.rules())
    assert len(ledger) == 5
    for case in (first, second):
        verify_chain([signed for signed in ledger if signed.act.case == case])


def test_statistics_count_follow_up_from_arrival(office: Office) -> None:
    for number in range(12):
        office.arrive(number, day=TODAY - timedelta(days=20))
    for number, overview in enumerate(
        office.office.queue(office.person("pengawas"), office.rules())
    ):
        if number < 11:
            office.submit(overview.case.id, "pengawas", State.ASSESSING)
    counts = office.office.statistics(office.rules())
    assert counts["received"] == counts["open"] == 12
    assert counts["followed_up_30"] == 11
    assert counts["followed_up_7"] is None
    assert counts["overdue"] is None  # only one


def test_a_new_policy_moves_the_stored_limits(office: Office) -> None:
    case = office.arrive()
    office.office.settle(office.rules())
    assert office.office.settle(office.rules()) == 0
    path = office.org.dir / "policy.json"
    path.write_bytes(path.read_bytes().replace(b'"assess":3', b'"assess":2'))
    assert office.office.settle(office.rules()) == 1
    assert office.file(case).overview.clock.next_due == date(2026, 4, 9)


def test_what_is_stored_is_what_the_acts_amount_to(office: Office) -> None:
    case = office.arrive()
    office.submit(case, office.assignee(case), State.ASSESSING)
    office.event(1, "message")
    file = office.file(case)
    history = [entry.signed.act for entry in file.history]
    assert file.overview.case.present == project(history, office.rules().policy)


def test_settings_are_remembered(office: Office) -> None:
    assert office.office.recall("a") is None
    office.office.remember("a", "1")
    office.office.remember("a", "2")
    assert office.office.recall("a") == "2"
