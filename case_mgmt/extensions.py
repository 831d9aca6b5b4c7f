# SPDX-License-Identifier: AGPL-3.0-or-later
"""When the overall limit of a case may be moved, how far, and by whom (step 13 of the gate).

Invariants
* What has been missed stays missed: no extension once the overall limit is behind.
* Extensions cannot be piled up: while one has not begun, no other is given.
* One extension is at most `extension_max_days` long; from the second on a supervisor signs.

Specification: docs/spec/acts.md, section 5.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from case_mgmt.acts import Act
from case_mgmt.deadlines import schedule
from case_mgmt.errors import GateError
from case_mgmt.model import ActKind, Role
from case_mgmt.policy import Policy
from crypto.manifest import Person


def check_extension(
    until: date, history: Sequence[Act], signer: Person, policy: Policy, today: date
) -> None:
    """Refuse what breaks a rule.  Raises GateError."""
    limit = schedule(history, policy).overall_due
    if limit is None or today > limit:
        raise GateError("limit_missed")
    begins = _beginnings(history, policy)
    if any(today <= begin for begin in begins):
        raise GateError("extension_pending")
    if begins and Role.SUPERVISOR not in signer.roles:
        raise GateError("supervisor_extends")
    if not policy.calendar.is_working_day(until):
        raise GateError("until_not_working_day")
    if until <= limit:
        raise GateError("until_too_early")
    if until > limit + timedelta(days=policy.extension_max_days):
        raise GateError("until_too_late")


def _beginnings(history: Sequence[Act], policy: Policy) -> list[date]:
    """The limits that the extensions so far went beyond; each begins on the day after."""
    limits = (
        schedule(history[:place], policy).overall_due
        for place, act in enumerate(history)
        if act.kind is ActKind.EXTEND
    )
    return [limit for limit in limits if limit is not None]
