# SPDX-License-Identifier: AGPL-3.0-or-later
"""Receipts: forgiving about how they are typed, exact about what they are."""

import contextlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import receipt as subject
from crypto.errors import MalformedError, ReceiptError
from crypto.receipt import Receipt, derive, parse_receipt, suggest
from crypto.words import LANGUAGES, Language, encode_numbers, word_list
from tests.support.vectors import counting_rng, seed

RECEIPT = Receipt(bytes(range(16)))
ID, EN = RECEIPT.words("id"), RECEIPT.words("en")
receipts = st.builds(Receipt, st.binary(min_size=16, max_size=16))
languages = st.sampled_from(LANGUAGES)


@given(receipts, languages)
def test_words_are_read_back(receipt: Receipt, language: Language) -> None:
    assert parse_receipt(" ".join(receipt.words(language))) == receipt


@given(receipts, languages, st.data())
def test_any_way_of_typing(receipt: Receipt, language: Language, data: st.DataObject) -> None:
    separator = st.sampled_from(
        [" ", "  ", "\n", "\t", "-", ".", ", ", " · ", "_", "/", " 7. ", "\u3000"]
    )
    text = data.draw(separator)
    for word in receipt.words(language):
        length = data.draw(st.integers(4, len(word)))
        shape = data.draw(st.sampled_from([str.lower, str.upper, str.title]))
        text += shape(word[:length]) + data.draw(separator)
    assert parse_receipt(text) == receipt


FORMS = {
    "numbered list": "\n".join(f"{n}. {word}" for n, word in enumerate(ID, 1)),
    "comma": ",".join(ID),
    "upper case": " ".join(ID).upper(),
    "four letters": " ".join(word[:4] for word in ID),
    "full width": " ".join("".join(chr(ord(c) + 0xFEE0) for c in word) for word in ID),
    "NFD": unicodedata.normalize("NFD", " ".join(ID)),
    "quoted": "“" + "” “".join(ID) + "”",
    "no-break spaces": "\u00a0".join(ID),
    "zero-width spaces": "\u200b".join(ID),
    "English": " ".join(EN),
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_forms(text: str) -> None:
    assert parse_receipt(text) == RECEIPT


def fault(text: str) -> ReceiptError:
    with pytest.raises(ReceiptError) as caught:
        parse_receipt(text)
    return caught.value


COUNTS = {
    "empty": "",
    "blank": " \n ",
    "digits only": "1 2 3",
    "one": ID[0],
    "eleven": " ".join(ID[:11]),
    "thirteen": " ".join((*ID, ID[0])),
    "run together": "".join(ID),
    "a page": " ".join(ID) + " " * 1000,
    "a book": "a " * 100_000,
}


@pytest.mark.parametrize("text", COUNTS.values(), ids=COUNTS)
def test_count(text: str) -> None:
    error = fault(text)
    assert (error.kind, error.position, error.suggestions) == ("count", None, ())


@pytest.mark.parametrize("position", range(12))
@pytest.mark.parametrize("language", LANGUAGES)
def test_unknown_word(position: int, language: Language) -> None:
    words = list(RECEIPT.words(language))
    words[position] = "qqxzv"
    error = fault(" ".join(words))
    assert (error.kind, error.position, error.suggestions) == ("unknown_word", position, ())


def test_first_unknown_word_is_named() -> None:
    error = fault(" ".join([*ID[:3], "qqxzv", *ID[4:11], "qqxzw"]))
    assert error.position == 3


def slips(word: str) -> dict[str, str]:
    return {
        "dropped": word[0] + word[2:],
        "doubled": word[:2] + word[1:],
        "exchanged": word[0] + word[2] + word[1] + word[3:],
        "changed": word[:2] + ("x" if word[2] != "x" else "z") + word[3:],
    }


@pytest.mark.parametrize("kind", ["dropped", "doubled", "exchanged", "changed"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_slips_are_suggested(kind: str, language: Language) -> None:
    words = word_list(language)
    for number in range(0, 2048, 97):
        word = words.words[number]
        slip = slips(word)[kind]
        if words.find(slip) is None:
            assert word in suggest(slip, words)


def test_suggestion_reaches_the_error() -> None:
    slip = slips(ID[5])["changed"]
    error = fault(" ".join([*ID[:5], slip, *ID[6:]]))
    assert error.kind == "unknown_word"
    assert error.position == 5
    assert ID[5] in error.suggestions
    assert len(error.suggestions) <= subject.MAX_SUGGESTIONS


def test_no_suggestions_for_rubbish() -> None:
    words = word_list("id")
    assert suggest("q" * 17, words) == ()
    assert suggest("zzzzzzzz", words) == ()


def test_three_letters_are_too_few() -> None:
    assert fault(" ".join([ID[0][:3], *ID[1:]])).kind == "unknown_word"


def test_languages_cannot_be_mixed() -> None:
    numbers = encode_numbers(RECEIPT.raw)
    at = next(n for n in range(12) if word_list("id").find(EN[n]) is None)
    mixed = [*ID[:at], word_list("en").words[numbers[at]], *ID[at + 1 :]]
    error = fault(" ".join(mixed))
    assert (error.kind, error.position) == ("unknown_word", at)


def test_check() -> None:
    words = word_list("id").words
    numbers = list(encode_numbers(RECEIPT.raw))
    numbers[-1] ^= 1
    error = fault(" ".join(words[number] for number in numbers))
    assert (error.kind, error.position, error.suggestions) == ("check", None, ())


@given(st.text(max_size=1100))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ReceiptError):
        assert len(parse_receipt(text).raw) == 16


# ---- keys ------------------------------------------------------------------------------------

INSTANCE = seed("instance")


def test_keys_have_their_lengths_and_differ() -> None:
    keys = derive(RECEIPT, INSTANCE)
    values = [
        keys.auth_seed,
        keys.sign_seed,
        keys.reply_seed,
        keys.state_key,
        keys.mailbox_key,
        keys.log_secret,
        keys.auth_public,
        keys.sign_public,
    ]
    assert len(keys.lookup_id) == 16
    assert all(len(value) == 32 for value in values)
    assert len({keys.lookup_id, *values}) == 9
    assert keys.reply_recipient is keys.reply_recipient


@pytest.mark.parametrize(
    ("receipt", "instance"),
    [(Receipt(bytes(16)), INSTANCE), (RECEIPT, seed("another organisation"))],
)
def test_other_receipt_or_organisation_shares_nothing(receipt: Receipt, instance: bytes) -> None:
    ours, others = vars(derive(RECEIPT, INSTANCE)), vars(derive(receipt, instance))
    assert not set(ours.values()) & set(others.values())


def test_generate() -> None:
    assert subject.generate(counting_rng()) == subject.generate(counting_rng())
    assert subject.generate(counting_rng("a")) != subject.generate(counting_rng("b"))


@pytest.mark.parametrize("length", [0, 15, 17])
def test_receipt_length(length: int) -> None:
    with pytest.raises(MalformedError):
        Receipt(bytes(length))


def test_secrets_stay_out_of_representations() -> None:
    keys = derive(RECEIPT, INSTANCE)
    assert RECEIPT.raw.hex() not in repr(RECEIPT)
    assert "\\x" not in repr(RECEIPT) + repr(keys)
