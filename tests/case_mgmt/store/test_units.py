# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the tables themselves refuse, whatever the code above them does."""

from dataclasses import replace

import pytest

from case_mgmt.errors import StoreError
from case_mgmt.model import BlobId, CaseId, PersonId, State
from case_mgmt.store.ports import CaseStore, LedgerEntry
from tests.support.case_office import Office, a_report


def test_the_store_is_a_case_store(office: Office) -> None:
    store: CaseStore = office.store
    assert store is office.store


def test_a_second_act_on_one_number_is_impossible(office: Office) -> None:
    case = office.arrive()
    last = office.file(case).history[-1]
    other = replace(last.signed, act=replace(last.signed.act, reason="other"))
    with pytest.raises(StoreError, match="taken"), office.store.writing() as unit:
        unit.add_act(LedgerEntry(other, None))


def test_the_same_act_in_two_places_is_impossible(office: Office) -> None:
    case = office.arrive()
    last = office.file(case).history[-1]
    with pytest.raises(StoreError, match="taken"), office.store.writing() as unit:
        unit.add_act(last)


def test_an_act_of_no_case_is_impossible(office: Office) -> None:
    case = office.arrive()
    last = office.file(case).history[-1].signed
    stray = replace(last, act=replace(last.act, case=CaseId("WH-ZZZZZZZZ")))
    with pytest.raises(StoreError), office.store.writing() as unit:
        unit.add_act(LedgerEntry(stray, None))


def test_two_waiting_closings_of_one_case_are_impossible(office: Office) -> None:
    case = office.arrive()
    office.submit(case, "pengawas", State.ASSESSING)
    office.submit(case, "pengawas", State.OUTSIDE_MANDATE, reason="kpk")
    waiting = office.file(case).overview.proposal
    assert waiting is not None
    act = replace(waiting.signed.act, reason="police")
    second = replace(
        waiting, signed=replace(waiting.signed, act=act), hash=replace(waiting.signed, act=act).hash
    )
    with pytest.raises(StoreError, match="taken"), office.store.writing() as unit:
        unit.add_proposal(second)


def test_an_altered_act_does_not_come_back(office: Office) -> None:
    case = office.arrive()
    with office.store.writing() as unit:
        unit._connection.exec_driver_sql(
            "UPDATE acts SET content = CAST(replace(CAST(content AS TEXT), 'received', 'Received')"
            " AS BLOB) WHERE seq = 1"
        )
    with pytest.raises(Exception, match="act"):
        office.file(case)


def test_blobs_belong_to_their_case(office: Office) -> None:
    first = office.office.take_in(a_report(1, blobs=2), office.rules())
    second = office.arrive(2)
    blob = a_report(1, blobs=2).blobs[1]
    person = office.person("pengawas")
    assert office.office.blob_size(first, person, blob.id) == blob.size
    assert office.office.known_blobs() == {each.id for each in a_report(1, blobs=2).blobs}
    with office.store.reading() as unit:
        assert unit.blob_size(second, blob.id) is None
        assert unit.blob_size(first, BlobId("f" * 32)) is None


def test_load_counts_open_and_late_cases(office: Office) -> None:
    for number in range(4):
        office.arrive(number, recipients=("penyidik-1", "pengawas"))
    office.submit(
        office.arrive(9, recipients=("penyidik-1", "pengawas")), "pengawas", State.ASSESSING
    )
    with office.store.reading() as unit:
        load = unit.load(office.day)
        assert load[PersonId("penyidik-1")].open == 5
        assert load[PersonId("penyidik-1")].late == 0
    office.pass_days(6)
    with office.store.reading() as unit:
        assert unit.load(office.day)[PersonId("penyidik-1")].late == 4


def test_what_was_sent_is_forgotten_and_what_was_refused_is_kept(office: Office) -> None:
    office.arrive(1)
    office.arrive(2)
    first, second = office.office.outbox(10)
    office.office.end_outbox([first.id], "sent")
    office.office.end_outbox([second.id], "refused")
    assert office.office.outbox(10) == []
    with office.store.reading() as unit:
        rows = unit._connection.exec_driver_sql("SELECT outcome FROM outbox").all()
    assert rows == [("refused",)]
