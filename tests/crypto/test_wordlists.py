# SPDX-License-Identifier: AGPL-3.0-or-later
"""The two receipt word lists keep the rules that their README states."""

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import wordlist_rules as rules

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "crypto" / "wordlists"
BANNED = rules.parse_banned((Path(__file__).parent / "banned_words.txt").read_text("utf-8"))
TEXTS = {language: (FOLDER / f"{language}.txt").read_bytes() for language in ("id", "en")}
LISTS = {language: data.decode("ascii").splitlines() for language, data in TEXTS.items()}

each_language = pytest.mark.parametrize("language", ["id", "en"])


@each_language
def test_2048_words_one_per_line(language: str) -> None:
    assert len(LISTS[language]) == 2048
    assert TEXTS[language] == b"".join(word.encode() + b"\n" for word in LISTS[language])


@each_language
def test_four_to_eight_lower_case_letters(language: str) -> None:
    assert rules.malformed(LISTS[language]) == []


@each_language
def test_sorted_without_repetition(language: str) -> None:
    assert LISTS[language] == sorted(set(LISTS[language]))


@each_language
def test_four_letters_tell_a_word(language: str) -> None:
    assert rules.shared_prefixes(LISTS[language]) == []


@each_language
def test_one_slip_never_makes_another_word(language: str) -> None:
    assert rules.close_pairs(LISTS[language]) == []


@each_language
def test_nothing_frightening_or_shameful(language: str) -> None:
    assert [word for word in LISTS[language] if BANNED.forbids(word)] == []


def test_no_word_in_both_lists() -> None:
    assert set(LISTS["id"]) & set(LISTS["en"]) == set()


def test_the_banned_table_is_rich() -> None:
    assert set(BANNED.topics) == {
        "crime",
        "law enforcement",
        "bribery and money",
        "violence and war",
        "death",
        "weapons",
        "body",
        "sickness",
        "sex and shame",
        "alcohol and drugs",
        "religion",
        "politics and state",
        "peoples and places",
        "names",
        "insults and contempt",
        "fear and distress",
    }
    assert min(BANNED.topics.values()) >= 80
    assert len(BANNED.words) + len(BANNED.stems) >= 2500


INDONESIAN = (
    "suap sogok korupsi polisi hakim senapan darah masjid gereja partai jawa papua bodoh mayat"
)
ENGLISH = "bribe police judge rifle blood church mosque senate african moron corpse drunk money"


@pytest.mark.parametrize("word", f"{INDONESIAN} {ENGLISH}".split())
def test_the_banned_table_forbids(word: str) -> None:
    assert BANNED.forbids(word)


def test_malformed_words_are_seen() -> None:
    bad = ["abc", "ninewords", "Kapal", "teh-o", "café"]
    assert rules.malformed([*bad, "kapal"]) == bad


def test_shared_prefixes_are_seen() -> None:
    assert rules.shared_prefixes(["kapal", "kapas", "meja"]) == [("kapal", "kapas")]


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("kapal", "kapal", 0),
        ("kapal", "kapas", 1),
        ("kapal", "kapa", 1),
        ("kapal", "kapall", 1),
        ("kapal", "kpaal", 1),
        ("kapal", "kaapl", 1),
        ("kapal", "papan", 2),
        ("ca", "abc", 3),
        ("", "abcd", 4),
    ],
)
def test_distance(left: str, right: str, expected: int) -> None:
    assert rules.distance(left, right) == rules.distance(right, left) == expected


@given(st.sets(st.text("abcd", min_size=2, max_size=5), max_size=25))
def test_close_pairs_misses_nothing(words: set[str]) -> None:
    ordered = sorted(words)
    slow = [pair for pair in combinations(ordered, 2) if rules.distance(*pair) < 2]
    assert rules.close_pairs(ordered) == slow
