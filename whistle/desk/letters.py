# SPDX-License-Identifier: AGPL-3.0-or-later
"""A letter to the reporter: what was decided and written, and the words the reporter will read.

The words are the investigator's, in the language of the report. An extension ends with its new
day, added here, so that no reporter learns of one without learning until when; preview and
signature both come here, and so show and seal the same.
"""

import functools
from dataclasses import dataclass
from datetime import date

from case_mgmt.desk.composing import Draft
from case_mgmt.model import ActKind, State
from whistle.i18n import Catalogue, Language


@dataclass(frozen=True)
class Letter:
    """A step with a message: which kind, which target, which words."""

    kind: ActKind
    text: str
    target: State | None = None
    reason: str | None = None
    until: date | None = None
    seen_head: str | None = None
    """The history the author was looking at, where a page remembers it."""

    def draft(self, report_lang: str) -> Draft:
        """What the reporter will read, before it is checked and sealed."""
        step = self.target if self.kind is ActKind.TRANSITION else None
        return Draft(
            lang=report_lang,
            text=self.text,
            status=None if step is None else step.value,
            reason=self.reason,
            ending=_ending(self.until, report_lang),
        )


def _ending(until: date | None, lang: str) -> str:
    if until is None:
        return ""
    texts = _texts("en" if lang == "en" else "id")
    return texts.t("desk.letter.until", day=texts.day(until))


@functools.cache
def _texts(lang: Language) -> Catalogue:
    return Catalogue.load(lang)
