# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong in the reporter's tools; every error is one sentence in the reader's language.

Invariant: no error holds an answer, a receipt word or a key.
"""

from typing import Final


class ToolError(Exception):
    """Base and general case: `key` is a text of templates/i18n/tool.*.toml."""

    def __init__(self, key: str, **details: object) -> None:
        super().__init__(key)
        self.key = key
        self.details = details


WORDED: Final = {
    "full": "tool.error.refused_full",
    "quota": "tool.error.refused_quota",
    "recipients": "tool.error.refused_recipients",
    "too_large": "tool.error.refused_too_large",
}
"""Refusals about which a reporter can do something; all others show their code."""


class KeyListError(ToolError):
    """The list of keys is not the pinned organisation's, is too old, or is out of date."""


class AnswersError(ToolError):
    """The answers or files cannot be used."""


class NetworkError(ToolError):
    """The site cannot be reached, or answered something that is not in its interface."""


class RefusedBySiteError(NetworkError):
    """The site answered with a refusal."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(WORDED.get(code, "tool.error.refused"), status=status, code=code)
        self.status = status
        self.code = code
