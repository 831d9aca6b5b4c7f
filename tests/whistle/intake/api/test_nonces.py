# SPDX-License-Identifier: AGPL-3.0-or-later
"""Nonces: once, for a while, and never too many."""

import pytest

from crypto.rng import system_rng
from tests.support.intake import Calendar
from whistle.intake import nonces
from whistle.intake.nonces import Nonces
from whistle.limits import NONCE_LIFE


def test_once() -> None:
    some = Nonces(system_rng, Calendar().monotonic)
    nonce = some.issue()
    assert some.take(nonce)
    assert not some.take(nonce)
    assert not some.take(bytes(32))
    assert len(some) == 0


def test_for_a_while() -> None:
    calendar = Calendar()
    some = Nonces(system_rng, calendar.monotonic)
    early, late = some.issue(), some.issue()
    calendar.seconds += NONCE_LIFE - 1
    assert some.take(early)
    calendar.seconds += 1
    assert not some.take(late)


def test_a_flood_is_bounded_and_lets_no_replay_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nonces, "MAX_NONCES", 4)
    calendar = Calendar()
    some = Nonces(system_rng, calendar.monotonic)
    used = some.issue()
    assert some.take(used)
    given = [some.issue() for _ in range(9)]
    assert len(some) == 4
    assert not some.take(used)
    assert [some.take(one) for one in given] == [False] * 5 + [True] * 4
    some.issue()
    calendar.seconds += NONCE_LIFE
    some.issue()
    assert len(some) == 1
