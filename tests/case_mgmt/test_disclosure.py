# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who sees which acts: of a case about one's own unit, not even that it exists."""

from case_mgmt.model import ActKind, CaseId, State
from tests.support.case_office import Office


def seen(office: Office, who: str) -> list[tuple[CaseId, ActKind]]:
    acts = office.office.ledger(office.person(who), office.rules())
    return [(signed.act.case, signed.act.kind) for signed in acts]


def test_a_handler_sees_the_acts_of_their_cases_alone(office: Office) -> None:
    about_one = office.arrive(1, recipients=("penyidik-2", "pengawas"))
    about_two = office.arrive(2, recipients=("penyidik-1", "pengawas"))
    assert {case for case, _ in seen(office, "penyidik-1")} == {about_two}
    assert {case for case, _ in seen(office, "penyidik-2")} == {about_one}
    assert {case for case, _ in seen(office, "pengawas")} == {about_one, about_two}
    assert len(seen(office, "pengawas")) == 4


def test_an_auditor_sees_all_acts(office: Office) -> None:
    cases = {office.arrive(number) for number in range(3)}
    assert {case for case, _ in seen(office, "pemeriksa")} == cases


def test_an_auditor_who_handles_cases_sees_as_a_handler(office: Office) -> None:
    office.staff(penyidik_1={"roles": ["investigator", "auditor"]})
    office.arrive(1, recipients=("penyidik-2", "pengawas"))
    assert seen(office, "penyidik-1") == []


def test_everybody_else_sees_what_they_signed_and_nobodys_name(office: Office) -> None:
    case = office.arrive()
    office.submit(case, "pengawas", State.ASSESSING)
    for other in ("penyidik-1", "penyidik-2"):
        office.submit(case, "pengawas", kind=ActKind.ASSIGN, message=None, assignee=other)
    office.submit(case, "pengawas", kind=ActKind.ASSIGN, message=None, assignee="pengawas")
    office.staff(pengawas={"roles": ["archivist"]})
    assert [kind for _, kind in seen(office, "pengawas")] == [ActKind.TRANSITION, ActKind.ASSIGN]


def test_what_was_signed_with_a_former_key_is_still_ones_own(office: Office) -> None:
    case = office.arrive()
    office.submit(case, "pengawas", State.ASSESSING)
    old = office.person("pengawas").desk_public.hex()
    office.org.manifest["former"] = [{"id": "pengawas", "desk": old, "until_serial": 1}]
    office.staff(pengawas={"roles": ["archivist"], "desk": "ab" * 32})
    assert [kind for _, kind in seen(office, "pengawas")] == [ActKind.TRANSITION]
