# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is particular to the status page: progress, labels, and one length for every answer.

Invariants:

* an answer is `STATUS_BYTES` long whatever the code was and whatever the history holds; only a page
  that gives back a long text just sent grows, by whole `STATUS_STEP`s;
* messages that do not fit move to older pages, newest first; only one that is longer than
  `PIECE_BYTES` is cut, at a space if there is one, and says so in its heading;
* nothing typed or written can end the padding comment: it holds dots only and comes last.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from markupsafe import escape

from case_mgmt.model import CLOSINGS, OPEN, State
from whistle.i18n import Catalogue
from whistle.intake.contexts import ReceiptProblem, StatusContext, TimelineItem

STATUS_BYTES: Final = 32_768
STATUS_STEP: Final = 7_168  # the next size, 39,936, is within the 40,000 bytes of any page
PIECE_BYTES: Final = (
    20_000  # of text as it is sent: the rest of a page never takes the other 12,000
)

EVENTS: Final = (
    "message",
    "follow_up",
    "update",
    "extend",
    "contest",
    "withdraw",
    "unreadable",
    "unverified",
)
NOTES: Final = ("unreadable", "unverified", "former", "unknown")
DUE_KINDS: Final = ("assess", "first_step", "update", "overall")

_COMMENT_OPEN: Final = b"<!--"
_COMMENT_CLOSE: Final = b"-->\n"
_COMMENT: Final = len(_COMMENT_OPEN) + len(_COMMENT_CLOSE)
_WIDEST: Final = 5  # bytes that a character can take: &#34;
_PAGER_ROOM: Final = 512  # the links to newer and older messages, in either language

_STEPS: Final = ("received", "assessed", "examined", "decided")
_REACHED: Final = {
    State.RECEIVED: 0,
    State.ASSESSING: 1,
    State.NEEDS_INFO: 1,
    State.EXAMINING: 2,
    State.REFERRED: 2,
    State.REOPENED: 2,
}


@dataclass(frozen=True)
class Step:
    """One stage of the progress picture."""

    name: str
    mark: Literal["done", "now", "ahead", "stopped"]


@dataclass(frozen=True)
class TimelinePage:
    """The rendered items shown, and which pages lie before and after."""

    html: str
    newer: int | None
    older: int | None
    left: int  # how many messages are older still


def progress(context: StatusContext) -> tuple[Step, ...]:
    """Place a case on the way from arrival to decision."""
    state = State(context.state)
    if state in {State.WITHDRAWN, State.SET_ASIDE}:
        return (Step("received", "done"), *(Step(name, "stopped") for name in _STEPS[1:]))
    if state in CLOSINGS:
        return tuple(Step(name, "done") for name in _STEPS)
    now = _REACHED[state]
    if state is State.NEEDS_INFO and any(item.code == "examining" for item in context.timeline):
        now = 2
    return tuple(
        Step(name, "done" if place < now else "now" if place == now else "ahead")
        for place, name in enumerate(_STEPS)
    )


def may_contest(context: StatusContext) -> bool:
    """Say whether the page offers to object, or to take a withdrawal back."""
    return context.contest_until is not None or context.state == State.WITHDRAWN


def may_withdraw(context: StatusContext) -> bool:
    """Say whether the page offers to withdraw."""
    return State(context.state) in OPEN


def due_label(context: StatusContext, texts: Catalogue) -> str:
    """Name what is due next, or nothing when no such line should be shown."""
    if context.due is None or (context.due_kind == "overall" and context.overall_due):
        return ""
    if context.due_kind in DUE_KINDS and context.due_kind != "update":
        return texts.t("case.due_by", what=texts.t(f"case.due_kind.{context.due_kind}"))
    return texts.t("case.due")


def next_step(context: StatusContext, texts: Catalogue) -> str:
    """Say what the reporter can do now."""
    if State(context.state) not in CLOSINGS:
        return texts.t(f"next.{context.state}")
    if context.contest_until is None:
        return texts.t("next.closed")
    return texts.t("next.closed_contest", day=texts.day(context.contest_until))


def item_label(item: TimelineItem, texts: Catalogue) -> str:
    """Head a timeline item."""
    label = texts.t(f"case.event.{item.code}" if item.code in EVENTS else f"status.{item.code}")
    return label if item.part is None else f"{label} ({item.part[0]}/{item.part[1]})"


def in_pieces(items: Sequence[TimelineItem]) -> Iterator[TimelineItem]:
    """Cut items that are too long for a page; the pieces stand in reading order."""
    for item in items:
        texts = _cut(item.text)
        if len(texts) == 1:
            yield item
            continue
        for number, text in enumerate(texts, 1):
            yield replace(item, text=text, part=(number, len(texts)))


def _cut(text: str) -> list[str]:
    pieces = []
    while len(text) * _WIDEST > PIECE_BYTES and _sent_bytes(text) > PIECE_BYTES:
        fits = bisect_right(range(len(text)), PIECE_BYTES, key=lambda end: _sent_bytes(text[:end]))
        end = fits - 1
        space = max(text.rfind(" ", end // 2, end), text.rfind("\n", end // 2, end))
        end = end if space < 0 else space + 1
        pieces.append(text[:end])
        text = text[end:]
    return [*pieces, text]


def _sent_bytes(text: str) -> int:
    return len(str(escape(text)).encode("utf-8", "replace"))


def item_reason(item: TimelineItem, texts: Catalogue) -> str:
    """Name the reason given; a code newer than this program stands for itself."""
    if not item.reason:
        return ""
    key = f"reason.{item.reason}"
    return texts.t(key) if key in texts.texts else item.reason


def code_problems(context: StatusContext, texts: Catalogue) -> list[str]:
    """Explain why a code was not opened."""
    if context.kind == "unknown":
        return [texts.t("code.unknown"), texts.t("code.unknown_help")]
    if context.kind != "malformed":
        return []
    return _receipt_problem(context.receipt_error or ReceiptProblem("count"), texts)


def _receipt_problem(problem: ReceiptProblem, texts: Catalogue) -> list[str]:
    if problem.kind == "check":
        return [texts.t("code.problem_check")]
    if problem.kind == "unknown_word" and problem.position is not None:
        lines = [texts.t("code.problem_word", position=problem.position + 1)]
        if problem.suggestions:
            words = ", ".join(problem.suggestions)
            lines.append(texts.t("code.problem_suggestions", words=words))
        return lines
    if problem.count is None:
        return [texts.t("code.problem_count_unknown")]
    return [texts.t("code.problem_count", count=problem.count)]


def fit(items: Sequence[str], taken: int, page: int) -> TimelinePage:
    """Choose the items of one page, given the bytes the rest of the answer takes.

    Items are rendered, newest first. A page that does not exist shows the last one.
    """
    room = max(STATUS_BYTES - taken - _COMMENT - _PAGER_ROOM, 0)
    pages: list[list[str]] = [[]]
    used = 0
    for item in items:
        size = len(item.encode("utf-8", "replace"))
        if pages[-1] and used + size > room:
            pages.append([])
            used = 0
        pages[-1].append(item)
        used += size
    shown = min(max(page, 1), len(pages))
    return TimelinePage(
        html="".join(pages[shown - 1]),
        newer=shown - 1 if shown > 1 else None,
        older=shown + 1 if shown < len(pages) else None,
        left=sum(len(later) for later in pages[shown:]),
    )


def pad(page: bytes) -> bytes:
    """Lengthen a page to the fixed size, or to the next step above it."""
    size = STATUS_BYTES
    while len(page) + _COMMENT > size:
        size += STATUS_STEP
    return page + _COMMENT_OPEN + b"." * (size - len(page) - _COMMENT) + _COMMENT_CLOSE
