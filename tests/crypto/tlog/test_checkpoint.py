# SPDX-License-Identifier: AGPL-3.0-or-later
"""Checkpoints and cosignatures: the specifications' examples, refusals, round trips."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import CryptoError
from crypto.tlog.checkpoint import (
    Checkpoint,
    open_checkpoint,
    parse_checkpoint,
    sign_checkpoint,
)
from crypto.tlog.cosignature import cosign, signed_message, verify_cosignature
from crypto.tlog.errors import LogFormatError, SignatureError
from crypto.tlog.lines import KeyType
from crypto.tlog.note import SignerKey, open_note, sign_note, split_note
from tests.support import independent_log
from tests.support.sample_log import FIRST, LOG, SECOND, TIME, SampleLog, other_key

SOFA_TEXT = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
SOFA = SOFA_TEXT + (
    "\n— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcy"
    "v2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2"
    "oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
"""The example of C2SP tlog-cosignature; its keys are not published."""


def test_the_specification_s_checkpoint() -> None:
    text, signatures = split_note(SOFA)
    checkpoint = parse_checkpoint(text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint.root.hex().startswith("0ac5186a91863e8e1d90c808014aa89b")
    assert checkpoint.text() == text == SOFA_TEXT
    assert [len(each.signature) for each in signatures] == [64, 72]


def test_the_specification_s_cosigned_message() -> None:
    time = int.from_bytes(split_note(SOFA)[1][1].signature[:8], "big")
    assert time == 1679315147
    assert (
        signed_message(SOFA_TEXT, time).decode() == f"cosignature/v1\ntime 1679315147\n{SOFA_TEXT}"
    )


def test_signing_and_the_independent_reader() -> None:
    log = SampleLog.of(5)
    note = log.note(FIRST)
    assert open_checkpoint(note, LOG.verifier) == log.checkpoint()
    head = independent_log.head(note.encode(), LOG.verifier.encode())
    assert head == (LOG.name, 5, log.tree.root())
    assert independent_log.signed_by(note.encode(), FIRST.verifier.encode())[1] == TIME


def test_only_the_log_s_own_key_is_believed() -> None:
    log = SampleLog.of(5)
    with pytest.raises(SignatureError):
        open_checkpoint(log.note(), other_key())
    other = SignerKey("another.example/log", b"\x31" * 32)
    with pytest.raises(LogFormatError):
        sign_checkpoint(log.checkpoint(), other)
    borrowed = sign_note(log.checkpoint().text(), [other])
    with pytest.raises(SignatureError):
        open_checkpoint(borrowed, other.verifier)


def test_extension_lines_of_others_are_kept() -> None:
    text = SOFA_TEXT + "extension one\nextension two\n"
    assert parse_checkpoint(text).extensions == ("extension one", "extension two")
    assert parse_checkpoint(text).text() == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "a\n1\n",
        SOFA_TEXT[:-1],
        SOFA_TEXT + "\n",
        "\n" + SOFA_TEXT.partition("\n")[2],
        SOFA_TEXT.replace("20852163", "020852163"),
        SOFA_TEXT.replace("20852163", "-1"),
        SOFA_TEXT.replace("20852163", "+1"),
        SOFA_TEXT.replace("20852163", "٣"),
        SOFA_TEXT.replace("20852163", "1 "),
        SOFA_TEXT.replace("20852163", str(2**63)),
        SOFA_TEXT.replace("q2I=", "q2J="),
        SOFA_TEXT.replace("q2I=", "q2I"),
        SOFA_TEXT.replace("CsUY", ""),
        SOFA_TEXT + "e\n" * 40,
    ],
)
def test_what_is_no_checkpoint(text: str) -> None:
    with pytest.raises(LogFormatError):
        parse_checkpoint(text)


@pytest.mark.parametrize(
    "checkpoint",
    [
        Checkpoint("", 1, bytes(32)),
        Checkpoint("a\nb", 1, bytes(32)),
        Checkpoint("a", -1, bytes(32)),
        Checkpoint("a", 2**63, bytes(32)),
        Checkpoint("a", 1, bytes(31)),
        Checkpoint("a", 1, bytes(32), ("",)),
        Checkpoint("a", 1, bytes(32), ("e",) * 40),
    ],
)
def test_what_is_never_written(checkpoint: Checkpoint) -> None:
    with pytest.raises(LogFormatError):
        checkpoint.text()


def test_a_cosignature_is_of_one_text_one_time_one_key() -> None:
    log = SampleLog.of(3)
    text = log.checkpoint().text()
    raw = split_note(log.note(FIRST))[1][1].signature
    public = FIRST.verifier.public
    assert verify_cosignature(public, raw, text) == TIME
    assert verify_cosignature(public, raw, text.replace("3", "4")) is None
    assert verify_cosignature(public, bytes(8) + raw[8:], text) is None
    assert verify_cosignature(public, b"\xff" * 8 + raw[8:], text) is None
    assert verify_cosignature(public, raw[:-1], text) is None
    assert verify_cosignature(public, raw[8:], text) is None
    assert verify_cosignature(SECOND.verifier.public, raw, text) is None


def test_a_plain_signature_is_no_cosignature_and_the_reverse() -> None:
    text = SampleLog.of(3).checkpoint().text()
    seed, name = b"\x41" * 32, "both.example/key"
    plain = SignerKey(name, seed).verifier
    witness = SignerKey(name, seed, KeyType.COSIGNATURE).verifier
    note = sign_note(text, [SignerKey(name, seed)])
    cosigned = f"{text}\n{cosign(seed, name, text, TIME)}"
    with pytest.raises(SignatureError):
        open_note(note, [witness])
    with pytest.raises(SignatureError):
        open_note(cosigned, [plain])
    assert plain.key_id != witness.key_id


def test_the_latest_of_two_cosignatures_counts() -> None:
    text = SampleLog.of(3).checkpoint().text()
    lines = "".join(cosign(FIRST.seed, FIRST.name, text, TIME + n) for n in (5, 9, 2))
    opened = open_note(f"{text}\n{lines}", [FIRST.verifier])
    assert opened.times == {FIRST.verifier: TIME + 9}
    assert opened.verified == (FIRST.verifier,)


@pytest.mark.parametrize(("seed", "name", "time"), [
    (bytes(31), "a", 1),
    (bytes(32), "a b", 1),
    (bytes(32), "", 1),
    (bytes(32), "a", -1),
    (bytes(32), "a", 2**63),
])  # fmt: skip
def test_what_is_never_cosigned(seed: bytes, name: str, time: int) -> None:
    with pytest.raises(LogFormatError):
        cosign(seed, name, SOFA_TEXT, time)


lines = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=20)


@given(lines, st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32), st.lists(lines))
def test_checkpoints_go_round(origin: str, size: int, root: bytes, extensions: list[str]) -> None:
    checkpoint = Checkpoint(origin, size, root, tuple(extensions[:5]))
    assert parse_checkpoint(checkpoint.text()) == checkpoint


@given(st.text(), st.integers(0, len(SOFA_TEXT)))
def test_hostile_checkpoints_are_refused_or_have_one_spelling(text: str, at: int) -> None:
    for attempt in (text, SOFA_TEXT[:at] + text + SOFA_TEXT[at:]):
        try:
            checkpoint = parse_checkpoint(attempt)
        except CryptoError:
            continue
        assert checkpoint.text() == attempt
