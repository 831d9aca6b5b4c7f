# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sixteen bytes as twelve words of a 2,048-word list, and back.

Invariants: the words of both languages encode the same number, so the language is only clothing;
128 bits and 4 check bits fill the twelve words exactly.

Source: docs/spec/receipt.md sections 4 and 5.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final, Literal

from crypto.domains import Domain
from crypto.encoding import label
from crypto.errors import MalformedError

Language = Literal["id", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("id", "en")
WORDS: Final = 12
LIST_SIZE: Final = 2048
SECRET: Final = 16
PREFIX: Final = 4  # letters that already tell a word from all others of its list

_BITS: Final = 11
_CHECK_BITS: Final = 4


@dataclass(frozen=True)
class WordList:
    """One language's list, with the number of each word and of each word's first letters."""

    language: Language
    words: tuple[str, ...]
    numbers: Mapping[str, int]
    prefixes: Mapping[str, int]

    def find(self, typed: str) -> int | None:
        """Return the number of a word typed in full or cut off after at least four letters."""
        number = self.numbers.get(typed)
        if number is None and len(typed) >= PREFIX:
            candidate = self.prefixes.get(typed[:PREFIX])
            if candidate is not None and self.words[candidate].startswith(typed):
                return candidate
        return number


@lru_cache(maxsize=len(LANGUAGES))
def word_list(language: Language) -> WordList:
    """Load a language's list."""
    source = files("crypto") / "wordlists" / f"{language}.txt"
    words = tuple(source.read_text(encoding="utf-8").split())
    numbers = {word: number for number, word in enumerate(words)}
    prefixes = {word[:PREFIX]: number for number, word in enumerate(words)}
    if not len(words) == len(numbers) == len(prefixes) == LIST_SIZE:
        raise MalformedError("word list is damaged")
    return WordList(language, words, MappingProxyType(numbers), MappingProxyType(prefixes))


def encode_numbers(secret: bytes) -> tuple[int, ...]:
    """Return the twelve word numbers of sixteen bytes, most significant first."""
    if len(secret) != SECRET:
        raise MalformedError("twelve words carry 16 bytes")
    value = int.from_bytes(secret, "big") << _CHECK_BITS | _check(secret)
    return tuple(value >> _BITS * place & LIST_SIZE - 1 for place in reversed(range(WORDS)))


def decode_numbers(numbers: tuple[int, ...]) -> bytes:
    """Return the sixteen bytes of twelve word numbers, if their check bits agree."""
    value = 0
    for number in numbers:
        value = value << _BITS | number
    secret = (value >> _CHECK_BITS).to_bytes(SECRET, "big")
    if value & (1 << _CHECK_BITS) - 1 != _check(secret):
        raise MalformedError("check bits do not agree")
    return secret


def encode_words(secret: bytes, language: Language) -> tuple[str, ...]:
    """Return sixteen bytes as twelve words."""
    words = word_list(language).words
    return tuple(words[number] for number in encode_numbers(secret))


def _check(secret: bytes) -> int:
    return hashlib.sha256(label(Domain.RECEIPT_CHECK, secret)).digest()[0] >> 8 - _CHECK_BITS
