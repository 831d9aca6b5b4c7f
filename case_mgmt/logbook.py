# SPDX-License-Identifier: AGPL-3.0-or-later
"""What an act writes into the public log's waiting room, and what its reporter is told about it.

Invariants
* Written in the transaction of the act itself: a follow-up shown is a follow-up that waits.
* Without a log key in the manifest nothing waits and nothing is told.
* A case from before the log stays out of it.
* The pseudonym and the nonce are drawn at random; the nonce goes to the reporter, sealed.

Source: docs/spec/log.md section 3, docs/spec/acts.md section 7.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from case_mgmt.acts import Act
from case_mgmt.model import ActHash, ActKind, CaseId
from case_mgmt.publication.batches import event_due, log_day
from case_mgmt.publication.leaves import (
    CODE_OF_STATE,
    COMMITMENT,
    NONCE,
    PSEUDONYM,
    Code,
    FollowUp,
    report_leaf,
    wait_band,
)
from case_mgmt.publication.names import has_log
from case_mgmt.store.log_ports import LogWriteUnit, NewLeaf
from crypto.manifest import ManifestContent
from crypto.rng import Rng

META: Final = "log"
"""Where a notice tells about the log."""
_CODE_OF_KIND: Final = {
    ActKind.UPDATE: Code.UPDATED,
    ActKind.EXTEND: Code.EXTENDED,
    ActKind.CONTEST: Code.REOPENED,
    ActKind.WITHDRAW: Code.WITHDRAWN,
}


@dataclass(frozen=True)
class Happened:
    """An act that is being written, and the day its case arrived."""

    act: Act
    hash: ActHash
    arrival: date


def code_of(act: Act) -> Code | None:
    """How the log calls an act; None for one that is no follow-up."""
    if act.kind is ActKind.TRANSITION:
        return CODE_OF_STATE.get(act.target)
    return _CODE_OF_KIND.get(act.kind)


class LogBook:
    """Writes into the waiting room inside one unit of work."""

    def __init__(self, unit: LogWriteUnit, manifest: ManifestContent, rng: Rng) -> None:
        self._unit = unit
        self._is_kept = has_log(manifest)
        self._rng = rng

    def arrived(
        self, case: CaseId, commitment: bytes | None, arrival: date
    ) -> dict[str, Any] | None:
        """A report waits; what its reporter is told.

        A reporter's client that made no commitment, or took that of another report, cannot prove
        anything; the report is counted all the same, behind a commitment to nothing.  Two leaves
        with one commitment would break the rules of the log for good.
        """
        covered = self._unit.covered()
        if not self._is_kept or covered is None:
            return None
        pseudonym = self._rng(PSEUDONYM)
        day = log_day(arrival, covered.reports_until)
        self._unit.add_log_case(case, pseudonym, day)
        if commitment is None or self._unit.is_committed(commitment):
            commitment = self._rng(COMMITMENT)
        self._unit.add_leaf(NewLeaf(report_leaf(day, pseudonym, commitment), day))
        due = event_due(day, is_logged=False, arrival=arrival)
        return _told(pseudonym, Code.NONE, 0, None, due)

    def followed(self, happened: Happened) -> dict[str, Any] | None:
        """A follow-up waits; what its reporter is told."""
        code = code_of(happened.act)
        covered = self._unit.covered()
        known = self._unit.log_case(happened.act.case)
        if not self._is_kept or code is None or covered is None or known is None:
            return None
        day = max(log_day(happened.act.day, covered.until), known.day)
        wait = wait_band((day - known.day).days)
        follow = FollowUp(code, wait, known.pseudonym, bytes.fromhex(happened.hash))
        nonce = self._rng(NONCE)
        self._unit.add_leaf(NewLeaf(follow.leaf(day, nonce), day, happened.hash, nonce))
        due = event_due(day, known.is_logged, happened.arrival)
        return _told(known.pseudonym, code, wait, nonce, due)


def _told(
    pseudonym: bytes, code: Code, wait: int, nonce: bytes | None, due: date
) -> dict[str, Any]:
    return {
        "case": pseudonym.hex(),
        "code": int(code),
        "wait": wait,
        "nonce": None if nonce is None else nonce.hex(),
        "by": due.isoformat(),
    }
