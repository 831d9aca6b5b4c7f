# SPDX-License-Identifier: AGPL-3.0-or-later
"""The gate, step by step: what breaks one rule is refused under that rule's code."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from case_mgmt.acts import countersign_act, sign_act
from case_mgmt.errors import REFUSALS, GateError
from case_mgmt.gate import CaseView, Proposed, Submission, admit, confirm
from case_mgmt.model import ActKind, CaseId, DeviceKey, PersonId, State
from crypto.signing import public_from_seed
from tests.support.case_office import TODAY, Office, container
from tests.support.org import seed


@pytest.fixture
def case(office: Office) -> CaseId:
    return office.arrive(recipients=("penyidik-1", "pengawas"))


def view(office: Office, case: CaseId, **changes: Any) -> CaseView:
    file = office.file(case)
    plain = CaseView(
        case=case,
        history=tuple(entry.signed.act for entry in file.history),
        head=file.overview.case.head,
        recipients=frozenset({PersonId("penyidik-1"), PersonId("pengawas")}),
        assignee=PersonId("penyidik-1"),
    )
    return replace(plain, **changes)


def refusal(office: Office, case: CaseId, submission: Submission, **changes: Any) -> str:
    with pytest.raises(GateError) as caught:
        admit(view(office, case, **changes), submission, office.rules())
    assert set(caught.value.texts) == {"id", "en"}
    return caught.value.code


def test_every_refusal_is_worded_in_both_languages() -> None:
    for texts in REFUSALS.values():
        assert set(texts) == {"id", "en"}
        assert all(texts.values())


def test_a_good_act_passes(office: Office, case: CaseId) -> None:
    submission = office.submission(case, "penyidik-1", State.ASSESSING)
    admission = admit(view(office, case), submission, office.rules())
    assert admission.signer.id == "penyidik-1"
    assert not admission.needs_second


def of_another_case(office: Office, case: CaseId) -> Submission:
    plain = office.submission(case, "penyidik-1", State.ASSESSING)
    act = replace(plain.act, case=CaseId("WH-ZZZZZZZZ"))
    key = office.org.identities["penyidik-1"].device_seed
    return Submission(act, sign_act(key, act), plain.container)


def by_stranger(office: Office, case: CaseId) -> Submission:
    stranger = seed("device stranger")
    plain = office.submission(case, "penyidik-1", State.ASSESSING)
    act = replace(plain.act, signer=DeviceKey(public_from_seed(stranger).hex()))
    return Submission(act, sign_act(stranger, act), plain.container)


def unsigned(office: Office, case: CaseId, signature: bytes) -> Submission:
    return replace(office.submission(case, "penyidik-1", State.ASSESSING), signature=signature)


def extension(office: Office, case: CaseId, until: str) -> Submission:
    return office.submission(
        case,
        "penyidik-1",
        kind=ActKind.EXTEND,
        until=date.fromisoformat(until),
        reason="awaiting_witness",
    )


SINGLE: dict[str, tuple[str, Callable[[Office, CaseId], Submission]]] = {
    "1 another case": (
        "wrong_case",
        of_another_case,
    ),
    "2 a key nobody knows": ("unknown_signer", by_stranger),
    "2 an auditor": ("unknown_signer", lambda o, c: o.submission(c, "pemeriksa", State.ASSESSING)),
    "3 not a recipient": (
        "conflicted",
        lambda o, c: o.submission(c, "penyidik-2", State.ASSESSING),
    ),
    "4 no signature": ("bad_signature", lambda o, c: unsigned(o, c, b"")),
    "4 a wrong signature": ("bad_signature", lambda o, c: unsigned(o, c, bytes(64))),
    "5 yesterday": (
        "wrong_day",
        lambda o, c: o.submission(c, "penyidik-1", State.ASSESSING, day=TODAY - timedelta(1)),
    ),
    "5 tomorrow": (
        "wrong_day",
        lambda o, c: o.submission(c, "penyidik-1", State.ASSESSING, day=TODAY + timedelta(1)),
    ),
    "6 a number too high": (
        "stale_head",
        lambda o, c: o.submission(c, "penyidik-1", State.ASSESSING, seq=9),
    ),
    "6 a number used": (
        "stale_head",
        lambda o, c: o.submission(c, "penyidik-1", State.ASSESSING, seq=1),
    ),
    "6 another predecessor": (
        "stale_head",
        lambda o, c: o.submission(c, "penyidik-1", State.ASSESSING, prev="11" * 32),
    ),
    "8 not in the table": (
        "not_allowed",
        lambda o, c: o.submission(c, "penyidik-1", State.UPHELD_ACTION),
    ),
    "8 from another code": (
        "not_allowed",
        lambda o, c: o.submission(c, "penyidik-1", State.EXAMINING, source=State.ASSESSING),
    ),
    "8 the reporter's step": (
        "not_allowed",
        lambda o, c: o.submission(
            c, "penyidik-1", State.WITHDRAWN, kind=ActKind.WITHDRAW, message=None
        ),
    ),
    "8 the service's step": (
        "not_allowed",
        lambda o, c: o.submission(
            c, "penyidik-1", State.RECEIVED, kind=ActKind.RECEIVED, message=None
        ),
    ),
    "8 a message in the reporter's name": (
        "not_allowed",
        lambda o, c: o.submission(c, "penyidik-1", kind=ActKind.FOLLOW_UP, message=None),
    ),
    "9 an assignment by an investigator": (
        "supervisor_only",
        lambda o, c: o.submission(
            c, "penyidik-1", kind=ActKind.ASSIGN, message=None, assignee="penyidik-1"
        ),
    ),
    "10 an assignee outside an assignment": (
        "fields_not_of_kind",
        lambda o, c: o.submission(c, "penyidik-1", State.ASSESSING, assignee="pengawas"),
    ),
    "10 an extension day outside an extension": (
        "fields_not_of_kind",
        lambda o, c: o.submission(c, "penyidik-1", State.ASSESSING, until=date(2026, 8, 3)),
    ),
    "10 an extension without a day": (
        "until_missing",
        lambda o, c: o.submission(c, "penyidik-1", kind=ActKind.EXTEND, reason="expert_opinion"),
    ),
    "10 an assignment to nobody": (
        "assignee_not_recipient",
        lambda o, c: o.submission(c, "pengawas", kind=ActKind.ASSIGN, message=None),
    ),
    "10 an assignment to an outsider": (
        "assignee_not_recipient",
        lambda o, c: o.submission(
            c, "pengawas", kind=ActKind.ASSIGN, message=None, assignee="penyidik-2"
        ),
    ),
    "11 a reason where none belongs": (
        "reason_unknown",
        lambda o, c: o.submission(c, "penyidik-1", State.ASSESSING, reason="no_contact"),
    ),
    "11 a reason on an update": (
        "reason_unknown",
        lambda o, c: o.submission(c, "penyidik-1", kind=ActKind.UPDATE, reason="no_contact"),
    ),
    "11 an extension without a reason": (
        "reason_missing",
        lambda o, c: o.submission(c, "penyidik-1", kind=ActKind.EXTEND, until=date(2026, 8, 3)),
    ),
    "11 an extension for no listed reason": (
        "reason_unknown",
        lambda o, c: o.submission(
            c, "penyidik-1", kind=ActKind.EXTEND, until=date(2026, 8, 3), reason="busy"
        ),
    ),
    "12 no message": (
        "message_missing",
        lambda o, c: o.submission(c, "penyidik-1", State.ASSESSING, message=None),
    ),
    "12 a message named and not sent": (
        "message_missing",
        lambda o, c: replace(o.submission(c, "penyidik-1", State.ASSESSING), container=None),
    ),
    "12 another message than named": (
        "message_mismatch",
        lambda o, c: replace(
            o.submission(c, "penyidik-1", State.ASSESSING), container=container(3)
        ),
    ),
    "12 a message to three": (
        "message_malformed",
        lambda o, c: o.submission(c, "penyidik-1", State.ASSESSING, message=container(3)),
    ),
    "12 a message of a mebibyte": (
        "message_too_large",
        lambda o, c: o.submission(
            c, "penyidik-1", State.ASSESSING, message=container(1, 1024 * 1024)
        ),
    ),
    "12 plain text": (
        "message_malformed",
        lambda o, c: o.submission(c, "penyidik-1", State.ASSESSING, message=b"hello"),
    ),
    "12 a truncated message": (
        "message_malformed",
        lambda o, c: o.submission(c, "penyidik-1", State.ASSESSING, message=container(1)[:-1]),
    ),
    "12 a message with an assignment": (
        "message_unexpected",
        lambda o, c: o.submission(c, "pengawas", kind=ActKind.ASSIGN, assignee="pengawas"),
    ),
    "13 an extension to a Sunday": (
        "until_not_working_day",
        lambda o, c: extension(o, c, "2026-08-02"),
    ),
    "13 an extension to a holiday": (
        "until_not_working_day",
        lambda o, c: extension(o, c, "2026-08-17"),
    ),
    "13 an extension that shortens": (
        "until_too_early",
        lambda o, c: extension(o, c, "2026-07-08"),
    ),
    "13 an extension by nothing": ("until_too_early", lambda o, c: extension(o, c, "2026-07-09")),
    "13 an extension by more than three months": (
        "until_too_late",
        lambda o, c: extension(o, c, "2026-10-12"),
    ),
}


@pytest.mark.parametrize("name", SINGLE)
def test_each_rule_refuses(office: Office, case: CaseId, name: str) -> None:
    code, make = SINGLE[name]
    assert refusal(office, case, make(office, case)) == code


def test_step_7_a_waiting_closing_blocks(office: Office, case: CaseId) -> None:
    submission = office.submission(case, "penyidik-1", State.ASSESSING)
    assert refusal(office, case, submission, has_proposal=True) == "proposal_pending"


def test_step_9_a_recipient_who_is_not_assigned(office: Office, case: CaseId) -> None:
    submission = office.submission(case, "penyidik-1", State.ASSESSING)
    assert refusal(office, case, submission, assignee=PersonId("pengawas")) == "unassigned"
    assert refusal(office, case, submission, assignee=None) == "unassigned"


def test_step_9_a_supervisor_may_always(office: Office, case: CaseId) -> None:
    submission = office.submission(case, "pengawas", State.ASSESSING)
    assert admit(view(office, case, assignee=None), submission, office.rules())


def test_step_11_closings_need_their_own_reasons(office: Office, case: CaseId) -> None:
    office.submit(case, "penyidik-1", State.ASSESSING)
    for reason, code in ((None, "reason_missing"), ("kpk", "reason_unknown")):
        submission = office.submission(case, "penyidik-1", State.INSUFFICIENT, reason=reason)
        assert refusal(office, case, submission) == code
    good = office.submission(case, "penyidik-1", State.INSUFFICIENT, reason="contradictory")
    assert admit(view(office, case), good, office.rules()).needs_second


def test_step_11_a_referral_may_name_its_body(office: Office, case: CaseId) -> None:
    office.submit(case, "penyidik-1", State.ASSESSING)
    for reason in (None, "ombudsman"):
        submission = office.submission(case, "penyidik-1", State.REFERRED, reason=reason)
        assert admit(view(office, case), submission, office.rules())


@pytest.mark.parametrize("until", ["2026-07-10", "2026-10-09"])
def test_step_13_extensions_within_the_bound_pass(office: Office, case: CaseId, until: str) -> None:
    assert admit(view(office, case), extension(office, case, until), office.rules())


def test_step_5_a_clock_that_went_back(office: Office, case: CaseId) -> None:
    office.submit(case, "penyidik-1", State.ASSESSING)
    office.pass_days(-1)
    submission = office.submission(case, "penyidik-1", State.EXAMINING)
    assert refusal(office, case, submission) == "day_order"


def test_step_10_nobody_who_left_is_handed_a_case(office: Office, case: CaseId) -> None:
    for change in (None, {"roles": ["auditor"]}):
        office.staff(penyidik_1=change)
        submission = office.submission(
            case, "pengawas", kind=ActKind.ASSIGN, message=None, assignee="penyidik-1"
        )
        assert refusal(office, case, submission) == "assignee_gone"


def test_step_12_a_message_serves_one_step(office: Office, case: CaseId) -> None:
    first = office.submission(case, "penyidik-1", State.ASSESSING)
    office.office.submit(case, office.person("penyidik-1"), first, office.rules())
    again = office.submission(case, "penyidik-1", State.EXAMINING, message=first.container)
    assert refusal(office, case, again) == "message_repeated"


# --- the second person ----------------------------------------------------------------------


@pytest.fixture
def proposal(office: Office, case: CaseId) -> Submission:
    office.submit(case, "penyidik-1", State.ASSESSING)
    return office.submission(case, "penyidik-1", State.OUTSIDE_MANDATE, reason="kpk")


def second(office: Office, who: str) -> DeviceKey:
    return DeviceKey(office.person(who).desk_public.hex())


def proposed(proposal: Submission) -> Proposed:
    return Proposed(proposal.act, PersonId("penyidik-1"))


def confirmation_refusal(
    office: Office, case: CaseId, proposal: Submission, who: str, signature: bytes
) -> str:
    waiting = proposed(proposal)
    with pytest.raises(GateError) as caught:
        confirm(view(office, case), waiting, second(office, who), signature, office.rules())
    return caught.value.code


def test_a_second_person_confirms(office: Office, case: CaseId, proposal: Submission) -> None:
    signature = office.countersign(proposal.act, "pengawas")
    person = confirm(
        view(office, case),
        proposed(proposal),
        second(office, "pengawas"),
        signature,
        office.rules(),
    )
    assert person.id == "pengawas"


@pytest.mark.parametrize(
    ("who", "code"),
    [("penyidik-1", "same_person"), ("penyidik-2", "conflicted"), ("pemeriksa", "unknown_signer")],
)
def test_steps_15_and_16_who_may_confirm(
    office: Office, case: CaseId, proposal: Submission, who: str, code: str
) -> None:
    signature = office.countersign(proposal.act, who)
    assert confirmation_refusal(office, case, proposal, who, signature) == code


def test_step_17_the_countersignature(office: Office, case: CaseId, proposal: Submission) -> None:
    seed_2 = office.org.identities["pengawas"].device_seed
    for wrong in (
        b"",
        bytes(64),
        sign_act(seed_2, proposal.act),  # the first signer's domain
        office.countersign(replace(proposal.act, reason="police"), "pengawas"),
        office.countersign(proposal.act, "penyidik-1"),
    ):
        assert confirmation_refusal(office, case, proposal, "pengawas", wrong) == "bad_signature"


def test_step_14_a_case_that_moved_on(office: Office, case: CaseId, proposal: Submission) -> None:
    office.event(1, "message")
    signature = office.countersign(proposal.act, "pengawas")
    assert confirmation_refusal(office, case, proposal, "pengawas", signature) == "stale_head"


def test_step_16_one_person_with_two_keys(
    office: Office, case: CaseId, proposal: Submission
) -> None:
    new = seed("device penyidik-1, replaced")
    office.staff(penyidik_1={"desk": public_from_seed(new).hex()})
    signature = countersign_act(new, proposal.act)
    assert confirmation_refusal(office, case, proposal, "penyidik-1", signature) == "same_person"


@pytest.mark.parametrize(
    "change",
    [
        None,
        {"roles": ["auditor"]},
        {"desk": public_from_seed(seed("device penyidik-1, replaced")).hex()},
    ],
)
def test_step_16_a_proposer_who_may_no_longer_act(
    office: Office, case: CaseId, proposal: Submission, change: dict[str, Any] | None
) -> None:
    office.staff(penyidik_1=change)
    signature = office.countersign(proposal.act, "pengawas")
    assert confirmation_refusal(office, case, proposal, "pengawas", signature) == "proposer_gone"


def test_step_18_a_closing_is_of_one_day(
    office: Office, case: CaseId, proposal: Submission
) -> None:
    signature = office.countersign(proposal.act, "pengawas")
    office.pass_days(1)
    assert confirmation_refusal(office, case, proposal, "pengawas", signature) == "proposal_lapsed"
