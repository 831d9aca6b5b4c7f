# SPDX-License-Identifier: AGPL-3.0-or-later
"""Small floods of every kind: the service stays up, memory stays bounded, the honest get through.

How long they wait is measured by `make flood`, not here: no figure of a busy machine is a test.
"""

import datetime
from pathlib import Path

import pytest

from tests.bench.attacks import SLOW_SECONDS
from tests.bench.flood import FLOODS, MEMORY, flood, flooded_intake
from tests.bench.servers import free_port
from tests.support.org import make_org

pytestmark = pytest.mark.slow

SCALE = {"slow": 0.1, "malformed": 0.02, "uploads": 0.04, "codes": 0.02}
EXPECTED = {
    "slow": {0},
    "malformed": {0, 400, 408, 413, 503},
    "uploads": {0, 200, 503},
    "codes": {0, 1, 200, 503},
}


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_is_survived(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHISTLE_SLOW_SECONDS", str(SLOW_SECONDS / 6))
    today = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=7)).date()
    with flooded_intake(tmp_path, make_org(tmp_path, today), free_port()) as (server, honest):
        result = flood(server, honest, kind, int(FLOODS[kind] * SCALE[kind]))
        assert sum(result.answers.values()) >= int(FLOODS[kind] * SCALE[kind])
        assert result.answers.keys() <= EXPECTED[kind], result.answers
        assert result.faults == 0
        assert result.failed == 0
        assert len(result.honest) > 0
        assert result.peak <= MEMORY
