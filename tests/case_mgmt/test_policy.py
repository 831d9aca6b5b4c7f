# SPDX-License-Identifier: AGPL-3.0-or-later
"""The policy file: round trip, strict parsing, the packaged holiday table."""

import json
from datetime import date
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from case_mgmt.errors import PolicyError
from case_mgmt.holiday_table import FIRST_YEAR, LAST_YEAR, holiday_table
from case_mgmt.policy import default_policy, parse_policy

POLICY = default_policy(2025, 2029)


def test_the_numbers_are_those_of_the_design() -> None:
    assert (POLICY.assess, POLICY.first_step, POLICY.overall) == (3, 5, 60)
    assert (POLICY.update_every_days, POLICY.contest_within) == (30, 10)
    assert (POLICY.pause_max, POLICY.pauses_allowed, POLICY.extension_max_days) == (10, 1, 92)
    assert POLICY.utc_offset_hours == 7


def test_round_trip() -> None:
    again = parse_policy(POLICY.to_json())
    assert again == POLICY
    assert again.to_json() == POLICY.to_json()


def test_the_packaged_table_is_what_the_library_says() -> None:
    packaged = (files("case_mgmt") / "holidays_id.json").read_text(encoding="utf-8")
    assert packaged == holiday_table()


def test_joint_leave_is_in_the_table_where_it_was_decreed() -> None:
    assert date(2026, 3, 24) in POLICY.holidays
    assert date(2026, 8, 17) in POLICY.holidays
    assert date(2026, 8, 18) not in POLICY.holidays


def test_years_outside_the_packaged_table_are_refused() -> None:
    for years in ((FIRST_YEAR - 1, 2025), (2025, LAST_YEAR + 1), (2026, 2025)):
        with pytest.raises(PolicyError):
            default_policy(*years)


def broken(**changes: Any) -> bytes:
    content = json.loads(POLICY.to_json())
    for name, value in changes.items():
        if value is None:
            del content[name]
        else:
            content[name] = value
    return json.dumps(content).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff",
        b'{"v":1,"v":1}',
        broken(v=2),
        broken(version=""),
        broken(version=7),
        broken(limits=None),
        broken(limits=[]),
        broken(limits={"assess": 3, "first_step": 5}),
        broken(limits={"assess": 0, "first_step": 5, "overall": 60}),
        broken(limits={"assess": True, "first_step": 5, "overall": 60}),
        broken(limits={"assess": 3, "first_step": 5, "overall": 10_000}),
        broken(limits={"assess": 3.0, "first_step": 5, "overall": 60}),
        broken(surplus=1),
        broken(update_every_days=400),
        broken(extension_max_days=93),
        broken(pauses_allowed=-1),
        broken(contest_within="10"),
        broken(holidays=[]),
        broken(holidays={"2026-1-1": "x"}),
        broken(holidays={"20260101": "x"}),
        broken(holidays={"2026-01-01": ""}),
        broken(holidays={"2026-02-30": "x"}),
        broken(holiday_years=[2026]),
        broken(holiday_years=[2026, 2025]),
        broken(holiday_years="2026"),
        b" " * (256 * 1024 + 1),
    ],
)
def test_a_bad_policy_is_refused(data: bytes) -> None:
    with pytest.raises(PolicyError):
        parse_policy(data)


@given(st.binary(max_size=200))
def test_noise_is_refused(data: bytes) -> None:
    with pytest.raises(PolicyError):
        parse_policy(data)
