# SPDX-License-Identifier: AGPL-3.0-or-later
"""A release as the publisher makes it, pages, charts and tables included: all checks pass."""

from pathlib import Path

import pytest

from tests.support.published import SIGNERS, Town
from tests.support.sample_release import sample_inputs, sample_town
from whistle.release.build import build
from whistle.release.signing import sign
from whistle.verify.faults import Fault
from whistle.verify.folder import Release
from whistle.verify.release import CHECKS, Trust, verify_release

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Town, Path]:
    """The organisation and its first release."""
    folder = tmp_path_factory.mktemp("real")
    town, city = sample_town(folder)
    inputs = sample_inputs(town, city)
    out = build(inputs, folder / inputs.id)
    for person in SIGNERS:
        sign(out, person, town.org.identities[person].device_seed)
    return town, out


def test_every_check_passes(published: tuple[Town, Path]) -> None:
    _, folder = published
    verdict = verify_release(Release.open(folder), Trust(attack=True)).verdict
    assert verdict.faults == []
    assert {check.state for check in verdict.checks} == {"passed"}
    expected = (set(CHECKS) - {"earlier"}) | {"first"}
    assert {check.key for check in verdict.checks} == expected


def test_a_page_changed_after_signing_is_named(published: tuple[Town, Path]) -> None:
    _, folder = published
    page = folder / "id" / "index.html"
    before = page.read_bytes()
    page.write_bytes(before.replace(b"</main>", b"<p>99 %</p></main>"))
    found = verify_release(Release.open(folder), Trust()).verdict.faults
    page.write_bytes(before)
    assert [(each.fault, each.where) for each in found] == [(Fault.FILE_CHANGED, "id/index.html")]
