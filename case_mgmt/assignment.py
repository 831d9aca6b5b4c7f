# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who gets a new case.

Invariants
* Only a recipient of the report is ever chosen, so nobody of the accused unit is.
* Investigators before supervisors; who is late only if everybody is; then the fewest open cases.
* Equal candidates are told apart by a hash over the case id: nobody can steer it, anybody can
  recompute it.
"""

import hashlib
from collections.abc import Iterable, Mapping, Set

from case_mgmt.model import CaseId, PersonId, Role
from crypto.manifest import Person


def choose(
    case: CaseId,
    candidates: Iterable[Person],
    load: Mapping[PersonId, int],
    late: Set[PersonId],
) -> PersonId | None:
    """The person to assign, or None when no candidate handles cases.

    `load` is the number of open cases by person and `late` who has an overdue one, both from the
    ledger; `candidates` are the recipients of the report.
    """
    able = [person for person in candidates if {*person.roles} & {*Role}]
    if not able:
        return None

    def rank(person: Person) -> tuple[bool, bool, int, bytes]:
        identifier = PersonId(person.id)
        return (
            Role.INVESTIGATOR not in person.roles,
            identifier in late,
            load.get(identifier, 0),
            _lot(case, identifier),
        )

    return PersonId(min(able, key=rank).id)


def _lot(case: CaseId, person: PersonId) -> bytes:
    return hashlib.sha256(f"{case} {person}".encode()).digest()
