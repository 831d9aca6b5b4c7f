# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which acts are believed: signer, signature, second person, place, link, step."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from case_mgmt.acts import SignedAct, countersign_act, sign_act
from case_mgmt.errors import ActFormatError
from case_mgmt.model import CLOSINGS, NO_ACT, ActHash, ActKind, CaseId, State
from crypto.errors import AuthenticationError
from crypto.manifest import verify_manifest
from tests.support.history import OFFICER, SERVICE, History, key, seed
from tests.support.org import make_org
from whistle.intake.standing import SERVICE_HOLDER, Place, Signers, Standing, judge

DAY = date(2026, 4, 7)
SECOND = "device pengawas"
GONE = "device penyidik-lama"
STRANGER = "device nobody"
MESSAGE = "ab" * 32
REFUSED = (ActFormatError, AuthenticationError)

SIGNERS = Signers(
    listed={
        key(OFFICER): "penyidik-1",
        key("device penyidik-2"): "penyidik-2",
        key(SECOND): "pengawas",
        key(SERVICE): SERVICE_HOLDER,
    },
    former={
        key(GONE): "penyidik-lama",
        key("device old penyidik-1"): "penyidik-1",
        key("service old"): SERVICE_HOLDER,
    },
)


def test_the_manifest_says_whose_key_is_whose(tmp_path: Path) -> None:
    org = make_org(tmp_path, DAY, serial=2, former=[
        {"id": "penyidik-1", "desk": key("device old penyidik-1"), "until_serial": 1},
        {"id": "penyidik-lama", "desk": key(GONE), "until_serial": 1},
    ], former_services=[
        {"id": "cases", "key": key("service old"), "until_serial": 1},
        {"id": "intake", "key": key("service intake old"), "until_serial": 1},
    ])  # fmt: skip
    data, signature = ((org.dir / f"manifest.{end}").read_bytes() for end in ("json", "sig"))
    assert Signers.of(verify_manifest(data, signature, org.instance_id, DAY)) == SIGNERS


def stand(history: History, signers: Signers = SIGNERS, **place: Any) -> Standing:
    """Judge the last act in its place behind the others."""
    before = history.items[-2] if len(history.items) > 1 else None
    here = Place(len(history.items), before, is_neighbour=True, arrival=DAY, today=DAY)
    return judge(history.items[-1], replace(here, **place), signers)


def examined(**more: Any) -> History:
    history = History().received(DAY).move(State.ASSESSING, DAY)
    return history.move(State.EXAMINING, DAY, **more)


def closed(second: str | None = SECOND, **more: Any) -> History:
    return examined().move(State.UPHELD_FIXED, DAY, second=second, **more)


def test_a_whole_case_is_believed() -> None:
    history = History().received(DAY)
    assert stand(history) is Standing.LISTED
    for target in (State.ASSESSING, State.NEEDS_INFO):
        assert stand(history.move(target, DAY)) is Standing.LISTED
    assert stand(history.event(ActKind.FOLLOW_UP, DAY)) is Standing.LISTED
    assert stand(history.move(State.EXAMINING, DAY)) is Standing.LISTED
    assert stand(history.update(DAY)) is Standing.LISTED
    assert stand(history.extend(DAY, DAY + timedelta(days=90))) is Standing.LISTED
    assert stand(history.move(State.UPHELD_ACTION, DAY, second=SECOND)) is Standing.LISTED
    assert stand(history.event(ActKind.CONTEST, DAY)) is Standing.LISTED
    assert stand(history.event(ActKind.WITHDRAW, DAY)) is Standing.LISTED


def test_a_signature_by_another_key_or_of_another_act_is_refused() -> None:
    good = examined()
    item = good.items[-1]
    for signature in (
        sign_act(seed(SECOND), item.act),
        good.items[-2].signature,
        countersign_act(seed(OFFICER), item.act),
        bytes(64),
        b"",
    ):
        good.items[-1] = replace(item, signature=signature)
        with pytest.raises(AuthenticationError):
            stand(good)


@pytest.mark.parametrize(
    "change",
    [
        {"day": DAY + timedelta(days=1)},
        {"target": State.REFERRED},
        {"message": "cd" * 32},
        {"reason": "kpk", "target": State.REFERRED},
    ],
)
def test_a_changed_field_breaks_the_signature(change: dict[str, Any]) -> None:
    history = examined()
    item = history.items[-1]
    history.items[-1] = replace(item, act=replace(item.act, **change))
    with pytest.raises(AuthenticationError):
        stand(history)


def test_keys_that_left_and_keys_never_seen_are_told_apart() -> None:
    assert stand(examined(signer=GONE)) is Standing.FORMER
    assert stand(examined(signer=STRANGER)) is Standing.UNKNOWN
    assert stand(closed(second=GONE)) is Standing.FORMER
    assert stand(closed(second=STRANGER)) is Standing.UNKNOWN
    assert stand(closed(signer=GONE, second=STRANGER)) is Standing.UNKNOWN
    history = History().add(ActKind.RECEIVED, State.RECEIVED, DAY, signer="service old")
    assert stand(history) is Standing.FORMER


@pytest.mark.parametrize("signer", [GONE, STRANGER])
def test_a_wrong_signature_is_refused_whoever_it_names(signer: str) -> None:
    history = examined(signer=signer)
    history.items[-1] = replace(history.items[-1], signature=bytes(64))
    with pytest.raises(AuthenticationError):
        stand(history)


@pytest.mark.parametrize("target", sorted(CLOSINGS))
def test_a_closing_needs_a_second_person(target: State) -> None:
    def before() -> History:
        is_aside = target is State.SET_ASIDE
        return History().received(DAY).move(State.ASSESSING, DAY) if is_aside else examined()

    for second in (None, OFFICER, SERVICE, "service old", "device old penyidik-1"):
        with pytest.raises(AuthenticationError):
            stand(before().move(target, DAY, second=second))
    assert stand(before().move(target, DAY, second=SECOND)) is Standing.LISTED


def test_half_or_wrong_countersignatures_are_refused() -> None:
    history = closed()
    item = history.items[-1]
    for wrong in (
        replace(item, countersigner=None),
        replace(item, countersignature=None),
        replace(item, countersignature=sign_act(seed(SECOND), item.act)),
        replace(item, countersignature=bytes(64)),
        replace(item, countersigner=key("device penyidik-2")),
    ):
        history.items[-1] = wrong
        with pytest.raises(AuthenticationError):
            stand(history)
    history = examined(second=OFFICER)
    with pytest.raises(AuthenticationError):
        stand(history)


def test_the_service_cannot_act_for_the_office() -> None:
    for signer in (SERVICE, "service old"):
        with pytest.raises(ActFormatError):
            stand(examined(signer=signer))
        with pytest.raises(ActFormatError):
            stand(closed(signer=signer))


def test_the_office_cannot_act_for_the_reporter() -> None:
    history = examined().add(ActKind.WITHDRAW, State.WITHDRAWN, DAY, signer=OFFICER)
    with pytest.raises(ActFormatError):
        stand(history)


def test_a_step_that_is_not_in_the_table_is_refused() -> None:
    history = History().received(DAY).move(State.UPHELD_FIXED, DAY, second=SECOND)
    with pytest.raises(ActFormatError):
        stand(history)


def test_a_step_of_the_office_carries_a_message() -> None:
    history = History().received(DAY).add(ActKind.TRANSITION, State.ASSESSING, DAY)
    with pytest.raises(ActFormatError):
        stand(history)


def test_an_act_stands_in_its_own_place_only() -> None:
    for seq in (0, 1, 2, 4):
        with pytest.raises(ActFormatError):
            stand(examined(), seq=seq)


@pytest.mark.parametrize("neighbour", [True, False])
@pytest.mark.parametrize(
    "changes", [{"case": CaseId("WH-99999999")}, {"day": DAY + timedelta(days=1)}]
)
def test_case_and_days_continue_always(changes: dict[str, Any], neighbour: bool) -> None:
    history = examined()
    last = history.items[-2]
    before = replace(last, act=replace(last.act, **changes))
    with pytest.raises(ActFormatError):
        stand(history, before=before, is_neighbour=neighbour)


def test_neighbours_form_a_chain() -> None:
    history = examined()
    last = history.items[-2]
    for changes in (
        {"message": "cd" * 32},
        {"target": State.REFERRED},
        {"prev": ActHash("1" * 64)},
    ):
        before = replace(last, act=replace(last.act, **changes))
        with pytest.raises(ActFormatError):
            stand(history, before=before)
        assert stand(history, before=before, is_neighbour=False) is Standing.LISTED


def test_an_assignment_between_two_notices_leaves_a_gap() -> None:
    history = History().received(DAY).move(State.ASSESSING, DAY)
    history.add(ActKind.ASSIGN, State.ASSESSING, DAY, signer=SERVICE, assignee="penyidik-1")
    history.move(State.EXAMINING, DAY)
    assert stand(history, before=history.items[1]) is Standing.LISTED
    with pytest.raises(ActFormatError):
        stand(history, before=history.items[0])


def test_only_the_first_act_follows_on_nothing() -> None:
    first = History().received(DAY).items[0]
    for changes in ({"prev": ActHash("1" * 64)}, {"source": State.RECEIVED}):
        history = History(items=[replace(first, act=replace(first.act, **changes))])
        with pytest.raises(ActFormatError):
            stand(history)
    again = replace(first.act, seq=2)
    history = History(items=[first, SignedAct(again, sign_act(seed(SERVICE), again))])
    with pytest.raises(ActFormatError):
        stand(history, is_neighbour=False)
    later = replace(examined().items[-1].act, prev=NO_ACT)
    history = examined()
    history.items[-1] = SignedAct(later, sign_act(seed(OFFICER), later))
    with pytest.raises(ActFormatError):
        stand(history, is_neighbour=False)


def test_days_lie_between_arrival_and_today() -> None:
    with pytest.raises(ActFormatError):
        stand(examined(), arrival=DAY + timedelta(days=1))
    for days, is_fine in ((0, True), (1, True), (2, False), (2_000_000, False)):
        history = History().received(DAY + timedelta(days=days))
        if is_fine:
            assert stand(history) is Standing.LISTED
        else:
            with pytest.raises(ActFormatError):
                stand(history)
