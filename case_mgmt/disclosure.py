# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which acts of the ledger somebody may see; an act tells of a case, its clock and its people.

Invariants
* A case handler sees the acts of the cases sealed to them: of a case about their own unit nothing,
  not even that it exists.
* An auditor who handles no cases sees all acts.  Whoever is both counts as a handler.
* Everybody else sees the acts they signed themselves, and none that names another person.

Specification: docs/spec/case-api.md, section 5.
"""

from collections.abc import Iterator

from case_mgmt.acts import Act, SignedAct
from case_mgmt.gate import handles
from case_mgmt.model import AUDITOR, PersonId
from case_mgmt.store.ports import ReadUnit
from crypto.manifest import Manifest, Person


def disclosed(unit: ReadUnit, person: Person, manifest: Manifest) -> Iterator[SignedAct]:
    """The acts this person may see, by case and number.

    SECURITY: the ledger's only door (tests/case_mgmt/test_disclosure.py).
    """
    if handles(person):
        yield from unit.ledger(PersonId(person.id))
        return
    for signed in unit.ledger():
        if AUDITOR in person.roles or _is_own(signed.act, person, manifest):
            yield signed


def _is_own(act: Act, person: Person, manifest: Manifest) -> bool:
    signer = manifest.signer(bytes.fromhex(act.signer))
    mine = signer is not None and signer.id == person.id
    return mine and act.assignee in (None, person.id)
