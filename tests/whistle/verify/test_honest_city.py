# SPDX-License-Identifier: AGPL-3.0-or-later
"""An honest city from the first week on: every release passes every check beside all earlier ones.

The same with 10,000 reports and eight releases is part of `make bench`.
"""

from pathlib import Path

import pytest

from tests.support.city import CityPlan
from tests.support.published import SIGNERS
from tests.support.publisher import Publisher, quarters, require_good
from whistle.release.signing import sign
from whistle.verify.faults import Fault

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
PLAN = CityPlan(reports=1_000, days=364, offices=10)
RELEASES = 4


def test_four_quarters_verify_and_a_changed_one_does_not(tmp_path: Path) -> None:
    publisher = Publisher.found(tmp_path, PLAN)
    for day in quarters(PLAN, RELEASES):
        publisher.publish(day)
        require_good(publisher.verify())

    first = publisher.folders[0]
    publisher.town.amend(first, reason="Diperbaiki")
    (first / "release.sig").unlink()
    for person in SIGNERS:
        sign(first, person, publisher.town.org.identities[person].device_seed)
    found = {each.fault for each in publisher.verify().verdict.faults}
    assert Fault.RELEASE_REPLACED in found
