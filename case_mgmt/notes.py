# SPDX-License-Identifier: AGPL-3.0-or-later
"""Private notes and office copies: what may be kept, and how much of it.

Invariants
* A note is a well-formed container with a stanza for each recipient of the case who is still here,
  and for nobody but case handlers; to whom exactly, only they can see.
* What one person keeps in one case is bounded, so that nobody can fill the disk with it.

Specification: docs/spec/case-api.md, section 4.
"""

from typing import Final

from case_mgmt.errors import GateError
from case_mgmt.gate import handles, present_handlers
from case_mgmt.model import CaseId, PersonId
from case_mgmt.store.ports import ReadUnit
from crypto.envelope import check_container
from crypto.errors import MalformedError
from crypto.manifest import Manifest

MAX_NOTES: Final = 500
"""Of one person in one case; each visible message has one as its office copy."""
MAX_NOTE_BYTES: Final = 32 * 1024 * 1024
"""Of one person in one case, in all."""


def check_note(
    unit: ReadUnit, case: CaseId, person: PersonId, container: bytes, manifest: Manifest
) -> None:
    """Refuse a note that is malformed, sealed to the wrong number, or one too many."""
    try:
        stanzas = check_container(container).recipients
    except MalformedError as error:
        raise GateError("note_malformed") from error
    here = len(present_handlers(manifest, unit.recipients(case)))
    # Somebody new in the office is no recipient, but a desk that goes by the manifest counts them.
    most = sum(handles(each) for each in manifest.people)
    if not here <= stanzas <= most:
        raise GateError("note_malformed")
    count, size = unit.notes_kept(case, person)
    if count >= MAX_NOTES or size + len(container) > MAX_NOTE_BYTES:
        raise GateError("note_limit")
