# SPDX-License-Identifier: AGPL-3.0-or-later
"""Acts: one encoding, one hash, signatures that fit nothing else, and the chain."""

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from case_mgmt.acts import (
    CASE_ID,
    MAX_UNTIL_DAYS,
    Act,
    SignedAct,
    act_hash,
    countersign_act,
    new_case_id,
    sign_act,
    verify_act,
    verify_chain,
    verify_countersignature,
)
from case_mgmt.errors import ActFormatError
from case_mgmt.model import NO_ACT, ActHash, ActKind, CaseId, DeviceKey, PersonId, State
from crypto.errors import AuthenticationError
from tests.support.history import CASE, History, key, seed

DAY = date(2026, 4, 7)

hex_32 = st.binary(min_size=32, max_size=32).map(bytes.hex)
codes = st.from_regex(r"[a-z][a-z0-9_]{0,47}", fullmatch=True)
dates = st.dates(date(1975, 1, 1), date(2199, 12, 31))
acts = st.builds(
    Act,
    case=st.binary(min_size=5, max_size=5).map(lambda raw: new_case_id(lambda _: raw)),
    seq=st.integers(1, 2**31 - 1),
    prev=hex_32.map(ActHash),
    kind=st.sampled_from(ActKind),
    source=st.none() | st.sampled_from(State),
    target=st.sampled_from(State),
    reason=st.none() | codes,
    message=st.none() | hex_32,
    day=dates,
    signer=hex_32.map(DeviceKey),
    until=st.none(),
    assignee=st.none() | st.just(PersonId("penyidik-1")),
)


def _extended(act: Act, days: int) -> Act:
    return replace(act, until=act.day + timedelta(days=days))


extended = st.builds(_extended, acts, st.integers(-1000, MAX_UNTIL_DAYS))


@given(acts | extended)
def test_parse_undoes_encode(act: Act) -> None:
    assert Act.parse(act.encode()) == act


@given(acts, acts)
def test_different_acts_have_different_hashes(one: Act, two: Act) -> None:
    assert (act_hash(one.encode()) == act_hash(two.encode())) == (one == two)


def sample() -> Act:
    return History().next(ActKind.RECEIVED, State.RECEIVED, DAY, "service cases")


def edited(**changes: Any) -> bytes:
    content = {**sample().to_object(), **changes}
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"1",
        b"\xff",
        sample().encode() + b" ",
        json.dumps(sample().to_object()).encode(),
        edited(v=2),
        edited(v=True),
        edited(v=None),
        edited(extra=1),
        edited(case="WH-0123ABC"),
        edited(case="WH-0123ABCI"),
        edited(case="wh-0123ABCD"),
        edited(case="WH-0123ABCD\n"),
        edited(case=None),
        edited(seq=0),
        edited(seq=-1),
        edited(seq=True),
        edited(seq=2**31),
        edited(seq="1"),
        edited(prev="00"),
        edited(prev="AB" * 32),
        edited(kind="merge"),
        edited(kind=None),
        edited(to=None),
        edited(to="overdue"),
        edited(**{"from": "overdue"}),
        edited(reason=""),
        edited(reason="No Contact"),
        edited(reason="a" * 49),
        edited(message="00" * 31),
        edited(message=7),
        edited(day="2026-4-7"),
        edited(day="20260407"),
        edited(day=None),
        edited(day="2026-02-30"),
        edited(signer="00" * 16),
        edited(until="soon"),
        edited(until="9999-12-30"),  # no calendar counts on from there
        edited(assignee=""),
        edited(assignee="a b"),
        edited(assignee="x" * 65),
        b'{"v":1,' + sample().encode()[1:],
        sample().encode()[:-1],
        b" " * 5000,
    ],
)
def test_anything_but_the_one_encoding_is_refused(data: bytes) -> None:
    with pytest.raises(ActFormatError):
        Act.parse(data)


def test_a_missing_field_is_refused() -> None:
    for name in sample().to_object():
        content = {k: v for k, v in sample().to_object().items() if k != name}
        with pytest.raises(ActFormatError):
            Act.from_object(content)


def test_signature_quartet() -> None:
    act = sample()
    signature = sign_act(seed("service cases"), act)
    verify_act(act, signature)
    for wrong in (
        sign_act(seed("device penyidik-1"), act),  # wrong key
        countersign_act(seed("service cases"), act),  # wrong domain
        signature[:-1],  # wrong size
        bytes(64),
        b"",
    ):
        with pytest.raises(AuthenticationError):
            verify_act(act, wrong)
    with pytest.raises(AuthenticationError):
        verify_act(replace(act, day=DAY + timedelta(days=1)), signature)


def test_a_signature_cannot_serve_as_a_countersignature() -> None:
    act = sample()
    signer = key("service cases")
    with pytest.raises(AuthenticationError):
        verify_countersignature(act, signer, sign_act(seed("service cases"), act))
    verify_countersignature(act, signer, countersign_act(seed("service cases"), act))


def story() -> History:
    history = History().received(DAY).move(State.ASSESSING, DAY + timedelta(days=1))
    history.move(State.EXAMINING, DAY + timedelta(days=2))
    return history.move(State.UPHELD_ACTION, DAY + timedelta(days=9), second="device pengawas")


def test_an_honest_chain_verifies() -> None:
    history = story()
    assert verify_chain(history.items) == history.items[-1].hash
    assert verify_chain([]) == NO_ACT


def resigned(item: SignedAct, **changes: Any) -> SignedAct:
    act = replace(item.act, **changes)
    name = "service cases" if act.signer == key("service cases") else "device penyidik-1"
    return replace(item, act=act, signature=sign_act(seed(name), act))


TAMPERINGS = {
    "dropped first": lambda items: items[1:],
    "dropped middle": lambda items: [items[0], *items[2:]],
    "swapped": lambda items: [items[0], items[2], items[1], items[3]],
    "repeated": lambda items: [*items, items[-1]],
    "edited": lambda items: [
        *items[:-1],
        replace(items[-1], act=replace(items[-1].act, reason="x")),
    ],
    "rewritten and signed again": lambda items: [
        items[0],
        resigned(items[1], day=DAY),
        *items[2:],
    ],
    "back-dated": lambda items: [*items[:-1], resigned(items[-1], day=DAY)],
    "from elsewhere": lambda items: [*items[:-1], resigned(items[-1], case=CaseId("WH-ZZZZZZZZ"))],
    "from another state": lambda items: [
        *items[:-1],
        resigned(items[-1], source=State.REFERRED),
    ],
    "other signature": lambda items: [
        *items[:-1],
        replace(items[-1], signature=items[0].signature),
    ],
    "second person is the first": lambda items: [
        *items[:-1],
        replace(
            items[-1],
            countersigner=items[-1].act.signer,
            countersignature=countersign_act(seed("device penyidik-1"), items[-1].act),
        ),
    ],
    "second signature missing": lambda items: [
        *items[:-1],
        replace(items[-1], countersignature=None),
    ],
    "second signature forged": lambda items: [
        *items[:-1],
        replace(items[-1], countersignature=bytes(64)),
    ],
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_tampered_chain_is_refused(name: str) -> None:
    with pytest.raises((ActFormatError, AuthenticationError)):
        verify_chain(TAMPERINGS[name](story().items))


def test_case_ids_are_of_their_form() -> None:
    for raw in (bytes(5), b"\xff" * 5, b"\x01\x02\x03\x04\x05"):
        assert CASE_ID.fullmatch(new_case_id(lambda _, raw=raw: raw))
    assert new_case_id(lambda _: bytes(5)) == "WH-00000000"
    assert CASE_ID.fullmatch(CASE)
