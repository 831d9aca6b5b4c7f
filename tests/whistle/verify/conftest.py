# SPDX-License-Identifier: AGPL-3.0-or-later
"""A town with three releases, honest in every respect; each test gets copies to tamper with."""

import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest

from case_mgmt.publication.leaves import Leaf
from tests.support.city import City, CityPlan
from tests.support.published import Town, digest_of
from whistle.verify.faults import Verdict
from whistle.verify.folder import Release
from whistle.verify.release import Trust, verify_release

QUARTERS = (date(2024, 4, 1), date(2024, 7, 1), date(2024, 10, 1))


@dataclass(frozen=True)
class Scene:
    """Copies of the three releases, and what only office and reporters know."""

    town: Town
    city: City
    first: Path
    second: Path
    third: Path

    @property
    def leaves(self) -> list[Leaf]:
        """The log of the third release."""
        return list(self.city.leaves)

    def leaves_of(self, folder: Path) -> list[Leaf]:
        """The log of one of the releases."""
        return self.leaves[: Release.open(folder).head.size]

    def verify(self, folder: Path, *earlier: Path, trust: Trust | None = None) -> Verdict:
        """The verdict on a release."""
        kept = [Release.open(each) for each in earlier]
        return verify_release(Release.open(folder), trust or Trust(), kept).verdict


@pytest.fixture(scope="session")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """The originals; never tampered with."""
    base = tmp_path_factory.mktemp("town")
    town = Town.found(base, date(2024, 10, 1))
    city = City(CityPlan(reports=500, days=300, offices=5, canaries=8))
    folders: list[Path] = []
    for number, day in enumerate(QUARTERS, start=1):
        city.run_until(day)
        folder = base / f"2024-q{number}"
        town.publish(city, folder.name, folder, folders[-1] if folders else None)
        city.release(digest_of(folder), day + timedelta(days=2))
        folders.append(folder)
    return Scene(town, city, *folders)


@pytest.fixture
def scene(honest: Scene, tmp_path: Path) -> Scene:
    """Copies of the releases."""
    copies = [
        Path(shutil.copytree(each, tmp_path / each.name))
        for each in (honest.first, honest.second, honest.third)
    ]
    return Scene(honest.town, honest.city, *copies)
