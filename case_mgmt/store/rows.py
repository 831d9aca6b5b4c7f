# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of the tables as the values of ports.py, and back.

Invariant: an act is read through its strict parser, so a row that was altered does not come back.
"""

from typing import Any

import sqlalchemy as sa

from case_mgmt.acts import Act, SignedAct
from case_mgmt.deadlines import Schedule
from case_mgmt.model import ActHash, CaseId, DeviceKey, PersonId, State, ThreadId
from case_mgmt.projection import Projection
from case_mgmt.store.ports import Case, Proposal


def case_of(row: sa.Row[Any]) -> Case:
    """A row of `cases`."""
    return Case(
        id=CaseId(row.id),
        thread=ThreadId(row.thread),
        head=ActHash(row.head),
        next_seq=row.next_seq,
        present=Projection(
            state=State(row.state),
            arrival=row.arrival,
            assignee=None if row.assignee is None else PersonId(row.assignee),
            schedule=Schedule(
                next_due=row.next_due,
                next_kind=row.next_kind,
                overall_due=row.overall_due,
                update_due=row.update_due,
                contest_until=row.contest_until,
                pause_until=row.pause_until,
            ),
            first_follow_up=row.first_follow_up,
            new_material=row.new_material,
        ),
    )


def present_to_columns(case: Case) -> dict[str, Any]:
    """What of a case follows from its acts, as columns."""
    present, limits = case.present, case.present.schedule
    return {
        "head": case.head,
        "next_seq": case.next_seq,
        "state": present.state.value,
        "arrival": present.arrival,
        "assignee": present.assignee,
        "next_due": limits.next_due,
        "next_kind": limits.next_kind,
        "overall_due": limits.overall_due,
        "update_due": limits.update_due,
        "contest_until": limits.contest_until,
        "pause_until": limits.pause_until,
        "first_follow_up": present.first_follow_up,
        "new_material": present.new_material,
    }


def signed_of(row: sa.Row[Any]) -> SignedAct:
    """A row of `acts` or `proposals` as a signed act."""
    return SignedAct(
        act=Act.parse(bytes(row.content)),
        signature=bytes(row.signature),
        countersigner=None if row.countersigner is None else DeviceKey(row.countersigner),
        countersignature=None if row.countersignature is None else bytes(row.countersignature),
    )


def proposal_of(row: sa.Row[Any]) -> Proposal:
    """A row of `proposals`."""
    return Proposal(
        hash=ActHash(row.hash),
        signed=SignedAct(Act.parse(bytes(row.content)), bytes(row.signature)),
        container=bytes(row.container),
        by=PersonId(row.person),
    )
