# SPDX-License-Identifier: AGPL-3.0-or-later
"""One built release for all tests here: counting and drawing take seconds."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.city import City
from tests.support.published import Town
from tests.support.sample_release import sample_inputs, sample_town
from whistle.release.build import build
from whistle.release.inputs import ReleaseInputs


@dataclass(frozen=True)
class Built:
    """A release, what it was made of, and who made it."""

    folder: Path
    inputs: ReleaseInputs
    town: Town
    city: City


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A first release; nobody has signed it.  Do not write into it."""
    base = tmp_path_factory.mktemp("release")
    town, city = sample_town(base)
    inputs = sample_inputs(town, city)
    return Built(build(inputs, base / "2024-q3"), inputs, town, city)
