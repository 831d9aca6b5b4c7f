# SPDX-License-Identifier: AGPL-3.0-or-later
"""The texts that the script in the browser puts together itself, taken from the text catalogue.

Texts that stand still are in the templates of `client.html`; here are those chosen by a code that
only the script knows, because only the script opens the box it comes in.
"""

from typing import Final

from crypto.encoding import canonical_json
from whistle.i18n import Catalogue

PREFIXES: Final = ("status.", "meaning.", "next.", "reason.", "script.", "case.event.")
KEYS: Final = (
    *("case.by_office", "case.by_reporter", "case.by_system"),
    *("case.due", "case.due_by", "case.files", "case.reason", "case.contest_lead"),
    *("case.overdue_since", "case.reopen_lead"),
    *("case.due_kind.assess", "case.due_kind.first_step", "case.due_kind.overall"),
    *("case.contest_heading", "case.contest_label", "case.contest_send"),
    *("case.reopen_heading", "case.reopen_label", "case.reopen_send"),
    *("case.step_done", "case.step_now", "case.step_ahead", "case.step_stopped"),
    *("code.problem_count", "code.problem_count_unknown", "code.problem_word"),
    *("code.problem_suggestions", "code.problem_check", "code.unknown", "code.unknown_help"),
    *("receipt.day", "receipt.next_1"),
    *(f"option.month.{number:02d}" for number in range(1, 13)),
)


def client_keys(texts: Catalogue) -> tuple[str, ...]:
    """List the keys the script may ask for."""
    return (*KEYS, *sorted(key for key in texts.texts if key.startswith(PREFIXES)))


def client_texts(texts: Catalogue) -> str:
    """Return the texts as JSON, with their placeholders."""
    return canonical_json({key: texts.t(key) for key in client_keys(texts)}).decode()
