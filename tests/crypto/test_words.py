# SPDX-License-Identifier: AGPL-3.0-or-later
"""Twelve words and sixteen bytes; the lists themselves are tested in test_wordlists.py."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import words as subject
from crypto.errors import MalformedError


@given(st.binary(min_size=16, max_size=16))
def test_round_trip(secret: bytes) -> None:
    numbers = subject.encode_numbers(secret)
    assert len(numbers) == subject.WORDS
    assert all(0 <= number < 2048 for number in numbers)
    assert subject.decode_numbers(numbers) == secret


@pytest.mark.parametrize("language", subject.LANGUAGES)
def test_lists_are_usable(language: subject.Language) -> None:
    words = subject.word_list(language)
    assert len(words.words) == subject.LIST_SIZE
    assert subject.word_list(language) is words
    for number in (0, 1, 1000, 2047):
        word = words.words[number]
        assert words.find(word) == number
        assert words.find(word[:4]) == number
        assert words.find(word[:3]) is None
        assert words.find(word + "x") is None


def test_languages_encode_the_same_number() -> None:
    both = [subject.encode_words(bytes(range(16)), language) for language in subject.LANGUAGES]
    numbers = [
        [subject.word_list(language).numbers[word] for word in words]
        for language, words in zip(subject.LANGUAGES, both, strict=True)
    ]
    assert numbers[0] == numbers[1] == list(subject.encode_numbers(bytes(range(16))))


def test_fifteen_of_sixteen_wrong_checks_are_noticed() -> None:
    numbers = subject.encode_numbers(bytes(16))
    accepted = 0
    for other in range(2048):
        try:
            subject.decode_numbers((other, *numbers[1:]))
            accepted += 1
        except MalformedError:
            pass
    assert 2048 / 16 * 0.6 < accepted < 2048 / 16 * 1.5


@pytest.mark.parametrize("check", range(1, 16))
def test_wrong_check_bits(check: int) -> None:
    numbers = subject.encode_numbers(bytes(16))
    with pytest.raises(MalformedError):
        subject.decode_numbers((*numbers[:-1], numbers[-1] ^ check))


@pytest.mark.parametrize("length", [0, 15, 17])
def test_only_sixteen_bytes(length: int) -> None:
    with pytest.raises(MalformedError):
        subject.encode_numbers(bytes(length))


@pytest.fixture
def fresh_cache() -> Iterator[None]:
    subject.word_list.cache_clear()
    yield
    subject.word_list.cache_clear()


DAMAGED = {
    "too short": ["word"],
    "a word twice": [f"{n:04x}" for n in range(2047)] + ["0000"],
    "two words with the same beginning": [f"{n:04x}" for n in range(2047)] + ["0000x"],
}


@pytest.mark.usefixtures("fresh_cache")
@pytest.mark.parametrize("words", DAMAGED.values(), ids=DAMAGED)
def test_damaged_list(words: list[str], tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "wordlists"
    folder.mkdir()
    (folder / "id.txt").write_text("\n".join(words), encoding="utf-8")
    monkeypatch.setattr(subject, "files", lambda _package: tmp_path)
    with pytest.raises(MalformedError):
        subject.word_list("id")
