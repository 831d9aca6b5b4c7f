# SPDX-License-Identifier: AGPL-3.0-or-later
"""The one source of randomness."""

from crypto.rng import system_rng


def test_length_and_freshness() -> None:
    assert [len(system_rng(length)) for length in (0, 1, 32, 1000)] == [0, 1, 32, 1000]
    assert system_rng(32) != system_rng(32)
