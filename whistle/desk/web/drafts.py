# SPDX-License-Identifier: AGPL-3.0-or-later
"""Keeps what was previewed until it is signed, so that what is signed is what was previewed.

The page that signs carries only a draft's number; the words never travel through the browser again
between preview and signature. A draft belongs to one case and one head, and is used once.
"""

from dataclasses import dataclass
from datetime import date

from case_mgmt.model import ActKind, State
from crypto.rng import Rng
from whistle.desk.letters import Letter

MAX_DRAFTS = 64
DRAFT_ID_BYTES = 16


@dataclass(frozen=True)
class LetterDraft:
    """A letter as composed; `seen_head` is the history the author was looking at."""

    case: str
    kind: ActKind
    target: State | None
    reason: str | None
    until: date | None
    text: str
    seen_head: str

    def letter(self) -> Letter:
        """The letter that is previewed and signed."""
        return Letter(
            kind=self.kind,
            text=self.text,
            target=self.target,
            reason=self.reason,
            until=self.until,
            seen_head=self.seen_head,
        )


class Drafts:
    """The drafts of the unlocked person, oldest forgotten first."""

    def __init__(self, rng: Rng) -> None:
        self._rng = rng
        self._drafts: dict[str, LetterDraft] = {}

    def keep(self, draft: LetterDraft) -> str:
        """The draft's number."""
        while len(self._drafts) >= MAX_DRAFTS:
            del self._drafts[next(iter(self._drafts))]
        number = self._rng(DRAFT_ID_BYTES).hex()
        self._drafts[number] = draft
        return number

    def find(self, number: str, case: str) -> LetterDraft | None:
        """The draft, if it is one of this case."""
        draft = self._drafts.get(number)
        return draft if draft is not None and draft.case == case else None

    def drop(self, number: str) -> None:
        """Forgets a draft that was signed."""
        self._drafts.pop(number, None)

    def clear(self) -> None:
        """Forgets everything."""
        self._drafts.clear()
