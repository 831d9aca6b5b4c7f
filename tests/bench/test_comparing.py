# SPDX-License-Identifier: AGPL-3.0-or-later
"""The statistic sees a planted difference and none where there is none."""

import random

import pytest

from tests.bench.comparing import compare


def durations(number: int, seed: int, more: float = 0.0) -> list[float]:
    """Durations as a server has them: a floor, jitter, and now and then a long one."""
    source = random.Random(seed)
    return [
        0.012 + more + source.expovariate(1 / 0.0004) + (source.random() < 0.02) * 0.05
        for _ in range(number)
    ]


@pytest.mark.parametrize("seed", range(10))
def test_the_same_work_is_not_told_apart(seed: int) -> None:
    found = compare(durations(1000, seed), durations(1000, seed + 100))
    assert not found.told_apart
    assert found.guessed < 0.55


@pytest.mark.parametrize("seed", range(10))
def test_a_tenth_of_a_millisecond_more_is_seen(seed: int) -> None:
    found = compare(durations(1000, seed, 0.0001), durations(1000, seed + 100))
    assert found.told_apart
    assert found.auc > 0.5
    assert 0 < found.apart < 0.0003


def test_order_changes_the_sign_only() -> None:
    first, second = durations(200, 1), durations(300, 2, 0.0002)
    one, other = compare(first, second), compare(second, first)
    assert one.auc == pytest.approx(1 - other.auc)
    assert one.z == pytest.approx(-other.z)
    assert one.guessed == pytest.approx(other.guessed)


def test_known_values() -> None:
    """First all below second, without ties: U = 0."""
    low, high = list(map(float, range(20))), list(map(float, range(20, 40)))
    found = compare(low, high)
    assert (found.auc, found.guessed, found.apart) == (0.0, 1.0, -20.0)
    assert found.z == pytest.approx(-200 / (20 * 20 * 41 / 12) ** 0.5)


def test_ties_count_half() -> None:
    found = compare([1.0] * 30, [1.0] * 30)
    assert (found.auc, found.z) == (0.5, 0.0)
    mixed = compare([1.0, 2.0] * 15, [1.0, 2.0] * 15)
    assert (mixed.auc, mixed.z) == (0.5, 0.0)


def test_too_few() -> None:
    with pytest.raises(ValueError, match="too few"):
        compare([1.0] * 19, [1.0] * 100)
