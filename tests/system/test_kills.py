# SPDX-License-Identifier: AGPL-3.0-or-later
"""The bounded storm of the suite; `make kills` is the whole one (1,000)."""

from pathlib import Path

import pytest

from tests.kills.storm import Plan, storm

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


async def test_intake_case_server_and_desk_are_killed_at_work(tmp_path: Path) -> None:
    told = await storm(tmp_path, Plan(kills=40, reporters=3), lambda _: None)
    assert told.kills.total() >= 40
    assert all(told.kills[name] for name in ("intake", "cases", "desk"))
    assert told.threads
