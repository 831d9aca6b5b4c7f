# SPDX-License-Identifier: AGPL-3.0-or-later
"""Notices once more, for an intake that came back from a backup and lacks the latest.

The case server forgets a notice once the intake has it; everything it was made of is in the ledger,
so all can be made again.  An intake that still has a notice refuses its second copy and keeps the
first: nothing a reporter has read changes.
"""

from case_mgmt.notices import is_visible, notice_for, seal
from case_mgmt.policy import Policy
from case_mgmt.store.ports import Case, WriteUnit
from case_mgmt.store.sqlcipher import SqlCipherStore
from crypto.rng import Rng


def resend(store: SqlCipherStore, policy: Policy, rng: Rng) -> int:
    """Queue every visible act's notice again; return how many.  Raises StoreError."""
    with store.reading() as unit:
        cases = [case.id for case in unit.cases()]
    count = 0
    for identifier in cases:
        with store.writing() as unit:
            case = unit.case(identifier)
            count += 0 if case is None else _resend_case(unit, case, policy, rng)
    return count


def _resend_case(unit: WriteUnit, case: Case, policy: Policy, rng: Rng) -> int:
    entries = unit.acts(case.id)
    key = unit.mailbox_key(case.id)
    unit.clear_outbox(case.thread)
    count = 0
    for place, entry in enumerate(entries):
        act = entry.signed.act
        if not is_visible(act):
            continue
        history = tuple(each.signed.act for each in entries[: place + 1])
        notice = notice_for(entry.signed, history, policy, entry.container)
        unit.add_outbox(case.thread, act.seq, seal(key, case.thread, act.seq, notice, rng))
        count += 1
    return count
