# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is brought back to the intake: one file that it refuses holds nothing else up."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from case_mgmt.store.log_ports import PublicFile
from tests.support.case_office import PEOPLE, TODAY
from tests.support.case_server import built_cases
from tests.support.intake import Calendar
from tests.support.org import make_org
from whistle.cases.errors import FeedRefusedError

REFUSED = "releases/2026-q1/refused.html"
OTHERS = ["releases/2026-q1/index.html", "log/checkpoint"]


@dataclass
class Intake:
    """Takes public files, but for one."""

    taken: list[str] = field(default_factory=list)

    async def push_files(self, files: Sequence[PublicFile]) -> None:
        if any(each.path == REFUSED for each in files):
            raise FeedRefusedError("refused for good")
        self.taken += [each.path for each in files]


async def test_a_file_that_is_refused_for_good_does_not_stop_the_log(tmp_path: Path) -> None:
    org, intake = make_org(tmp_path, TODAY, people=PEOPLE), Intake()
    with built_cases(tmp_path, Calendar(), org) as services:
        with services.store.writing() as unit:
            for path in (OTHERS[0], REFUSED, OTHERS[1]):
                unit.put_public(path, b"content")
        deliveries = services.puller._deliveries
        assert await deliveries._push_files(intake)  # type: ignore[arg-type]
        assert intake.taken == OTHERS
        assert services.puller.status.refused == 1
        assert not await deliveries._push_files(intake)  # type: ignore[arg-type]
