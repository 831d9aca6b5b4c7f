# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a reporter is told about the public log."""

from datetime import date, timedelta
from typing import Any

import pytest

from case_mgmt.acts import Act, SignedAct
from case_mgmt.model import NO_ACT, ActKind, CaseId, DeviceKey, State
from case_mgmt.publication.leaves import Code, FollowUp
from crypto.errors import MalformedError
from crypto.promise import commitment
from crypto.receipt import Receipt, derive
from tests.support.org import seed
from whistle.intake import logged as subject

KEYS = derive(Receipt(bytes(16)), seed("instance"))
DAY = date(2026, 11, 20)
NONCE = seed("nonce")
CASE = bytes(range(16))
TOLD = {"case": CASE.hex(), "code": 1, "wait": 3, "nonce": NONCE.hex(), "by": "2026-11-29"}


def act(kind: ActKind = ActKind.TRANSITION, target: State = State.ASSESSING) -> SignedAct:
    content = Act(
        case=CaseId("WH-00000000"),
        seq=1,
        prev=NO_ACT,
        kind=kind,
        source=None,
        target=target,
        day=DAY,
        signer=DeviceKey("00" * 32),
    )
    return SignedAct(content, bytes(64))


def read(**changes: Any) -> subject.Logged | None:
    return subject.read_logged({"log": {**TOLD, **changes}}, act(), KEYS)


def test_nothing_told_is_nothing_shown() -> None:
    assert subject.read_logged({}, act(), KEYS) is None


def test_the_leaf_follows_from_what_was_told_and_the_act() -> None:
    found = read()
    assert found is not None
    event = FollowUp(Code.ASSESSING, 3, CASE, bytes.fromhex(act().hash))
    assert (found.event, found.commitment) == (event, event.commitment(NONCE))
    other = read(wait=4)
    assert other is not None
    assert other.commitment != found.commitment


def test_the_report_itself_stands_under_its_promise() -> None:
    told = {**TOLD, "code": 0, "nonce": None}
    received = act(ActKind.RECEIVED, State.RECEIVED)
    found = subject.read_logged({"log": told}, received, KEYS)
    assert found is not None
    assert (found.commitment, found.to_object()) == (commitment(KEYS), None)


@pytest.mark.parametrize(
    "changes",
    [
        {"by": None}, {"by": "soon"}, {"code": 99}, {"code": "1"}, {"wait": -1}, {"wait": True},
        {"wait": 256}, {"case": "00"}, {"nonce": None}, {"nonce": "zz" * 32},
    ],
)  # fmt: skip
def test_hostile_words_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        read(**changes)


@pytest.mark.parametrize("told", ["x", 1, [], {}])
def test_hostile_shapes_are_refused(told: Any) -> None:
    with pytest.raises(MalformedError):
        subject.read_logged({"log": told}, act(), KEYS)


@pytest.mark.parametrize(
    ("place", "size", "days", "kind"),
    [
        (None, 100, 0, "waiting"),
        (None, 100, 1, "overdue"),
        (7, 8, 1, "logged"),
        (8, 8, 0, "waiting"),
        (8, 8, 1, "overdue"),
    ],
)
def test_a_day_that_has_passed_is_a_broken_word(
    place: int | None, size: int, days: int, kind: str
) -> None:
    found = read()
    assert found is not None
    seen = subject.resolve(found, lambda _: place, size, found.by + timedelta(days=days))
    assert (seen.kind, seen.place) == (kind, place if kind == "logged" else None)


def test_the_file_names_what_was_shown_and_no_receipt() -> None:
    found = read()
    assert found is not None
    file = subject.evidence(seed("instance"), "cHJvbWlzZQ", [found])
    (notice,) = file["notices"]
    assert notice == {**TOLD, "act": act().hash, "index": None}
    assert KEYS.log_secret.hex() not in str(file)
    assert KEYS.lookup_id.hex() not in str(file)
