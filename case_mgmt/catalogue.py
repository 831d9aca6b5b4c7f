# SPDX-License-Identifier: AGPL-3.0-or-later
"""Offices and services of the city, with official fees: versioned data, parsed strictly.

Invariants
* Ids are unique, lower-case, and keep their meaning once published.
* Every name exists in both languages.
* A fee is whole rupiah; null means "depends" and is not the same as 0.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeVar

from case_mgmt.errors import CatalogueError
from crypto.encoding import canonical_json, parse_json
from crypto.errors import MalformedError

MAX_CATALOGUE_BYTES: Final = 4 * 1024 * 1024
MAX_ENTRIES: Final = 5_000
MAX_TEXT: Final = 300
LANGUAGES: Final = ("id", "en")
_ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?")
_KEMENDAGRI: Final = re.compile(r"\d{2}(?:\.\d{2}(?:\.\d{2}(?:\.\d{4})?)?)?")

T = TypeVar("T")


@dataclass(frozen=True)
class Unit:
    """An office that a report may be about, or that staff belong to."""

    id: str
    name: Mapping[str, str]
    level: str
    kemendagri: str | None

    def to_object(self) -> dict[str, Any]:
        """The JSON object."""
        return {
            "id": self.id,
            "name": dict(self.name),
            "level": self.level,
            "kemendagri": self.kemendagri,
        }


@dataclass(frozen=True)
class Service:
    """A public service and what it may cost."""

    id: str
    name: Mapping[str, str]
    official_fee: int | None
    days: int | None
    law: str | None

    def to_object(self) -> dict[str, Any]:
        """The JSON object."""
        return {
            "id": self.id,
            "name": dict(self.name),
            "official_fee": self.official_fee,
            "days": self.days,
            "law": self.law,
        }


@dataclass(frozen=True)
class Catalogue:
    """One version of the lists."""

    version: str
    units: tuple[Unit, ...]
    services: tuple[Service, ...]

    def to_json(self) -> bytes:
        """The catalogue file."""
        return canonical_json(
            {
                "v": 1,
                "version": self.version,
                "units": [unit.to_object() for unit in self.units],
                "services": [service.to_object() for service in self.services],
            }
        )


def parse_catalogue(data: bytes) -> Catalogue:
    """Read a catalogue file.  Raises CatalogueError; never anything else."""
    try:
        obj = parse_json(data, max_bytes=MAX_CATALOGUE_BYTES)
    except MalformedError as error:
        raise CatalogueError("the catalogue is not strict JSON") from error
    if not isinstance(obj, dict) or set(obj) != {"v", "version", "units", "services"}:
        raise CatalogueError("the catalogue does not have exactly the fields of version 1")
    if obj["v"] != 1:
        raise CatalogueError("unknown version of the catalogue format")
    return Catalogue(
        version=_text(obj["version"]),
        units=_entries(obj["units"], _unit, lambda unit: unit.id),
        services=_entries(obj["services"], _service, lambda service: service.id),
    )


def _entries(value: Any, parse: Callable[[Any], T], identify: Callable[[T], str]) -> tuple[T, ...]:
    if not isinstance(value, list) or len(value) > MAX_ENTRIES:
        raise CatalogueError("units and services are lists")
    entries = tuple(parse(item) for item in value)
    if len({identify(entry) for entry in entries}) != len(entries):
        raise CatalogueError("an id occurs twice")
    return entries


def _unit(value: Any) -> Unit:
    fields = _fields(value, {"id", "name", "level", "kemendagri"})
    code = fields["kemendagri"]
    if code is not None and not (isinstance(code, str) and _KEMENDAGRI.fullmatch(code)):
        raise CatalogueError("a Kemendagri code is written 00.00.00.0000 or shorter")
    return Unit(_id(fields["id"]), _name(fields["name"]), _text(fields["level"]), code)


def _service(value: Any) -> Service:
    fields = _fields(value, {"id", "name", "official_fee", "days", "law"})
    return Service(
        _id(fields["id"]),
        _name(fields["name"]),
        _amount(fields["official_fee"]),
        _amount(fields["days"]),
        None if fields["law"] is None else _text(fields["law"]),
    )


def _fields(value: Any, names: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != names:
        raise CatalogueError("an entry does not have exactly its fields")
    return value


def _id(value: Any) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise CatalogueError("an id is lower-case letters, digits and hyphens")
    return value


def _name(value: Any) -> Mapping[str, str]:
    if not isinstance(value, dict) or set(value) != set(LANGUAGES):
        raise CatalogueError("a name exists in exactly both languages")
    return MappingProxyType({language: _text(value[language]) for language in LANGUAGES})


def _text(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT:
        raise CatalogueError("a text is missing or too long")
    return value


def _amount(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise CatalogueError("a fee or a number of days is a whole number or null")
    return value


def _demo_unit(identifier: str, indonesian: str, english: str, level: str) -> Unit:
    return Unit(identifier, MappingProxyType({"id": indonesian, "en": english}), level, None)


def _demo_service(
    identifier: str, names: tuple[str, str], fee: int | None, days: int | None, law: str | None
) -> Service:
    return Service(identifier, MappingProxyType({"id": names[0], "en": names[1]}), fee, days, law)


_CIVIL: Final = "UU 24/2013 Pasal 79A"


def demo_catalogue() -> Catalogue:
    """Units and services of an invented city, for the demo and for tests."""
    return Catalogue(
        version="demo-1",
        units=(
            _demo_unit("kel-melati", "Kelurahan Melati", "Melati sub-district", "kelurahan"),
            _demo_unit("kel-kenanga", "Kelurahan Kenanga", "Kenanga sub-district", "kelurahan"),
            _demo_unit("kel-cempaka", "Kelurahan Cempaka", "Cempaka sub-district", "kelurahan"),
            _demo_unit("kec-taman", "Kecamatan Taman", "Taman district", "kecamatan"),
            _demo_unit("disdukcapil", "Dinas Dukcapil", "Civil registry office", "dinas"),
            _demo_unit("dinas-pendidikan", "Dinas Pendidikan", "Education office", "dinas"),
            _demo_unit("dinas-perizinan", "Dinas Perizinan", "Licensing office", "dinas"),
            _demo_unit("puskesmas-taman", "Puskesmas Taman", "Taman health centre", "puskesmas"),
            _demo_unit("rsud", "RSUD Kota", "City hospital", "rumah-sakit"),
            _demo_unit(
                "inspektorat-1", "Inspektorat Pembantu I", "Inspectorate, team I", "inspektorat"
            ),
            _demo_unit(
                "inspektorat-2", "Inspektorat Pembantu II", "Inspectorate, team II", "inspektorat"
            ),
            _demo_unit(
                "inspektorat-pengaduan",
                "Inspektorat, Bidang Pengaduan",
                "Inspectorate, complaints section",
                "inspektorat",
            ),
        ),
        services=(
            _demo_service("ktp-baru", ("KTP baru", "New identity card"), 0, 1, _CIVIL),
            _demo_service("ktp-pindah", ("Pindah KTP", "Moving an identity card"), 0, 1, _CIVIL),
            _demo_service("ktp-hilang", ("KTP hilang", "Lost identity card"), 0, 1, _CIVIL),
            _demo_service("kk", ("Kartu Keluarga", "Family card"), 0, 1, _CIVIL),
            _demo_service("akta-lahir", ("Akta kelahiran", "Birth certificate"), 0, 1, _CIVIL),
            _demo_service("akta-mati", ("Akta kematian", "Death certificate"), 0, 1, _CIVIL),
            _demo_service("akta-nikah", ("Akta perkawinan", "Marriage record"), 0, 1, _CIVIL),
            _demo_service("pengantar", ("Surat pengantar", "Letter of reference"), 0, 1, None),
            _demo_service(
                "sekolah", ("Penerimaan murid baru", "State school admission"), 0, None, None
            ),
            _demo_service("puskesmas", ("Periksa puskesmas", "Health centre visit"), None, 1, None),
            _demo_service("rsud-rawat", ("Rawat RSUD", "Hospital treatment"), None, None, None),
            _demo_service("izin-usaha", ("Izin usaha (NIB)", "Business licence"), 0, 1, None),
        ),
    )
