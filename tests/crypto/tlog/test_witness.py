# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a witness decides: every answer of the protocol, split views, hostile requests."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import CryptoError
from crypto.tlog.cosignature import cosign
from crypto.tlog.errors import LogFormatError, SignatureError
from crypto.tlog.note import MAX_NOTE, MAX_SIGNATURES, SignerKey, open_note, sign_note
from crypto.tlog.policy import parse_policy
from crypto.tlog.witness import (
    MAX_REQUEST,
    SIZE_TYPE,
    AddCheckpoint,
    Answer,
    Seen,
    accept_cosignature,
    add_lines,
    decide,
    open_seen,
    origin_hash,
    parse_add_checkpoint,
    parse_size,
)
from tests.support import independent_log
from tests.support.sample_log import FIRST, LOG, ORIGIN, SECOND, TIME, SampleLog, policy

LOGS = {ORIGIN: [LOG.verifier]}
EXAMPLE = """\
old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
"""  # noqa: E501
"""The example of C2SP tlog-witness."""


def request(log: SampleLog, old: int, new: int | None = None) -> AddCheckpoint:
    new = log.tree.size if new is None else new
    proof = log.tree.consistency(old, new) if old <= new else []
    return AddCheckpoint(old, tuple(proof), log.note(size=new))


def ask(asked: AddCheckpoint, seen: Seen | None = None) -> Answer:
    return decide(FIRST, LOGS, seen, asked, TIME)


def cosigned(log: SampleLog, size: int | None = None) -> Seen:
    answer = ask(request(log, 0, size))
    assert answer.seen is not None
    return answer.seen


def test_the_specification_s_request() -> None:
    read = parse_add_checkpoint(EXAMPLE.encode())
    assert (read.old, len(read.proof)) == (20852014, 4)
    assert read.origin == "example.com/behind-the-sofa"
    assert read.encode().decode() == EXAMPLE
    assert decide(FIRST, LOGS, None, read, TIME).status == 404


def test_the_first_checkpoint_is_cosigned() -> None:
    log = SampleLog.of(5)
    answer = ask(request(log, 0))
    assert answer.status == 200
    note = log.note() + answer.body
    text, time = independent_log.signed_by(note.encode(), FIRST.verifier.encode())
    assert (text.decode(), time) == (log.checkpoint().text(), TIME)
    assert answer.seen is not None
    assert answer.seen.checkpoint == log.checkpoint()
    assert open_note(answer.seen.note, [LOG.verifier, FIRST.verifier]).times == {
        FIRST.verifier: TIME
    }


def test_growth_is_cosigned_and_the_same_again_too() -> None:
    log = SampleLog.of(50)
    seen = cosigned(log, 5)
    for new in (6, 31, 50, 50):
        answer = ask(request(log, seen.checkpoint.size, new), seen)
        assert answer.status == 200
        assert answer.seen is not None
        seen = answer.seen
    assert seen.checkpoint == log.checkpoint()


def test_an_empty_log_may_be_cosigned() -> None:
    log = SampleLog.of(0)
    seen = cosigned(log)
    log.grow(3)
    assert ask(request(log, 0), seen).status == 200
    lie = replace(log.checkpoint(0), root=bytes(32))
    note = sign_note(lie.text(), [LOG])
    assert ask(AddCheckpoint(0, (), note)).status == 422


def test_every_refusal() -> None:
    log, fork = SampleLog.of(50), SampleLog.of(50, b"fork")
    seen = cosigned(log, 20)
    stranger = SignerKey("stranger.example/log", b"\x77" * 32)
    foreign = sign_note(replace(log.checkpoint(), origin=stranger.name).text(), [stranger])
    forged = sign_note(log.checkpoint().text(), [replace(LOG, seed=b"\x78" * 32)])
    table = [
        (AddCheckpoint(20, (), foreign), 404),
        (AddCheckpoint(20, (), forged), 403),
        (replace(request(log, 20), note=log.note().replace("\n50\n", "\n51\n")), 403),
        (request(log, 51, 50), 400),
        (request(log, 19), 409),
        (request(log, 0), 409),
        (request(log, 50), 409),
        (request(fork, 20), 422),
        (replace(request(log, 20), proof=()), 422),
        (replace(request(log, 20), proof=(bytes(32),) * 63), 422),
        (AddCheckpoint(20, (), fork.note(size=20)), 409),
        (AddCheckpoint(20, (bytes(32),), log.note(size=20)), 422),
    ]
    for asked, status in table:
        answer = ask(asked, seen)
        assert (answer.status, answer.seen) == (status, None), asked.old
        assert answer.body.endswith("\n")


def test_a_conflict_names_the_size_if_that_is_the_trouble() -> None:
    log, fork = SampleLog.of(50), SampleLog.of(50, b"fork")
    seen = cosigned(log, 20)
    stale = ask(request(log, 19), seen)
    assert (stale.body, stale.content_type) == ("20\n", SIZE_TYPE)
    assert parse_size(stale.body.encode()) == 20
    assert ask(request(log, 7), None).body == "0\n"
    second_root = ask(AddCheckpoint(20, (), fork.note(size=20)), seen)
    assert second_root.content_type != SIZE_TYPE
    with pytest.raises(LogFormatError):
        parse_size(second_root.body.encode())


def test_no_witness_signs_two_histories() -> None:
    log, fork = SampleLog.of(30), SampleLog.of(30, b"fork")
    for size in range(1, 31):
        seen = cosigned(log, size)
        for new in range(size, 31):
            assert ask(request(fork, size, new), seen).seen is None


def test_only_verified_lines_are_remembered() -> None:
    log = SampleLog.of(5)
    asked = request(log, 0)
    littered = replace(asked, note=asked.note + "— spam.example/text AAAAAAA=\n" + log.note(SECOND))
    assert parse_add_checkpoint(asked.encode()) == asked
    with pytest.raises(LogFormatError):
        parse_add_checkpoint(littered.encode())
    littered = replace(asked, note=log.note(SECOND) + "— spam.example/text AAAAAAA=\n")
    answer = ask(littered)
    assert answer.seen is not None
    assert "spam" not in answer.seen.note
    assert SECOND.name not in answer.seen.note


def test_what_was_remembered_is_read_back_or_refused() -> None:
    seen = cosigned(SampleLog.of(5))
    assert open_seen(seen.note, FIRST.verifier) == seen
    assert open_seen(seen.note.encode(), FIRST.verifier) == seen
    with pytest.raises(SignatureError):
        open_seen(seen.note, SECOND.verifier)
    with pytest.raises(SignatureError):
        open_seen(seen.note.replace("\n5\n", "\n4\n"), FIRST.verifier)
    with pytest.raises(CryptoError):
        open_seen(seen.note[:-20], FIRST.verifier)


def test_a_second_root_is_evidence_that_needs_no_witness() -> None:
    log, fork = SampleLog.of(20), SampleLog.of(20, b"fork")
    seen = cosigned(log)
    answer = ask(AddCheckpoint(20, (), fork.note(SECOND)), seen)
    assert answer.evidence is not None
    heads = [
        independent_log.head(note.encode(), LOG.verifier.encode())
        for note in (seen.note, answer.evidence)
    ]
    assert heads[0].size == heads[1].size
    assert heads[0].root != heads[1].root
    for asked in (request(log, 20), request(log, 0), request(fork, 7)):
        assert ask(asked, seen).evidence is None


def test_what_could_not_be_read_back_is_not_cosigned() -> None:
    log = SampleLog.of(5)
    line = log.note().splitlines(keepends=True)[-1]
    crowded = AddCheckpoint(0, (), log.note() + line * (MAX_SIGNATURES - 1))
    assert parse_add_checkpoint(crowded.encode()) == crowded
    wide = replace(log.checkpoint(), extensions=("x" * (MAX_NOTE - 300),))
    for asked in (crowded, AddCheckpoint(0, (), sign_note(wide.text(), [LOG]))):
        answer = ask(parse_add_checkpoint(asked.encode()))
        assert (answer.status, answer.seen) == (400, None)


def test_a_witness_that_answers_with_many_lines_adds_one() -> None:
    log = SampleLog.of(5)
    text = log.checkpoint().text()
    body = "".join(cosign(FIRST.seed, FIRST.name, text, TIME + n) for n in (3, 60, 7))
    line, time = accept_cosignature(log.note(), body.encode(), FIRST.verifier)
    assert (line, time) == (cosign(FIRST.seed, FIRST.name, text, TIME + 60), TIME + 60)


def test_a_witness_cannot_slip_in_a_line_for_another_text() -> None:
    log = SampleLog.of(5)
    other = f"{log.checkpoint().text()}\nmore\n"
    body = "more\n\n" + cosign(FIRST.seed, FIRST.name, other, TIME)
    assert open_note(f"{log.checkpoint().text()}\n{body}", [FIRST.verifier]).text == other
    with pytest.raises(LogFormatError):
        accept_cosignature(log.note(), body.encode(), FIRST.verifier)


def test_a_client_keeps_only_the_witness_s_own_lines() -> None:
    log = SampleLog.of(5)
    body = ask(request(log, 0)).body
    extra = "— other.example/w AAAAAAA=\n"
    line, time = accept_cosignature(log.note(), (extra + body).encode(), FIRST.verifier)
    assert (line, time) == (body, TIME)
    note = add_lines(log.note(SECOND), [line, line])
    assert note.count(FIRST.name) == 1
    assert [each.name for each in policy().require(note).witnesses] == ["first", "second"]
    for wrong in (
        b"",
        b"\xff",
        b"\n",
        extra.encode(),
        b"x\n\n" + body.encode(),
        body[:-1].encode(),
    ):
        with pytest.raises(CryptoError):
            accept_cosignature(log.note(), wrong, FIRST.verifier)
    with pytest.raises(SignatureError):
        accept_cosignature(SampleLog.of(6).note(), body.encode(), FIRST.verifier)
    with pytest.raises(LogFormatError):
        accept_cosignature(log.note(), body.encode(), LOG.verifier)


def test_a_monitor_finds_a_log_by_the_hash_of_its_origin() -> None:
    assert (
        origin_hash("example.com/behind-the-sofa")
        == independent_log.sha256(b"example.com/behind-the-sofa").hex()
    )


@pytest.mark.parametrize(
    "body",
    [
        "",
        "old 1\n",
        EXAMPLE.replace("old ", "new "),
        EXAMPLE.replace("old 2", "old 02"),
        EXAMPLE.replace("old ", "old -"),
        EXAMPLE.replace("old ", "old  "),
        EXAMPLE.replace("old ", "Old "),
        EXAMPLE.replace("PlRN", "PlR"),
        EXAMPLE.replace("PlRN", " PlRN"),
        EXAMPLE.replace("Dpkaw=", "Dpkax="),
        EXAMPLE.replace("\n\nexample", "\nexample"),
        EXAMPLE.replace("\n20852163\n", "\nmany\n"),
        EXAMPLE.replace("\n", "\r\n"),
        EXAMPLE[:-1],
        "old 1\n" + ("A" * 43 + "=\n") * 64 + EXAMPLE.partition("Kj/0=\n")[2],
        EXAMPLE + "x" * MAX_REQUEST,
    ],
)
def test_what_is_no_request(body: str) -> None:
    with pytest.raises(LogFormatError):
        parse_add_checkpoint(body.encode())


@given(st.one_of(st.binary(), st.text().map(str.encode)), st.integers(0, len(EXAMPLE)))
def test_hostile_requests_are_refused_or_answered(data: bytes, at: int) -> None:
    example = SampleLog.of(3)
    good = request(example, 0).encode()
    for attempt in (data, good[:at] + data, good[:at] + data + good[at:]):
        try:
            read = parse_add_checkpoint(attempt)
        except CryptoError:
            continue
        assert read.encode() == attempt
        assert ask(read).status in {200, 400, 403, 404, 409, 422}


@given(st.one_of(st.binary(max_size=80), st.text(max_size=80).map(str.encode)))
def test_hostile_answers_are_refused(data: bytes) -> None:
    with pytest.raises(CryptoError):
        accept_cosignature(SampleLog.of(1).note(), data, FIRST.verifier)
    try:
        size = parse_size(data)
    except LogFormatError:
        return
    assert data == f"{size}\n".encode()


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.booleans()), max_size=12))
def test_whatever_is_asked_a_witness_stays_with_one_history(
    asked: list[tuple[int, int, bool]],
) -> None:
    logs = (SampleLog.of(40), SampleLog.of(40, b"fork"))
    seen: Seen | None = None
    followed: set[bool] = set()
    for first, second, forked in asked:
        old, new = sorted((first, second))
        answer = ask(request(logs[forked], old, new), seen)
        if answer.seen is not None:
            assert seen is None or answer.seen.checkpoint.size >= seen.checkpoint.size
            seen = answer.seen
            followed |= {forked} if new else set()
    assert len(followed) <= 1


def test_a_policy_file_is_no_request() -> None:
    with pytest.raises(LogFormatError):
        parse_add_checkpoint(policy().encode().encode())
    assert parse_policy(policy().encode()) == policy()
