# SPDX-License-Identifier: AGPL-3.0-or-later
"""Releases of a simulated city, made by the code under test: real log, cards, tables and pages.

town, city = sample_town(tmp_path, plan)
inputs = sample_inputs(town, city)              # what `build` takes
inputs = sample_inputs(town, city, earlier=(folder,), id="2025-q2")
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

from case_mgmt.catalogue import Catalogue, Service, Unit
from tests.support.city import SERVICES, City, CityPlan, build_city
from tests.support.published import Town
from whistle.release.gather import Card, Sources, gather
from whistle.release.inputs import ORGANISATION_FILES, ReleaseInputs

SMALL = CityPlan(reports=1_500, days=270, offices=12, slow_office=3, canaries=12)
"""Two weeks short of three quarters; one office is slow."""
PLACES = (
    *("Melati", "Kenanga", "Cempaka", "Anggrek", "Dahlia", "Mawar", "Flamboyan", "Teratai"),
    *("Sukamaju", "Karanganyar", "Tegalrejo", "Pasar Lama"),
)
SERVICE_NAMES = {
    "ktp-pindah": ("KTP pindah alamat", "Identity card, new address"),
    "ktp-baru": ("KTP baru", "New identity card"),
    "kk": ("Kartu keluarga", "Family card"),
    "akta-lahir": ("Akta kelahiran", "Birth certificate"),
    "pengantar": ("Surat pengantar", "Covering letter"),
    "sekolah": ("Penerimaan siswa", "School admission"),
    "izin-usaha": ("Izin usaha", "Business licence"),
}


def city_catalogue(offices: int) -> Catalogue:
    """Names for the offices and services of a simulated city."""
    units = tuple(_unit(number) for number in range(1, offices + 1))
    services = tuple(
        Service(each, MappingProxyType(dict(zip(("id", "en"), SERVICE_NAMES[each], strict=True))),
                None, None, None)
        for each in SERVICES
    )  # fmt: skip
    return Catalogue("city-1", units, services)


def _unit(number: int) -> Unit:
    place = PLACES[(number - 1) % len(PLACES)]
    suffix = "" if number <= len(PLACES) else f" {1 + (number - 1) // len(PLACES)}"
    name = {"id": f"Kelurahan {place}{suffix}", "en": f"{place}{suffix} sub-district"}
    return Unit(f"kantor-{number:02d}", MappingProxyType(name), "kelurahan", None)


def sample_town(tmp_path: Path, plan: CityPlan = SMALL) -> tuple[Town, City]:
    """An organisation with log and witnesses, and the city whose reports it follows up."""
    return Town.found(tmp_path, date(2026, 1, 2)), build_city(plan)


def sample_inputs(
    town: Town, city: City, *, name: str = "2024-q3", earlier: Sequence[Path] = (), **changes: Any
) -> ReleaseInputs:
    """Inputs of a release of the city as it stands."""
    files = town.log_files(city.entries)
    logged = {leaf.case for leaf in city.leaves}
    cards = {
        case.pseudonym: Card(case.unit, case.service, case.subject, case.how, case.asked, case.paid)
        for case in city.cases
        if case.pseudonym in logged
    }
    inputs = gather(
        Sources(
            id=name,
            instance_id=town.org.instance_id,
            organisation={each: (town.org.dir / each).read_bytes() for each in ORGANISATION_FILES},
            catalogue=city_catalogue(city.plan.offices),
            log_files={path.removeprefix("log/"): data for path, data in files.items()},
            cards=cards,
            canaries=canaries_file(city),
            earlier=earlier,
        )
    )
    return replace(inputs, **changes)


def canaries_file(city: City) -> bytes:
    """canaries.json of all canaries in the log."""
    entries = ",".join(
        f'{{"case":"{each.pseudonym.hex()}","secret":"{each.log_secret.hex()}"}}'
        for each in city.canaries
    )
    return f'{{"revealed":[{entries}],"v":1}}'.encode()
