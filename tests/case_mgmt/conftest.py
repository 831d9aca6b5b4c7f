# SPDX-License-Identifier: AGPL-3.0-or-later
"""Fixtures of the case office tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.case_office import Office, an_office


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with an_office(tmp_path) as one:
        yield one
