# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which words may go to a reporter.

- A message says something: not empty, not only punctuation.
- A template is a start, not an answer: what stands in [square brackets] must have been replaced.
- What is sealed is what was previewed: line ends are normalised once, here, before both.
"""

import re
import unicodedata

from case_mgmt.desk.errors import ComposeError

MAX_MESSAGE_CHARACTERS = 20_000
MIN_MESSAGE_LETTERS = 10
_PLACEHOLDER = re.compile(r"\[[^\[\]\n]*\w[^\[\]\n]*\]")


def visible_text(text: str) -> str:
    """The message as it will be sealed and shown. Raises: ComposeError."""
    cleaned = private_text(text)
    if _PLACEHOLDER.search(cleaned):
        raise ComposeError("placeholder")
    if sum(character.isalpha() for character in cleaned) < MIN_MESSAGE_LETTERS:
        raise ComposeError("empty_message")
    return cleaned


def private_text(text: str) -> str:
    """A private note as it will be sealed. Raises: ComposeError."""
    unified = unicodedata.normalize(
        "NFC", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    )
    kept = "".join(character for character in unified if _is_text(character))
    cleaned = "\n".join(line.rstrip() for line in kept.split("\n")).strip()
    if not cleaned:
        raise ComposeError("empty_message")
    if len(cleaned) > MAX_MESSAGE_CHARACTERS:
        raise ComposeError("too_long")
    return cleaned


def placeholders(text: str) -> tuple[str, ...]:
    """What is still to be completed in a text, in order."""
    return tuple(_PLACEHOLDER.findall(text))


def _is_text(character: str) -> bool:
    """No control, formatting or surrogate characters: nothing the preview would not show."""
    return character == "\n" or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co"}
