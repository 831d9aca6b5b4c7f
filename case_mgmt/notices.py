# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the reporter's mailbox is told about an act.

Invariants
* Only acts of `VISIBLE_KINDS` become a notice: an assignment names a person and stays inside.
* The notice's place in the mailbox is the act's number, so sending it again changes nothing.
* The limits in it hold until the next act; whether one is missed the reader computes by the day.

Specification: docs/spec/acts.md, section 7.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from case_mgmt.acts import Act, SignedAct
from case_mgmt.deadlines import schedule
from case_mgmt.model import VISIBLE_KINDS
from case_mgmt.policy import Policy
from crypto.encoding import b64
from crypto.mailbox import Notice, seal_notice
from crypto.rng import Rng


def is_visible(act: Act) -> bool:
    """Whether the reporter is told of this act."""
    return act.kind in VISIBLE_KINDS


def notice_for(
    signed: SignedAct, history: Sequence[Act], policy: Policy, container: bytes | None
) -> Notice:
    """The notice of the last act of `history`; `container` is its message, sealed by the desk."""
    limits = schedule(history, policy)
    clock = limits.at(signed.act.day)
    meta: dict[str, Any] = {
        "v": 1,
        "act": signed.act.to_object(),
        "signature": b64(signed.signature),
        "countersigner": signed.countersigner,
        "countersignature": (
            None if signed.countersignature is None else b64(signed.countersignature)
        ),
        "state": signed.act.target.value,
        "due": day_text(limits.next_due),
        "due_kind": limits.next_kind,
        "overall_due": day_text(limits.overall_due),
        "contest_until": day_text(limits.contest_until),
        "paused": clock.paused,
    }
    return Notice(meta=meta, container=container)


def seal(mailbox_key: bytes, thread: str, seq: int, notice: Notice, rng: Rng) -> bytes:
    """The box to push for this notice."""
    return seal_notice(mailbox_key, bytes.fromhex(thread), seq, notice, rng)


def day_text(day: date | None) -> str | None:
    """A day as JSON has it."""
    return None if day is None else day.isoformat()
