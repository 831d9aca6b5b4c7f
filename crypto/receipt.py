# SPDX-License-Identifier: AGPL-3.0-or-later
"""The receipt: 128 random bits, written as twelve words, from which a reporter's keys follow.

Invariants:
- the sixteen bytes are the secret; the words are one way to write them;
- no slow key derivation: guessing 2^128 is out of reach, and a slow one would be a way to tire out
  the server;
- reading is forgiving about case, separators, numbering, Unicode form, language and words cut off
  after four letters; it is strict about everything else.

Source: docs/spec/receipt.md.
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from crypto import kdf
from crypto.age.reader import ReplySeed
from crypto.domains import Domain
from crypto.encoding import label
from crypto.errors import MalformedError, ReceiptError
from crypto.rng import Rng
from crypto.signing import public_from_seed
from crypto.words import (
    LANGUAGES,
    SECRET,
    WORDS,
    Language,
    WordList,
    decode_numbers,
    encode_words,
    word_list,
)
from crypto.xwing import Recipient, recipient_from_seed

MAX_TYPED: Final = 1000  # characters; twelve words need about a hundred
MAX_SUGGESTIONS: Final = 5
_LONGEST_GUESS: Final = 16  # letters beyond which no suggestion is looked for
_LETTERS: Final = re.compile(r"[^\W\d_]+")
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, repr=False)
class Receipt:
    """The secret of one report."""

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != SECRET:
            raise MalformedError("a receipt has 16 bytes")

    def words(self, language: Language) -> tuple[str, ...]:
        """Return the twelve words in this language."""
        return encode_words(self.raw, language)


@dataclass(frozen=True, repr=False)
class ReceiptKeys:
    """What follows from a receipt at one organisation; public halves are computed on first use."""

    lookup_id: bytes
    auth_seed: bytes
    sign_seed: bytes
    reply_seed: ReplySeed
    state_key: bytes
    mailbox_key: bytes
    log_secret: bytes

    @cached_property
    def auth_public(self) -> bytes:
        """The key by which the server knows the reporter again."""
        return public_from_seed(self.auth_seed)

    @cached_property
    def sign_public(self) -> bytes:
        """The key under which the reporter's frames are signed; only investigators learn it."""
        return public_from_seed(self.sign_seed)

    @cached_property
    def reply_recipient(self) -> Recipient:
        """The key replies are sealed to."""
        return recipient_from_seed(self.reply_seed)


def generate(rng: Rng) -> Receipt:
    """Draw a new receipt."""
    return Receipt(rng(SECRET))


def derive(receipt: Receipt, instance_id: bytes) -> ReceiptKeys:
    """Return the keys of a receipt at the organisation with this root key."""
    salt = hashlib.sha256(label(Domain.INSTANCE, instance_id)).digest()
    prk = kdf.extract(salt, receipt.raw)

    def expand(domain: Domain, length: int) -> bytes:
        return kdf.expand(prk, domain.encode("ascii"), length)

    return ReceiptKeys(
        lookup_id=expand(Domain.LOOKUP, 16),
        auth_seed=expand(Domain.AUTH, 32),
        sign_seed=expand(Domain.SIGN, 32),
        reply_seed=ReplySeed(expand(Domain.REPLY, 32)),
        state_key=expand(Domain.STATE, 32),
        mailbox_key=expand(Domain.MAILBOX, 32),
        log_secret=expand(Domain.LOG, 32),
    )


def parse_receipt(text: str) -> Receipt:
    """Read twelve words in either language.

    Raises `ReceiptError` saying what is wrong: the count, one word (with suggestions), or the
    check bits.
    """
    if len(text) > MAX_TYPED:
        raise ReceiptError("count")
    typed = _LETTERS.findall(unicodedata.normalize("NFKC", text).lower())
    if len(typed) != WORDS:
        raise ReceiptError("count")
    found = [(words, [words.find(word) for word in typed]) for words in map(word_list, LANGUAGES)]
    for _words, numbers in found:
        known = tuple(number for number in numbers if number is not None)
        if len(known) == WORDS:
            secret = _checked(known)
            if secret is not None:
                return Receipt(secret)
    likeliest, numbers = min(found, key=lambda entry: entry[1].count(None))
    if None not in numbers:
        raise ReceiptError("check")
    position = numbers.index(None)
    raise ReceiptError("unknown_word", position, suggest(typed[position], likeliest))


def suggest(typed: str, words: WordList) -> tuple[str, ...]:
    """Return up to five words that one slip turns into what was typed."""
    if len(typed) > _LONGEST_GUESS:
        return ()
    found = {
        words.words[number] for slip in _slips(typed) if (number := words.find(slip)) is not None
    }
    return tuple(sorted(found, key=lambda word: (abs(len(word) - len(typed)), word)))[
        :MAX_SUGGESTIONS
    ]


def _checked(numbers: tuple[int, ...]) -> bytes | None:
    try:
        return decode_numbers(numbers)
    except MalformedError:
        return None


def _slips(typed: str) -> set[str]:
    """Return every text at Damerau-Levenshtein distance 1."""
    halves = [(typed[:cut], typed[cut:]) for cut in range(len(typed) + 1)]
    dropped = {left + right[1:] for left, right in halves if right}
    swapped = {left + right[1] + right[0] + right[2:] for left, right in halves if right[1:]}
    changed = {left + each + right[1:] for left, right in halves if right for each in _ALPHABET}
    added = {left + each + right for left, right in halves for each in _ALPHABET}
    return dropped | swapped | changed | added
