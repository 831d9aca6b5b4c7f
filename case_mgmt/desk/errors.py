# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong while the desk opens or composes, by culprit.

Each error carries a `code`, a fixed word the desk translates; never content, never a name from
a report.
"""

from typing import Literal

OpeningCode = Literal[
    "cannot_open",
    "wrong_type",
    "malformed",
    "no_first_report",
]
ComposeCode = Literal[
    "empty_message",
    "placeholder",
    "too_long",
    "no_reply_key",
    "not_a_recipient",
    "second_person",
    "proposer_left",
    "proposal_lapsed",
    "copy_missing",
    "act_mismatch",
]


class DeskCaseError(Exception):
    """Base of this package's errors; never raised itself."""

    code: str


class OpeningError(DeskCaseError):
    """Stored material is not what this case may contain, or not for this key."""

    def __init__(self, code: OpeningCode) -> None:
        super().__init__(code)
        self.code: OpeningCode = code


class ComposeError(DeskCaseError):
    """What the investigator wants to send may not be sent like this."""

    def __init__(self, code: ComposeCode) -> None:
        super().__init__(code)
        self.code: ComposeCode = code
