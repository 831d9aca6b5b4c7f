# SPDX-License-Identifier: AGPL-3.0-or-later
"""Notices: what the reporter is told, where it is put, and that the largest one still fits."""

from dataclasses import replace
from datetime import date

import pytest

from case_mgmt.gate import MAX_MESSAGE_FRAME
from case_mgmt.model import ActKind, State
from case_mgmt.notices import is_visible, notice_for, seal
from case_mgmt.policy import default_policy
from crypto.encoding import b64
from crypto.errors import AuthenticationError
from crypto.mailbox import open_notice
from crypto.rng import system_rng
from tests.support.case_office import MAILBOX_KEY, container
from tests.support.history import History
from whistle.limits import MAX_BOX

POLICY = default_policy(2025, 2029)
THREAD = "0b" * 16
DAY = date(2026, 4, 7)


def test_the_meta_data_is_that_of_the_contract() -> None:
    history = History().received(DAY).move(State.ASSESSING, DAY).move(State.NEEDS_INFO, DAY)
    signed = history.items[-1]
    notice = notice_for(signed, history.acts, POLICY, container(1))
    assert notice.meta == {
        "v": 1,
        "act": signed.act.to_object(),
        "signature": b64(signed.signature),
        "countersigner": None,
        "countersignature": None,
        "state": "needs_info",
        "due": "2026-04-28",
        "due_kind": "first_step",
        "overall_due": "2026-07-23",
        "contest_until": None,
        "paused": True,
    }
    assert notice.container == container(1)


def test_a_closing_carries_both_signatures_and_the_day_to_contest() -> None:
    history = History().received(DAY).move(State.ASSESSING, DAY)
    history.move(State.JOINED, DAY, reason="same_event", second="device pengawas")
    signed = history.items[-1]
    meta = notice_for(signed, history.acts, POLICY, None).meta
    assert signed.countersignature is not None
    assert meta["countersigner"] == signed.countersigner
    assert meta["countersignature"] == b64(signed.countersignature)
    assert (meta["due"], meta["due_kind"], meta["overall_due"]) == (None, None, None)
    assert meta["contest_until"] == "2026-04-21"


def test_an_assignment_stays_inside() -> None:
    act = History().received(DAY).items[0].act
    for kind in ActKind:
        assert is_visible(replace(act, kind=kind)) == (kind is not ActKind.ASSIGN)


def test_a_box_opens_only_in_its_place() -> None:
    history = History().received(DAY)
    notice = notice_for(history.items[0], history.acts, POLICY, None)
    box = seal(MAILBOX_KEY, THREAD, 1, notice, system_rng)
    assert open_notice(MAILBOX_KEY, bytes.fromhex(THREAD), 1, box) == notice
    for key, thread, seq in (
        (bytes(32), THREAD, 1),
        (MAILBOX_KEY, "0c" * 16, 1),
        (MAILBOX_KEY, THREAD, 2),
    ):
        with pytest.raises(AuthenticationError):
            open_notice(key, bytes.fromhex(thread), seq, box)


def test_the_largest_message_fits_into_a_mailbox() -> None:
    history = History().received(DAY).move(State.ASSESSING, DAY)
    history.move(State.JOINED, DAY, reason="same_event", second="device pengawas")
    notice = notice_for(history.items[-1], history.acts, POLICY, container(1, MAX_MESSAGE_FRAME))
    assert len(seal(MAILBOX_KEY, THREAD, 9, notice, system_rng)) <= MAX_BOX
