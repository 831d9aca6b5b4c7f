# SPDX-License-Identifier: AGPL-3.0-or-later
"""Everything that can be found wrong with what was published, as one closed list.

Invariants
* Each fault has a sentence of its own, in both languages, and one on what to do
  (templates/i18n/verify.*.toml, "fault" and "do"); tests hold the list and the texts together.
* A check that could not be made is never counted as passed: it is listed as skipped.
* No text from a file under examination becomes part of a sentence, except names of our own formats.

Source: docs/spec/verify.md section 3.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from case_mgmt.publication.check import Rule


class Fault(StrEnum):
    """What is wrong.  The value is the key of its texts."""

    # the folder
    FOLDER_UNREADABLE = "folder_unreadable"
    FILE_MISSING = "file_missing"
    FILE_CHANGED = "file_changed"
    FILE_EXTRA = "file_extra"
    # who speaks
    INSTANCE_OTHER = "instance_other"
    MANIFEST_FORGED = "manifest_forged"
    MANIFEST_DATES = "manifest_dates"
    POLICY_REPLACED = "policy_replaced"
    SIGNATURES_MISSING = "signatures_missing"
    SIGNATURE_FORGED = "signature_forged"
    # the log and its witnesses
    LOG_KEY_OTHER = "log_key_other"
    CHECKPOINT_FORGED = "checkpoint_forged"
    CHECKPOINT_OTHER = "checkpoint_other"
    COSIGNATURE_FORGED = "cosignature_forged"
    QUORUM_MISSING = "quorum_missing"
    TILE_MISSING = "tile_missing"
    TILE_TRUNCATED = "tile_truncated"
    LOG_ALTERED = "log_altered"
    LEAF_UNKNOWN = "leaf_unknown"
    # the rules of the log
    OPENING_WRONG = "opening_wrong"
    REORDERED = "reordered"
    NOT_WEEKLY = "not_weekly"
    FEW_REPORTS = "few_reports"
    CASE_REPEATED = "case_repeated"
    LEAF_COPIED = "leaf_copied"
    CASE_INVENTED = "case_invented"
    BACK_DATED = "back_dated"
    # the numbers
    DAY_WRONG = "day_wrong"
    CANARY_FALSE = "canary_false"
    DEFINITIONS_UNKNOWN = "definitions_unknown"
    FIGURES_MALFORMED = "figures_malformed"
    TOTAL_WRONG = "total_wrong"
    COHORT_WRONG = "cohort_wrong"
    SHEET_WRONG = "sheet_wrong"
    TABLE_SMALL = "table_small"
    TABLE_SOLVED = "table_solved"
    PACKAGE_INVALID = "package_invalid"
    # against what was published before
    RELEASE_REPLACED = "release_replaced"
    RELEASE_UNLOGGED = "release_unlogged"
    RELEASE_HIDDEN = "release_hidden"
    REPORT_DROPPED = "report_dropped"
    FOLLOW_UP_DROPPED = "follow_up_dropped"
    LEAF_INSERTED = "leaf_inserted"
    LEAVES_MOVED = "leaves_moved"
    LOG_SHRUNK = "log_shrunk"
    SPLIT_VIEW = "split_view"
    # the reporter's own papers
    PROMISE_ABSENT = "promise_absent"
    PROMISE_FORGED = "promise_forged"
    PROMISE_BROKEN = "promise_broken"
    ARRIVAL_POSTDATED = "arrival_postdated"
    NOTICE_FALSE = "notice_false"
    NOTICE_UNLOGGED = "notice_unlogged"
    FOLLOW_UP_INVENTED = "follow_up_invented"
    PROOF_OTHER_INDEX = "proof_other_index"
    PROOF_WRONG = "proof_wrong"
    # the auditor's papers
    OPENING_FALSE = "opening_false"
    FOLLOW_UP_UNOPENED = "follow_up_unopened"
    # several cities
    DEFINITIONS_DIFFER = "definitions_differ"
    CITY_TWICE = "city_twice"


RULE_FAULTS: dict[Rule, Fault] = {
    Rule.OPENING: Fault.OPENING_WRONG,
    Rule.REORDERED: Fault.REORDERED,
    Rule.NOT_WEEKLY: Fault.NOT_WEEKLY,
    Rule.FEW_REPORTS: Fault.FEW_REPORTS,
    Rule.REPEATED_CASE: Fault.CASE_REPEATED,
    Rule.REPEATED_COMMITMENT: Fault.LEAF_COPIED,
    Rule.NO_SUCH_CASE: Fault.CASE_INVENTED,
    Rule.BACK_DATED: Fault.BACK_DATED,
}


@dataclass(frozen=True)
class Found:
    """One fault, and where: a file, an entry of the log or a member of the figures."""

    fault: Fault
    where: str = ""


class FaultError(Exception):
    """What was found makes the rest of a check meaningless."""

    def __init__(self, fault: Fault, where: str = "") -> None:
        super().__init__(f"{fault}: {where}")
        self.found = Found(fault, where)


State = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True)
class Check:
    """One line of the checklist; `numbers` fill the placeholders of its text."""

    key: str
    state: State
    numbers: dict[str, int | str] = field(default_factory=dict)


@dataclass
class Verdict:
    """What was checked and what was found, in the order of the checks."""

    checks: list[Check] = field(default_factory=list)
    faults: list[Found] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether nothing was found."""
        return not self.faults

    @property
    def is_partial(self) -> bool:
        """Whether a check could not be made."""
        return any(check.state == "skipped" for check in self.checks)

    def passed(self, key: str, **numbers: int | str) -> None:
        """A check that found nothing."""
        self.checks.append(Check(key, "passed", numbers))

    def skipped(self, key: str) -> None:
        """A check that could not be made."""
        self.checks.append(Check(key, "skipped"))

    def judge(self, key: str, found: list[Found], **numbers: int | str) -> bool:
        """A check with all it found; True when that is nothing."""
        if found:
            self.faults += found
            self.checks.append(Check(key, "failed"))
        else:
            self.passed(key, **numbers)
        return not found

    @contextmanager
    def checking(self, key: str) -> Iterator[dict[str, int | str]]:
        """A check that may raise `FaultError`; fill the yielded dictionary with its numbers.

        The error is noted and raised again: whatever depends on the check must not go on.
        """
        numbers: dict[str, int | str] = {}
        try:
            yield numbers
        except FaultError as error:
            self.judge(key, [error.found])
            raise
        self.passed(key, **numbers)
