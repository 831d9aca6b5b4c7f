# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the service mends by itself when people leave."""

from case_mgmt.acts import verify_chain
from case_mgmt.model import ActKind, CaseId, State
from tests.support.case_office import Office

PAIR = ("penyidik-1", "penyidik-2")


def pair_case(office: Office) -> tuple[CaseId, str, str]:
    """A case without a supervisor: who has it, and who does not."""
    case = office.arrive(recipients=PAIR)
    holder = office.file(case, PAIR[0]).overview.case.present.assignee
    assert holder is not None
    return case, holder, next(each for each in PAIR if each != holder)


def leave(office: Office, who: str) -> None:
    office.staff(**{who.replace("-", "_"): None})
    office.office.settle(office.rules())


def test_a_case_nobody_may_act_on_is_given_to_somebody_who_is_here(office: Office) -> None:
    case, holder, other = pair_case(office)
    leave(office, holder)
    file = office.file(case, other)
    assert file.overview.case.present.assignee == other
    assert file.history[-1].signed.act.signer == office.org_service_key()
    verify_chain([entry.signed for entry in file.history])
    office.submit(case, other, State.ASSESSING, looker=other)


def test_settling_again_changes_nothing(office: Office) -> None:
    case, holder, other = pair_case(office)
    leave(office, holder)
    length = len(office.file(case, other).history)
    office.office.settle(office.rules())
    assert len(office.file(case, other).history) == length


def test_a_case_with_a_supervisor_is_the_supervisors_to_hand_over(office: Office) -> None:
    case = office.arrive()
    gone = office.assignee(case)
    leave(office, gone)
    assert office.assignee(case) == gone


def test_nobody_outside_the_recipients_is_chosen(office: Office) -> None:
    case = office.arrive(recipients=("penyidik-1",))
    length = len(office.office.ledger(office.person("pemeriksa"), office.rules()))
    leave(office, "penyidik-1")
    acts = office.office.ledger(office.person("pemeriksa"), office.rules())
    assert len(acts) == length
    assert {signed.act.case for signed in acts} == {case}


def test_a_contested_case_whose_person_left_is_given_to_somebody(office: Office) -> None:
    case, holder, other = pair_case(office)
    office.event(1, "withdraw")
    leave(office, holder)  # closed cases are nobody's work
    assert office.file(case, other).overview.case.present.assignee == holder
    office.event(1, "contest")
    history = office.file(case, other).history
    assert [entry.signed.act.kind for entry in history[-2:]] == [ActKind.CONTEST, ActKind.ASSIGN]
    assert office.file(case, other).overview.case.present.assignee == other
