# SPDX-License-Identifier: AGPL-3.0-or-later
"""The rules of the receipt word lists, as functions that return what breaks them.

Invariants: pure, no list is needed to test them, and each returns an empty list when all is well.

Source: crypto/wordlists/README.md.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_WORD = re.compile(r"[a-z]{4,8}")


@dataclass(frozen=True)
class BannedTable:
    """Words and stems that may stand in no list."""

    words: frozenset[str]
    stems: tuple[str, ...]
    topics: dict[str, int]

    def forbids(self, word: str) -> bool:
        return word in self.words or word.startswith(self.stems)


def parse_banned(text: str) -> BannedTable:
    """Read the committed table: `[topic]` headings, words, and stems that end in `*`."""
    entries: list[str] = []
    topics: dict[str, int] = {}
    topic = ""
    for line in text.splitlines():
        if line.startswith("["):
            topic = line.strip("[]")
            topics[topic] = 0
        elif line and not line.startswith("#"):
            entries += line.split()
            topics[topic] += len(line.split())
    words = frozenset(entry for entry in entries if not entry.endswith("*"))
    stems = tuple(entry[:-1] for entry in entries if entry.endswith("*"))
    return BannedTable(words, stems, topics)


def malformed(words: Iterable[str]) -> list[str]:
    return [word for word in words if not _WORD.fullmatch(word)]


def shared_prefixes(words: Iterable[str], length: int = 4) -> list[tuple[str, ...]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for word in words:
        groups[word[:length]].append(word)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def close_pairs(words: Sequence[str]) -> list[tuple[str, str]]:
    """Return the pairs one slip apart: a letter more, less or other, or two neighbours swapped.

    A slip leaves a common form behind: the two words with one letter dropped are equal, one word
    with a letter dropped is the other, or one is the other with two letters swapped.  Looking each
    form up in a table takes a moment where comparing all pairs takes minutes.
    """
    forms: dict[str, set[str]] = defaultdict(set)
    for word in words:
        for form in (word, *_without_one(word)):
            forms[form].add(word)
    pairs = {
        (min(word, other), max(word, other))
        for word in words
        for form in (word, *_without_one(word), *_swapped(word))
        for other in forms.get(form, ())
        if other != word and distance(word, other) < 2
    }
    return sorted(pairs)


def distance(left: str, right: str) -> int:
    """Return the Damerau-Levenshtein distance (optimal string alignment)."""
    rows = [list(range(len(right) + 1))]
    for i, a in enumerate(left, 1):
        row = [i]
        for j, b in enumerate(right, 1):
            cost = min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, rows[i - 2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]


def _without_one(word: str) -> set[str]:
    return {word[:at] + word[at + 1 :] for at in range(len(word))}


def _swapped(word: str) -> set[str]:
    return {word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(len(word) - 1)}
