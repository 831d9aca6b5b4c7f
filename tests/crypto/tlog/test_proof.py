# SPDX-License-Identifier: AGPL-3.0-or-later
"""Proof files: round trip, the independent reader, another index, missing quorum, hostile files."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import CryptoError
from crypto.tlog.errors import LogFormatError, ProofError, QuorumError, SignatureError
from crypto.tlog.proof import HEADER, LogProof, make_proof, parse_proof, verify_proof
from tests.support import independent_log
from tests.support.sample_log import FIRST, LOG, SECOND, SampleLog, policy

SIZE = 37


def proof(index: int, log: SampleLog | None = None) -> LogProof:
    log = log or SampleLog.of(SIZE)
    return make_proof(log.tree, index, log.note(FIRST, SECOND), log.checkpoint())


@pytest.mark.parametrize("index", [0, 1, 31, 32, 35, 36])
@pytest.mark.parametrize("extra", [None, b"", b"anything"])
def test_a_proof_goes_round_and_convinces_the_independent_reader(
    index: int, extra: bytes | None
) -> None:
    log = SampleLog.of(SIZE)
    made = replace(proof(index, log), extra=extra)
    read = parse_proof(made.encode().encode())
    assert read == made
    assert verify_proof(read, log.entries[index], policy()).checkpoint == log.checkpoint()
    keys = [FIRST.verifier.encode(), SECOND.verifier.encode()]
    head = independent_log.check_proof_file(
        made.encode().encode(), log.entries[index], LOG.verifier.encode(), keys
    )
    assert head.size == SIZE


def test_the_file_is_the_specification_s() -> None:
    lines = replace(proof(3), extra=b"x").encode().split("\n")
    assert lines[0] == HEADER == "c2sp.org/tlog-proof@v1"
    assert lines[1:3] == ["extra eA==", "index 3"]
    assert lines.index("") == 3 + 6
    assert lines[10] == LOG.name


def test_each_fault_has_its_own_error() -> None:
    log = SampleLog.of(SIZE)
    good, entry = proof(5, log), log.entries[5]
    with pytest.raises(ProofError):
        verify_proof(replace(good, index=6), entry, policy())
    with pytest.raises(ProofError):
        verify_proof(good, log.entries[6], policy())
    with pytest.raises(ProofError):
        verify_proof(replace(good, index=SIZE), entry, policy())
    with pytest.raises(ProofError):
        verify_proof(replace(good, hashes=good.hashes[:-1]), entry, policy())
    with pytest.raises(QuorumError):
        verify_proof(replace(good, note=log.note(FIRST)), entry, policy())
    with pytest.raises(SignatureError):
        verify_proof(replace(good, note=good.note.replace("\n37\n", "\n38\n")), entry, policy())
    with pytest.raises(LogFormatError):
        replace(good, index=-1).encode()


def test_a_proof_under_an_earlier_checkpoint() -> None:
    log = SampleLog.of(SIZE)
    early = make_proof(log.tree, 5, log.note(FIRST, SECOND, size=20), log.checkpoint(20))
    assert verify_proof(early, log.entries[5], policy()).checkpoint.size == 20
    with pytest.raises(ProofError):
        make_proof(log.tree, 20, log.note(size=20), log.checkpoint(20))


GOOD = proof(5).encode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        HEADER,
        HEADER + "\n\n",
        GOOD.replace("@v1", "@v2"),
        GOOD.replace("index 5\n", ""),
        GOOD.replace("index 5", "index 05"),
        GOOD.replace("index 5", "index -5"),
        GOOD.replace("index 5", "index  5"),
        GOOD.replace("index 5", f"index {2**63}"),
        GOOD.replace("index 5", "extra !\nindex 5"),
        GOOD.replace("index 5", "extra eA==\nextra eA==\nindex 5"),
        GOOD.replace("index 5\n", "index 5\nAAAA\n"),
        GOOD.replace("index 5\n", "index 5\n" + "A" * 43 + "=\n" * 1 + ("A" * 43 + "=\n") * 63),
        GOOD.replace("index 5", "extra " + "AAAA" * 30_000 + "\nindex 5"),
        GOOD[:-1],
        GOOD.partition("— ")[0],
        "\n" + GOOD,
        GOOD + "x" * 400_000,
    ],
)
def test_what_is_no_proof_file(text: str) -> None:
    with pytest.raises(LogFormatError):
        parse_proof(text)


def test_bytes_that_are_no_proof_file() -> None:
    with pytest.raises(LogFormatError):
        parse_proof(b"\xff" + GOOD.encode())


@given(st.one_of(st.text(), st.binary()), st.integers(0, len(GOOD)))
def test_hostile_proof_files_are_refused_or_have_one_spelling(data: str | bytes, at: int) -> None:
    attempts = [data]
    if isinstance(data, str):
        attempts += [GOOD[:at] + data + GOOD[at:], GOOD[:at] + data]
    for attempt in attempts:
        try:
            read = parse_proof(attempt)
        except CryptoError:
            continue
        assert read.encode() == attempt
