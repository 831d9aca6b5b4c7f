# SPDX-License-Identifier: AGPL-3.0-or-later
"""The two pages for files without a script: "sealed file" and "add files".

Invariant: nothing on them depends on whether something was said before, apart from what the reader
has just sent or, on the second, what the reader's own receipt opens.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from crypto.errors import CryptoError
from crypto.mailbox import open_own_copy
from crypto.receipt import ReceiptKeys
from whistle.i18n import Language
from whistle.intake.pages import Pages
from whistle.intake.records import OwnMessage

DAMAGED: Final = "sealed.problem_damaged"
PROBLEMS: Final = {
    "none": "sealed.problem_none",
    "short": "sealed.problem_short",
    "recipients": "sealed.problem_recipients",
    "conflict": "sealed.problem_conflict",
    "too_large": "sealed.problem_too_large",
}
"""What to say to a refusal; anything not listed is a damaged file."""


@dataclass(frozen=True)
class SealedContext:
    """The page that takes a sealed file; with a `day` it says instead that it is stored."""

    token: str
    problem: str | None = None
    day: date | None = None
    due: date | None = None
    promise: str | None = None


@dataclass(frozen=True)
class FileLine:
    """What one earlier message brought; `names` may be unknown."""

    day: date
    names: tuple[str, ...]
    count: int


@dataclass(frozen=True)
class FilesContext:
    """The page that adds files one by one; `error` is a text key."""

    token: str
    files: Sequence[FileLine] = ()
    added: bool = False
    error: str | None = None


def sealed_page(pages: Pages, lang: Language, context: SealedContext) -> bytes:
    """The page that takes a sealed file, or says that it is stored."""
    problem = PROBLEMS.get(context.problem, DAMAGED) if context.problem else None
    return pages.page(lang, "sealed", "/sealed", c=context, problem=problem)


def files_page(pages: Pages, lang: Language, context: FilesContext) -> bytes:
    """The page that adds files one by one."""
    return pages.page(lang, "files", "/status/files", c=context)


def own_files(messages: Sequence[OwnMessage], keys: ReceiptKeys) -> tuple[FileLine, ...]:
    """Return what the reporter's own copies say about files, in the order they were sent."""
    lines = (_line(message, keys) for message in messages)
    return tuple(line for line in lines if line is not None and line.count)


def _line(message: OwnMessage, keys: ReceiptKeys) -> FileLine | None:
    try:
        text = open_own_copy(keys.state_key, keys.lookup_id, message.message_id, message.box)
        copy = json.loads(text)
        names = tuple(str(name) for name in copy.get("names", ()))
        return FileLine(message.day, names, int(copy["files"]))
    except (CryptoError, ValueError, KeyError, TypeError, AttributeError):
        return None
