# SPDX-License-Identifier: AGPL-3.0-or-later
"""The catalogue file: round trip and strict parsing."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from case_mgmt.catalogue import MAX_CATALOGUE_BYTES, demo_catalogue, parse_catalogue
from case_mgmt.errors import CatalogueError


def test_round_trip() -> None:
    catalogue = demo_catalogue()
    again = parse_catalogue(catalogue.to_json())
    assert again == catalogue
    assert again.to_json() == catalogue.to_json()


def test_the_demo_has_the_staff_units_and_the_free_services() -> None:
    catalogue = demo_catalogue()
    assert {"inspektorat-1", "inspektorat-2", "inspektorat-pengaduan"} <= {
        unit.id for unit in catalogue.units
    }
    fees = {service.id: service.official_fee for service in catalogue.services}
    assert fees["ktp-pindah"] == 0
    assert len(catalogue.units) == 12
    assert len(catalogue.services) == 12


def _edit(change: Callable[[Any], object]) -> bytes:
    content = json.loads(demo_catalogue().to_json())
    change(content)
    return json.dumps(content).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"\xff",
        _edit(lambda c: c.update(v=2)),
        _edit(lambda c: c.update(more=1)),
        _edit(lambda c: c.pop("units")),
        _edit(lambda c: c.update(units={})),
        _edit(lambda c: c["units"].append(c["units"][0])),
        _edit(lambda c: c["units"][0].update(id="Kel Melati")),
        _edit(lambda c: c["units"][0].update(id="")),
        _edit(lambda c: c["units"][0].update(name="Melati")),
        _edit(lambda c: c["units"][0]["name"].pop("en")),
        _edit(lambda c: c["units"][0]["name"].update(id="x" * 301)),
        _edit(lambda c: c["units"][0].update(kemendagri="35730")),
        _edit(lambda c: c["units"][0].update(level=None)),
        _edit(lambda c: c["services"][0].update(official_fee=-1)),
        _edit(lambda c: c["services"][0].update(official_fee=True)),
        _edit(lambda c: c["services"][0].update(days="1")),
        _edit(lambda c: c["services"][0].update(law="")),
        _edit(lambda c: c["services"][0].pop("law")),
        _edit(lambda c: c.update(version=None)),
        b" " * (MAX_CATALOGUE_BYTES + 1),
    ],
)
def test_a_bad_catalogue_is_refused(data: bytes) -> None:
    with pytest.raises(CatalogueError):
        parse_catalogue(data)


@pytest.mark.parametrize("code", ["35", "35.73", "35.73.01", "35.73.01.1001"])
def test_kemendagri_codes_of_each_level_are_taken(code: str) -> None:
    data = _edit(lambda c: c["units"][0].update(kemendagri=code))
    assert parse_catalogue(data).units[0].kemendagri == code
