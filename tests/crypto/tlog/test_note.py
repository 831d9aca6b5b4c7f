# SPDX-License-Identifier: AGPL-3.0-or-later
"""Signed notes: the specification's examples, what is refused, and that nothing crashes."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import CryptoError
from crypto.tlog.cosignature import cosign
from crypto.tlog.errors import LogFormatError, SignatureError
from crypto.tlog.lines import KeyType, decode_base64, decode_decimal, encode_base64
from crypto.tlog.note import (
    MAX_NOTE,
    MAX_SIGNATURES,
    SignerKey,
    VerifierKey,
    open_note,
    sign_note,
    split_note,
)
from tests.support import independent_log

VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ON"
    "ncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
"""The example of C2SP signed-note."""
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpR"
    "Zb6KE6RyyBwJnAM=\n"
)
"""The example of the Go implementation that the specification was written from."""
POEM = (
    "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
    "— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFS"
    "QU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
)
"""An example with an empty line in its text; its key is not published."""
ANNA = SignerKey("anna.example/1", b"\x01" * 32)
BUDI = SignerKey("budi.example/1", b"\x02" * 32)
TEXT = "one line\n\nanother, after an empty one\n"

names = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Zs", "Zl", "Zp"), blacklist_characters="+"),
    min_size=1,
    max_size=20,
)
texts = st.lists(st.text(st.characters(blacklist_categories=("Cs", "Cc")))).map(
    lambda lines: "".join(f"{line}\n" for line in ["x", *lines])
)


def test_the_specification_s_key_and_note() -> None:
    key = VerifierKey.parse(VKEY)
    assert key.key_id.hex() == "530d903a"
    assert (key.name, key.kind, key.encode()) == ("example.com/foo", KeyType.ED25519, VKEY)
    note = open_note(NOTE, [key])
    assert note.text == "This is an example message.\n"
    assert note.verified == (key,)
    assert open_note(NOTE.encode(), [key]) == note


def test_the_go_implementation_s_key_and_note() -> None:
    assert open_note(GO_NOTE, [VerifierKey.parse(GO_VKEY)]).text.startswith("If you think")


def test_the_text_ends_at_the_last_empty_line() -> None:
    text, signatures = split_note(POEM)
    assert text.endswith("raggio di sole:\n\ned è subito sera.\n")
    assert [each.name for each in signatures] == ["quasimodo.example/salvatore"]
    assert signatures[0].key_id.hex() == "367ba04b"
    with pytest.raises(SignatureError):
        open_note(POEM, [VerifierKey.parse(VKEY)])


def test_signing_and_the_independent_reader() -> None:
    note = sign_note(TEXT, [ANNA, BUDI])
    for signer in (ANNA, BUDI):
        assert open_note(note, [signer.verifier]).text == TEXT
        vkey = signer.verifier.encode()
        assert independent_log.signed_by(note.encode(), vkey) == (TEXT.encode(), None)
    both = open_note(note, [BUDI.verifier, ANNA.verifier])
    assert both.verified == (ANNA.verifier, BUDI.verifier)
    assert both.lines_of([BUDI.verifier]) == note.splitlines(keepends=True)[-1]
    assert "seed" not in repr(ANNA)


def test_unknown_keys_are_ignored_even_under_a_known_name() -> None:
    stranger = SignerKey(ANNA.name, b"\x09" * 32)
    note = sign_note(TEXT, [stranger, ANNA])
    assert open_note(note, [ANNA.verifier]).verified == (ANNA.verifier,)
    with pytest.raises(SignatureError) as error:
        open_note(sign_note(TEXT, [stranger]), [ANNA.verifier, BUDI.verifier])
    assert error.value.fault == "absent"


def test_one_wrong_signature_of_a_known_key_spoils_the_note() -> None:
    good = sign_note(TEXT, [ANNA, BUDI])
    for altered in (good.replace("another", "An0ther"), good.replace("one", "two")):
        with pytest.raises(SignatureError) as error:
            open_note(altered, [ANNA.verifier])
        assert (error.value.fault, error.value.name) == ("wrong", ANNA.name)
    forged = good + sign_note("another text\n", [ANNA]).splitlines(keepends=True)[-1]
    with pytest.raises(SignatureError):
        open_note(forged, [ANNA.verifier, BUDI.verifier])
    assert open_note(forged, [BUDI.verifier]).verified == (BUDI.verifier,)


def test_a_key_that_signs_twice_counts_once() -> None:
    note = sign_note(TEXT, [ANNA, ANNA])
    assert open_note(note, [ANNA.verifier, ANNA.verifier]).verified == (ANNA.verifier,)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "\n\n",
        "text\n",
        "text\n\n",
        "text\n\n\n",
        NOTE[:-1],
        NOTE + "\n",
        NOTE + "trailing\n",
        NOTE.replace("— ", "- "),
        NOTE.replace("— ", "—  "),
        NOTE.replace("example.com/foo ", "example.com/foo\u00a0x "),
        NOTE.replace("example.com/foo ", "example.com+foo "),
        NOTE.replace("example.com/foo ", " "),
        NOTE.replace("This", "Th\tis"),
        NOTE.replace("This", "Th\ris"),
        NOTE.replace("This", "Th\x00is"),
        NOTE.replace("aQM=", "aQM"),
        NOTE.replace("aQM=", "aQN="),
        NOTE.replace("aQM=", "aQ-="),
        NOTE.replace("aQM=\n", "aQM= \n"),
        "text\n\n— a AAAA\n",
        "text\n\n— a AAAAAA==\n",
        "\ud800\n\n— a AAAAAAA=\n",
        "text\n\n— \ud800 AAAAAAA=\n",
        "text\n\n" + "— a AAAAAAA=\n" * (MAX_SIGNATURES + 1),
        "x" * MAX_NOTE + NOTE,
    ],
)
def test_what_is_no_note(note: str) -> None:
    with pytest.raises(LogFormatError):
        open_note(note, [VerifierKey.parse(VKEY)])


def test_bytes_that_are_no_note() -> None:
    with pytest.raises(LogFormatError):
        open_note(b"\xff" + NOTE.encode(), [VerifierKey.parse(VKEY)])


def test_sixteen_signatures_of_five_kilobytes_are_read() -> None:
    lines = [f"— post-quantum.example/{n} {encode_base64(bytes(5_000))}\n" for n in range(16)]
    note = NOTE + "".join(lines)
    assert len(open_note(note, [VerifierKey.parse(VKEY)]).signatures) == 17


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "a+b",
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        VKEY.replace("530d903a", "530d903b"),
        VKEY.replace("530d903a", "530D903A"),
        VKEY.replace("example", "exmaple"),
        VKEY[:-1],
        VKEY + "=",
        VKEY + "\n",
        VKEY.replace("example.com/foo", "example com"),
        "a+00000000+" + base64.b64encode(b"\x06" + bytes(1312)).decode(),
        "a+00000000+" + base64.b64encode(b"\x02" + bytes(32)).decode(),
        "a+00000000+",
        "a+00000000+AQ==",
        "a" * 2_000 + VKEY,
    ],
)
def test_what_is_no_verifier_key(vkey: str) -> None:
    with pytest.raises(LogFormatError):
        VerifierKey.parse(vkey)


def test_what_is_never_signed() -> None:
    for text in ("", "no newline", "a\tb\n", "\ud800\n", "cosignature/v1\ntime 1\nx\n"):
        with pytest.raises(LogFormatError):
            sign_note(text, [ANNA])
    with pytest.raises(LogFormatError):
        sign_note(TEXT, [SignerKey("a b", bytes(32))])
    with pytest.raises(LogFormatError):
        sign_note(TEXT, [SignerKey("a", bytes(31))])
    with pytest.raises(LogFormatError):
        sign_note(TEXT, [SignerKey("a", bytes(32), KeyType.COSIGNATURE)])


@given(names, st.binary(min_size=32, max_size=32), st.sampled_from(list(KeyType)))
def test_verifier_keys_go_round(name: str, seed: bytes, kind: KeyType) -> None:
    key = SignerKey(name, seed, kind).verifier
    assert VerifierKey.parse(key.encode()) == key
    assert independent_log.key(key.encode()).public == key.public


@given(texts, names, st.binary(min_size=32, max_size=32), st.integers(0, 2**63 - 1))
def test_notes_go_round(text: str, name: str, seed: bytes, time: int) -> None:
    signer = SignerKey(name, seed)
    note = sign_note(text, [signer])
    opened = open_note(note, [signer.verifier])
    assert opened.text == text
    assert f"{text}\n" + "".join(each.line() for each in opened.signatures) == note
    witness = SignerKey(name, seed, KeyType.COSIGNATURE).verifier
    cosigned = open_note(note + cosign(seed, name, text, time), [witness, signer.verifier])
    assert cosigned.times == {witness: time}


@given(st.one_of(st.text(), st.binary(), st.sampled_from([NOTE, GO_NOTE, POEM])), st.data())
def test_hostile_notes_are_refused_with_our_errors(note: str | bytes, data: st.DataObject) -> None:
    if isinstance(note, str) and note:
        cut = data.draw(st.integers(0, len(note)))
        note = note[:cut] + data.draw(st.sampled_from(["", "\n", "— ", "x", "="])) + note[cut + 1 :]
    try:
        opened = open_note(note, [VerifierKey.parse(VKEY), VerifierKey.parse(GO_VKEY)])
    except CryptoError:
        return
    assert opened.text in NOTE + GO_NOTE


@given(st.text())
def test_hostile_keys_are_refused_with_our_errors(text: str) -> None:
    for vkey in (text, f"{text}+530d903a+{text}", f"a+{text}+{VKEY[-44:]}"):
        with pytest.raises(LogFormatError):
            VerifierKey.parse(vkey)


@given(st.one_of(st.text(max_size=30), st.from_regex(r"\A[0-9]{1,25}\Z")))
def test_decimals_have_one_spelling(text: str) -> None:
    try:
        number = decode_decimal(text)
    except LogFormatError:
        return
    assert str(number) == text
    assert number < 2**63


@given(st.one_of(st.text(max_size=50), st.from_regex(r"\A[A-Za-z0-9+/]{0,12}={0,2}\Z")))
def test_base64_has_one_spelling(text: str) -> None:
    try:
        data = decode_base64(text)
    except LogFormatError:
        return
    assert encode_base64(data) == text
