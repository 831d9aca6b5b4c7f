# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every tampering with the stored acts is named beside the act it concerns."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from case_mgmt.acts import SignedAct, countersign_act, sign_act
from case_mgmt.desk.history import Entry, check_history
from case_mgmt.model import ActHash, ActKind, CaseId, DeviceKey, PersonId, State
from crypto.signing import public_from_seed
from tests.case_mgmt.desk.threads import CASE, DAY, Chain, Thread, make_thread, remanifest


@pytest.fixture
def thread(tmp_path: Path) -> Thread:
    return make_thread(tmp_path)


@pytest.fixture
def chain(thread: Thread) -> Chain:
    """received → assigned → assessing → examining → closed by two → follow-up."""
    made = Chain(thread.org)
    made.received()
    made.add("cases", ActKind.ASSIGN, State.RECEIVED, assignee=PersonId("penyidik-1"))
    made.add("penyidik-1", ActKind.TRANSITION, State.ASSESSING, b"satu")
    made.add("penyidik-1", ActKind.TRANSITION, State.EXAMINING, b"dua")
    made.add("penyidik-1", ActKind.TRANSITION, State.UPHELD_ACTION, b"tiga")
    second(made, 4, "pengawas")
    made.add("cases", ActKind.FOLLOW_UP, State.UPHELD_ACTION)
    return made


def key(thread_or_chain: Chain, person: str) -> DeviceKey:
    return DeviceKey(public_from_seed(thread_or_chain.seed(person)).hex())


def second(chain: Chain, place: int, person: str, signer: str | None = None) -> None:
    """Puts a countersignature by `signer` under the name of `person`."""
    entry = chain.entries[place]
    signature = countersign_act(chain.seed(signer or person), entry.signed.act)
    signed = replace(entry.signed, countersigner=key(chain, person), countersignature=signature)
    chain.entries[place] = replace(entry, signed=signed)


def resigned(chain: Chain, place: int, signer: str, **changes: object) -> None:
    """Edits an act and signs it again as somebody."""
    entry = chain.entries[place]
    act = replace(entry.signed.act, signer=key(chain, signer), **changes)  # type: ignore[arg-type]
    signed = SignedAct(act, sign_act(chain.seed(signer), act))
    chain.entries[place] = Entry(signed, entry.container)


def found(chain: Chain, thread: Thread) -> dict[int, list[str]]:
    history = check_history(CASE, chain.entries, thread.manifest)
    return {place: list(act.problems) for place, act in enumerate(history.acts) if act.problems}


def test_a_good_history(chain: Chain, thread: Thread) -> None:
    history = check_history(CASE, chain.entries, thread.manifest)
    assert history.is_verified
    head = history.head
    assert (head.next_seq, head.state, head.day) == (7, State.UPHELD_ACTION, DAY)
    assert head.prev == chain.entries[-1].signed.hash
    assert [act.by_service for act in history.acts] == [True, True, False, False, False, True]
    assert history.acts[4].signer is not None
    assert history.acts[4].second is not None
    assert (history.acts[4].signer.id, history.acts[4].second.id) == ("penyidik-1", "pengawas")


def drop(chain: Chain) -> None:
    del chain.entries[2]


def reorder(chain: Chain) -> None:
    chain.entries[2], chain.entries[3] = chain.entries[3], chain.entries[2]


def repeat(chain: Chain) -> None:
    chain.entries.insert(3, chain.entries[2])


def edit(chain: Chain) -> None:
    signed = chain.entries[2].signed
    act = replace(signed.act, target=State.OUTSIDE_MANDATE)
    chain.entries[2] = replace(chain.entries[2], signed=replace(signed, act=act))


def back_date(chain: Chain) -> None:
    resigned(chain, 5, "cases", day=DAY - timedelta(days=1))


def other_case(chain: Chain) -> None:
    resigned(chain, 5, "cases", case=CaseId("WH-ZZZZZZZZ"))


def stranger(chain: Chain) -> None:
    chain.org.service_seeds["stranger"] = b"\x06" * 32  # type: ignore[index]
    resigned(chain, 5, "stranger")


def service_decides(chain: Chain) -> None:
    resigned(chain, 3, "cases")
    del chain.entries[4:]


def desk_reopens(chain: Chain) -> None:
    last = chain.entries[4].signed
    resigned(chain, 5, "penyidik-1", kind=ActKind.CONTEST, target=State.REOPENED, prev=last.hash)


def no_second(chain: Chain) -> None:
    signed = replace(chain.entries[4].signed, countersigner=None, countersignature=None)
    chain.entries[4] = replace(chain.entries[4], signed=signed)


def same_second(chain: Chain) -> None:
    second(chain, 4, "penyidik-1")


def forged_second(chain: Chain) -> None:
    second(chain, 4, "pengawas", signer="penyidik-2")


def service_second(chain: Chain) -> None:
    second(chain, 4, "cases")


def other_message(chain: Chain) -> None:
    chain.entries[2] = replace(chain.entries[2], container=b"lain")


def no_message(chain: Chain) -> None:
    chain.entries[2] = replace(chain.entries[2], container=None)


def silent_step(chain: Chain) -> None:
    resigned(chain, 3, "penyidik-1", message=None)
    chain.entries[3] = replace(chain.entries[3], container=None)
    del chain.entries[4:]


def broken_link(chain: Chain) -> None:
    resigned(chain, 5, "cases", prev=ActHash("ab" * 32))


TAMPERING: dict[str, tuple[Callable[[Chain], None], dict[int, list[str]]]] = {
    "dropped": (drop, {2: ["chain"]}),
    "reordered": (reorder, {2: ["chain"], 3: ["chain"], 4: ["chain"]}),
    "repeated": (repeat, {3: ["chain"]}),
    "edited": (edit, {2: ["not_in_table", "signature", "second_missing"], 3: ["chain"]}),
    "back-dated": (back_date, {5: ["day_order"]}),
    "of another case": (other_case, {5: ["chain"]}),
    "by a stranger": (stranger, {5: ["unknown_signer", "not_in_table"]}),
    "decided by the service": (service_decides, {3: ["not_in_table"]}),
    "reopened by the office": (desk_reopens, {5: ["not_in_table"]}),
    "closed by one": (no_second, {4: ["second_missing"]}),
    "closed twice by one": (same_second, {4: ["second_invalid"]}),
    "forged second": (forged_second, {4: ["second_invalid"]}),
    "second by the service": (service_second, {4: ["second_invalid"]}),
    "message exchanged": (other_message, {2: ["message_differs"]}),
    "message removed": (no_message, {2: ["message_missing"]}),
    "step without a message": (silent_step, {3: ["message_missing"]}),
    "link broken": (broken_link, {5: ["chain"]}),
}


@pytest.mark.parametrize("name", TAMPERING)
def test_tampering(chain: Chain, thread: Thread, name: str) -> None:
    tamper, expected = TAMPERING[name]
    tamper(chain)
    assert found(chain, thread) == expected
    assert not check_history(CASE, chain.entries, thread.manifest).is_verified


def former(chain: Chain, person: str, until: int = 1) -> dict[str, object]:
    return {"id": person, "desk": key(chain, person), "until_serial": until}


def test_a_rotated_key_freezes_nothing(chain: Chain, thread: Thread) -> None:
    new = public_from_seed(b"\x22" * 32).hex()
    old = former(chain, "penyidik-1")
    manifest = remanifest(thread.org, {"penyidik-1": {"desk": new}}, former=[old])
    history = check_history(CASE, chain.entries, manifest)
    assert history.is_verified
    signer, second_signer = history.acts[4].signer, history.acts[4].second
    assert signer is not None
    assert second_signer is not None
    assert (signer.id, signer.is_former) == ("penyidik-1", True)
    assert (second_signer.id, second_signer.is_former) == ("pengawas", False)


def test_who_left_freezes_nothing(chain: Chain, thread: Thread) -> None:
    old = former(chain, "penyidik-1")
    manifest = remanifest(thread.org, {"penyidik-1": None}, former=[old])
    history = check_history(CASE, chain.entries, manifest)
    assert history.is_verified
    assert history.acts[2].signer is not None
    assert history.acts[2].signer.name == "penyidik-1"


def test_a_key_unknown_even_as_former_is_unknown(chain: Chain, thread: Thread) -> None:
    manifest = remanifest(thread.org, {"penyidik-1": None})
    history = check_history(CASE, chain.entries, manifest)
    assert {place for place, act in enumerate(history.acts) if act.problems} == {2, 3, 4}
    assert all("unknown_signer" in history.acts[place].problems for place in (2, 3, 4))


def test_a_former_second_signature_counts(chain: Chain, thread: Thread) -> None:
    manifest = remanifest(thread.org, {"pengawas": None}, former=[former(chain, "pengawas")])
    assert check_history(CASE, chain.entries, manifest).is_verified


def test_the_same_person_under_an_old_and_a_new_key_is_one(chain: Chain, thread: Thread) -> None:
    seed = b"\x23" * 32
    chain.org.service_seeds["renewed"] = seed  # type: ignore[index]
    second(chain, 4, "renewed")
    new = public_from_seed(seed).hex()
    old = former(chain, "penyidik-1")
    manifest = remanifest(thread.org, {"penyidik-1": {"desk": new}}, former=[old])
    history = check_history(CASE, chain.entries, manifest)
    assert history.acts[4].problems == ("second_invalid",)


def test_a_renewed_service_key_freezes_nothing(chain: Chain, thread: Thread) -> None:
    new = public_from_seed(b"\x24" * 32).hex()
    old = {"id": "cases", "key": key(chain, "cases"), "until_serial": 1}
    services = {**thread.org.manifest["services"], "cases": new}
    manifest = remanifest(thread.org, {}, services=services, former_services=[old])
    history = check_history(CASE, chain.entries, manifest)
    assert history.is_verified
    assert [act.by_service for act in history.acts] == [True, True, False, False, False, True]
