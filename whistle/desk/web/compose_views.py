# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the page shows where a letter to the reporter is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from case_mgmt.lifecycle import reason_codes
from case_mgmt.model import EXTENSION_REASONS, ActKind, State
from whistle.desk.casefile import CaseFile
from whistle.desk.labels import DANGER_FIELD, STORY_FIELD, Labels
from whistle.desk.web.drafts import LetterDraft
from whistle.desk.web.views import answer_of


@dataclass(frozen=True)
class ComposeView:
    """The page where a letter is written."""

    case: str
    kind: ActKind
    target: State | None
    title: str
    head: str
    text: str
    reasons: Sequence[tuple[str, str]]
    reason: str
    needs_reason: bool
    needs_second: bool
    until: str
    until_from: date | None
    until_to: date | None
    error: str
    status: str
    story: str
    danger: str
    last_message: str


def compose_view(
    case: CaseFile, draft: LetterDraft, labels: Labels, error: str = ""
) -> ComposeView:
    """The composer for one letter."""
    codes = _reason_codes(draft)
    move = next((each for each in case.moves if each.to == draft.target), None)
    start, end = _extension_bounds(case) if draft.kind is ActKind.EXTEND else (None, None)
    return ComposeView(
        case=draft.case,
        kind=draft.kind,
        target=draft.target,
        title=letter_title(draft, labels),
        head=draft.seen_head,
        text=draft.text,
        reasons=[(code, labels.reason(code)) for code in codes],
        reason=draft.reason or "",
        needs_reason=draft.kind is ActKind.EXTEND or (move is not None and move.needs_reason),
        needs_second=move is not None and move.needs_second,
        until="" if draft.until is None else draft.until.isoformat(),
        until_from=start,
        until_to=end,
        error=error,
        status=labels.status(case.state),
        story=answer_of(case, STORY_FIELD),
        danger=answer_of(case, DANGER_FIELD),
        last_message=_last_message(case),
    )


def letter_title(draft: LetterDraft, labels: Labels) -> str:
    """What the letter does."""
    if draft.target is not None:
        return labels.status(draft.target)
    return labels.texts.t(f"desk.act.{draft.kind.value}")


def _reason_codes(draft: LetterDraft) -> Sequence[str]:
    if draft.kind is ActKind.EXTEND:
        return EXTENSION_REASONS
    return reason_codes(draft.target) if draft.target is not None else ()


def _last_message(case: CaseFile) -> str:
    follow_ups = case.thread.follow_ups
    return follow_ups[-1].body.text if follow_ups else ""


def _extension_bounds(case: CaseFile) -> tuple[date | None, date | None]:
    """The first and last day the gate would accept, weekends and holidays apart."""
    limit = case.clock.overall_due
    if limit is None:
        return None, None
    base = max(limit, case.organisation.today)
    longest = timedelta(days=case.organisation.policy.extension_max_days)
    return base + timedelta(days=1), base + longest
