# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sessions: sliding, bounded, and silent about the receipt."""

import gc
import pickle

import pytest

from crypto.encoding import b64, unb64
from crypto.rng import system_rng
from whistle import limits
from whistle.intake import sessions
from whistle.intake.sessions import Sessions

RECEIPT = bytes(range(100, 116))
THREAD = bytes(range(16))


class Clock:
    """Seconds that the test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> Sessions:
    return Sessions(system_rng, clock)


def test_a_session_gives_its_receipt(store: Sessions) -> None:
    assert store.receipt(store.create(RECEIPT, THREAD)) == RECEIPT


def test_it_slides_and_ends(store: Sessions, clock: Clock) -> None:
    value = store.create(RECEIPT, THREAD)
    for _ in range(5):
        clock.seconds += limits.SESSION_IDLE - 1
        assert store.receipt(value) == RECEIPT
    clock.seconds += limits.SESSION_IDLE
    assert store.receipt(value) is None
    assert len(store) == 0


@pytest.mark.parametrize(
    "value", [None, "", "x", b64(bytes(31)), b64(bytes(32)), "é", b64(bytes(32)) + "="]
)
def test_no_session(store: Sessions, value: str | None) -> None:
    store.create(RECEIPT, THREAD)
    assert store.receipt(value) is None


def test_half_a_cookie_opens_nothing_and_does_not_prolong(store: Sessions, clock: Clock) -> None:
    value = store.create(RECEIPT, THREAD)
    forged = b64(unb64(value)[:16] + bytes(16))
    clock.seconds = limits.SESSION_IDLE - 1
    assert store.receipt(forged) is None
    store.leave(forged)
    assert len(store) == 1
    clock.seconds = limits.SESSION_IDLE
    assert store.receipt(value) is None


def test_leaving_ends_it(store: Sessions) -> None:
    value = store.create(RECEIPT, THREAD)
    store.leave(value)
    store.leave(value)
    store.leave(None)
    assert store.receipt(value) is None


def test_the_number_is_bounded(store: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MAX_SESSIONS", 3)
    values = [store.create(RECEIPT, THREAD) for _ in range(3)]
    assert store.receipt(values[0]) == RECEIPT  # used last now
    values.append(store.create(RECEIPT, THREAD))
    assert store.receipt(values[1]) is None
    assert [store.receipt(values[number]) for number in (0, 2, 3)] == [RECEIPT] * 3


def test_expired_ones_go_when_new_ones_come(store: Sessions, clock: Clock) -> None:
    store.create(RECEIPT, THREAD)
    clock.seconds = limits.SESSION_IDLE
    store.create(RECEIPT, THREAD)
    assert len(store) == 1


def test_neither_memory_nor_cookie_holds_the_receipt(store: Sessions) -> None:
    value = store.create(RECEIPT, THREAD)
    gc.collect()
    memory = pickle.dumps([(place, entry.sealed) for place, entry in store._entries.items()])
    assert RECEIPT not in memory
    assert RECEIPT.hex().encode() not in memory
    assert unb64(value)[:16] not in memory
    assert unb64(value)[16:] not in memory
    assert RECEIPT not in unb64(value)


def test_a_blank_cookie_has_the_same_shape(store: Sessions) -> None:
    assert len(store.blank()) == len(store.create(RECEIPT, THREAD))


def test_one_code_ends_only_its_own_sessions(
    store: Sessions, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MAX_SESSIONS", 20)
    other = store.create(RECEIPT, b"another thread..")
    values = []
    for _ in range(100):
        clock.seconds += 1
        values.append(store.create(RECEIPT, THREAD))
    assert len(store) == 1 + limits.MAX_SESSIONS_PER_THREAD
    assert store.receipt(other) == RECEIPT
    assert [store.receipt(value) for value in values[-4:]] == [RECEIPT] * 4
    assert store.receipt(values[-5]) is None
    memory = pickle.dumps((list(store._threads), [one.thread for one in store._entries.values()]))
    assert THREAD not in memory
    clock.seconds += limits.SESSION_IDLE
    store.create(RECEIPT, b"another thread..")
    assert len(store._threads) == 1


def test_a_long_request_keeps_its_session(store: Sessions, clock: Clock) -> None:
    value, idle = store.create(RECEIPT, THREAD), store.create(RECEIPT, THREAD)
    with store.during(value), store.during(None):
        clock.seconds += 3 * limits.SESSION_IDLE
        store.create(RECEIPT, b"another thread..")  # a look at what has expired
        clock.seconds += 3 * limits.SESSION_IDLE
    assert store.receipt(idle) is None
    clock.seconds += limits.SESSION_IDLE - 1
    assert store.receipt(value) == RECEIPT
    clock.seconds += limits.SESSION_IDLE
    assert store.receipt(value) is None


def test_leaving_during_a_request_is_leaving(store: Sessions) -> None:
    value = store.create(RECEIPT, THREAD)
    with store.during(value):
        store.leave(value)
    assert store.receipt(value) is None
