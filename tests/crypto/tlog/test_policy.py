# SPDX-License-Identifier: AGPL-3.0-or-later
"""Log policies: the grammar, the quorum, forged and missing cosignatures, hostile files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import CryptoError
from crypto.tlog.errors import LogFormatError, QuorumError, SignatureError
from crypto.tlog.note import SignerKey, sign_note
from crypto.tlog.policy import Group, Log, Policy, Witness, parse_policy, simple_policy
from tests.support.sample_log import (
    FIRST,
    LOG,
    SECOND,
    THIRD,
    TIME,
    WITNESSES,
    SampleLog,
    other_key,
    policy,
)

A, B, C = (key.verifier.encode() for key in WITNESSES)
L = LOG.verifier.encode()
NESTED = f"""\
# two kinds of witnesses
log {L} https://log.example/prefix

witness X1 {A}
\twitness  X2\t{B} https://witness.example/x2
witness Y1 {C}
group X any X1 X2
group both all X Y1
quorum both
"""


def test_a_policy_with_groups_in_groups() -> None:
    read = parse_policy(NESTED.encode())
    assert read.logs == (Log(LOG.verifier, "https://log.example/prefix"),)
    assert [each.url for each in read.witnesses] == [None, "https://witness.example/x2", None]
    assert read.groups == (Group("X", 1, ("X1", "X2")), Group("both", 2, ("X", "Y1")))
    assert parse_policy(read.encode()) == read
    log = SampleLog.of(4)
    assert [each.name for each in read.require(log.note(SECOND, THIRD)).witnesses] == ["X2", "Y1"]
    for insufficient, missing in (
        (log.note(FIRST, SECOND), ("Y1",)),
        (log.note(THIRD), ("X1", "X2")),
        (log.note(), ("X1", "X2", "Y1")),
    ):
        with pytest.raises(QuorumError) as error:
            read.require(insufficient)
        assert error.value.missing == missing


def test_two_of_three() -> None:
    log = SampleLog.of(4)
    accepted = policy().require(log.note(FIRST, THIRD).encode())
    assert accepted.checkpoint == log.checkpoint()
    assert [each.name for each in accepted.witnesses] == ["first", "third"]
    assert accepted.note.times == {FIRST.verifier: TIME, THIRD.verifier: TIME}
    with pytest.raises(QuorumError) as error:
        policy().require(log.note(SECOND))
    assert error.value.missing == ("first", "third")
    assert policy().is_quorum(["first", "second"])
    assert not policy().is_quorum(["first", "first", "stranger"])


def test_one_witness_alone_may_be_the_quorum_and_none_too() -> None:
    log = SampleLog.of(4)
    one = parse_policy(f"log {L}\nwitness w {A}\nquorum w\n")
    assert one.require(log.note(FIRST)).checkpoint.size == 4
    with pytest.raises(QuorumError):
        one.require(log.note(SECOND))
    none = simple_policy(Log(LOG.verifier), [], 0)
    assert none.require(log.note()).witnesses == ()
    assert none.encode() == f"log {L}\nquorum none\n"


def test_a_cosigner_twice_is_one_witness() -> None:
    log = SampleLog.of(4)
    with pytest.raises(QuorumError):
        policy().require(log.note(FIRST, FIRST))


def test_a_forged_cosignature_is_not_a_missing_one() -> None:
    log, other = SampleLog.of(4), SampleLog.of(4, b"other")
    stolen = other.note(SECOND).splitlines(keepends=True)[-1]
    with pytest.raises(SignatureError) as error:
        policy().require(log.note(FIRST, THIRD) + stolen)
    assert (error.value.fault, error.value.name) == ("wrong", SECOND.name)


def test_witnesses_without_the_log_are_nothing() -> None:
    log = SampleLog.of(4)
    lines = log.note(FIRST, SECOND).splitlines(keepends=True)
    with pytest.raises(SignatureError) as error:
        policy().require("".join([*lines[:4], *lines[5:]]))
    assert (error.value.fault, error.value.name) == ("absent", LOG.name)


def test_a_log_speaks_for_its_own_origin_only() -> None:
    second = SignerKey("another.example/log", b"\x51" * 32)
    two = parse_policy(f"log {L}\nlog {second.verifier.encode()}\nquorum none\n")
    with pytest.raises(SignatureError):
        two.require(sign_note(SampleLog.of(2).checkpoint().text(), [second]))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "quorum none",
        f"log {L}\n",
        f"log {L}\nquorum none\nquorum none\n",
        f"log {L}\nlog {L}\nquorum none\n",
        "log\nquorum none\n",
        f"log {L} u v\nquorum none\n",
        f"log {A}\nquorum none\n",
        f"witness w {L}\nquorum w\n",
        f"witness w {A}\nwitness v {A}\nquorum w\n",
        f"witness w {A}\nwitness w {B}\nquorum w\n",
        f"witness none {A}\nquorum none\n",
        f"witness {A}\nquorum none\n",
        f"quorum w\nwitness w {A}\n",
        "quorum nobody\n",
        "quorum\n",
        "quorum none none\n",
        "log x+00000000+AQ==\nquorum none\n",
        "unknown line\nquorum none\n",
        f"witness w {A}\ngroup g 2 w\nquorum g\n",
        f"witness w {A}\ngroup g 0 w\nquorum g\n",
        f"witness w {A}\ngroup g 01 w\nquorum g\n",
        f"witness w {A}\ngroup g -1 w\nquorum g\n",
        f"witness w {A}\ngroup g ² w\nquorum g\n",
        f"witness w {A}\ngroup g all\nquorum g\n",
        f"witness w {A}\ngroup g all v\nquorum g\n",
        f"witness w {A}\ngroup g all g\nquorum g\n",
        f"witness w {A}\ngroup g all w w\nquorum g\n",
        f"witness w {A}\ngroup w all w\nquorum w\n",
        f"witness w {A}\ngroup none all w\nquorum none\n",
        f"witness w {A}\ngroup g all none\nquorum g\n",
        f"witness w {A}\ngroup g all w\ngroup h all w\nquorum h\n",
        "quorum none\r\n",
        "quorum\x0bnone\n",
        "quorum none\x00\n",
        "#" * 300_000 + "\nquorum none\n",
    ],
)
def test_what_is_no_policy(text: str) -> None:
    with pytest.raises(LogFormatError):
        parse_policy(text)


def test_bytes_that_are_no_policy_and_the_line_at_fault() -> None:
    with pytest.raises(LogFormatError):
        parse_policy(b"# \xff\nquorum none\n")
    with pytest.raises(LogFormatError, match="line 3"):
        parse_policy(f"# comment\nlog {L}\nlog {L}\nquorum none\n")


def test_only_space_and_tab_part_words() -> None:
    read = parse_policy(f"witness a\u00a0b {A}\nquorum a\u00a0b\n")
    assert read.witnesses[0].name == "a\u00a0b"


def test_the_limits_leave_room_for_what_the_specification_asks() -> None:
    keys = [SignerKey(f"w{n}", bytes([n]) * 32, FIRST.kind).verifier for n in range(1, 65)]
    lines = [f"witness n{n} {key.encode()}\n" for n, key in enumerate(keys)]
    groups = [f"group g{n} any n{n}\n" for n in range(64)]
    read = parse_policy("".join([*lines, *groups, "quorum g63\n"]))
    assert len(read.witnesses) == len(read.groups) == 64
    extra = SignerKey("more", b"\xff" * 32, FIRST.kind).verifier.encode()
    for text in (
        "".join([*lines, f"witness more {extra}\n", "quorum none\n"]),
        "".join([*lines, *groups, "group more any g1\n", "quorum none\n"]),
    ):
        with pytest.raises(LogFormatError):
            parse_policy(text)


def test_a_policy_that_cannot_be_read_back_is_not_written() -> None:
    for wrong in (
        Policy((), (Witness("a b", FIRST.verifier),), (), "none"),
        Policy((), (), (), "a"),
        Policy((Log(FIRST.verifier),), (), (), "none"),
        Policy((Log(LOG.verifier, "a\nb"),), (), (), "none"),
    ):
        with pytest.raises(LogFormatError):
            wrong.encode()
    with pytest.raises(LogFormatError):
        simple_policy(Log(LOG.verifier), [Witness("w", FIRST.verifier)], 2)


words = st.sampled_from(
    ["log", "witness", "group", "quorum", "none", "any", "all", "1", "2", "w", "g", L, A, B, "\t"]
)


@given(st.lists(st.lists(words, max_size=6).map(" ".join), max_size=8))
def test_hostile_policies_are_refused_or_go_round(lines: list[str]) -> None:
    try:
        read = parse_policy("".join(f"{line}\n" for line in lines))
    except LogFormatError:
        return
    assert parse_policy(read.encode()) == read


@given(st.one_of(st.text(), st.binary()))
def test_hostile_text_and_notes_are_refused_with_our_errors(data: str | bytes) -> None:
    for attempt in (lambda: parse_policy(data), lambda: policy().require(data)):
        with pytest.raises(CryptoError):
            attempt()


def test_a_stranger_s_log_key_is_no_log() -> None:
    with pytest.raises(SignatureError):
        simple_policy(Log(other_key()), [], 0).require(SampleLog.of(1).note())
