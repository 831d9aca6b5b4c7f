# SPDX-License-Identifier: AGPL-3.0-or-later
"""Notes: for the people of the case, and not without end."""

import pytest

from case_mgmt import notes
from case_mgmt.errors import GateError
from case_mgmt.model import CaseId
from tests.support.case_office import Office, container


def keep(office: Office, case: CaseId, who: str, data: bytes) -> str | None:
    try:
        office.office.add_note(case, office.person(who), data, office.rules())
    except GateError as error:
        return error.code
    return None


@pytest.mark.parametrize(
    ("stanzas", "code"),
    [(1, "note_malformed"), (2, "note_malformed"), (3, None), (4, "note_malformed")],
)
def test_a_note_is_for_the_people_of_the_case(
    office: Office, stanzas: int, code: str | None
) -> None:
    case = office.arrive()
    assert keep(office, case, "penyidik-2", container(stanzas)) == code


def test_whoever_left_is_not_counted(office: Office) -> None:
    case = office.arrive()
    office.staff(penyidik_1=None)
    assert keep(office, case, "pengawas", container(2)) is None
    assert keep(office, case, "pengawas", container(3)) == "note_malformed"


def test_somebody_new_may_be_counted(office: Office) -> None:
    case = office.arrive(recipients=("penyidik-1", "pengawas"))
    for stanzas, code in ((1, "note_malformed"), (2, None), (3, None), (4, "note_malformed")):
        assert keep(office, case, "pengawas", container(stanzas)) == code


def test_so_many_by_one_person_in_one_case(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "MAX_NOTES", 2)
    case, other = office.arrive(1), office.arrive(2)
    codes = [keep(office, case, "penyidik-1", container(3)) for _ in range(3)]
    assert codes == [None, None, "note_limit"]
    assert keep(office, case, "pengawas", container(3)) is None
    assert keep(office, other, "penyidik-1", container(3)) is None
    assert len(office.file(case).notes) == 3


def test_so_many_bytes_by_one_person_in_one_case(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = office.arrive()
    monkeypatch.setattr(notes, "MAX_NOTE_BYTES", 2 * len(container(3)))
    codes = [keep(office, case, "penyidik-1", container(3)) for _ in range(3)]
    assert codes == [None, None, "note_limit"]
