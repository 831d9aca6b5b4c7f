# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the report form offers to choose from, in one language.

Invariant: every code of `whistle.intake.fields` and every id of the catalogue is offered once,
under a label of the language; nothing is chosen beforehand.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from whistle.i18n import Catalogue
from whistle.intake.contexts import FormContext, Service, Site, Unit
from whistle.intake.fields import (
    EXCLUDE_UNIT,
    REPORT_FIELDS,
    SERVICE,
    UNIT,
    YEAR,
    Field,
    Kind,
    year_options,
)

Group = tuple[str, list[tuple[str, str]]]
Groups = dict[str, list[Group]]

LEVELS: Final = ("kelurahan", "kecamatan", "dinas", "puskesmas", "rumah-sakit", "inspektorat")

_PARTS: Final = {
    "money": ("happened", "asked", "paid", "how", "reason"),
    "people": ("who", "witnesses", "others", "elsewhere"),
    "wish": ("wish", "danger", "exclude_unit"),
}


def choice_groups(site: Site, texts: Catalogue, today: date) -> Groups:
    """List the choices of every question that has some: groups of (code, label)."""
    groups: Groups = {
        field.name: [("", _options(field, texts))]
        for field in REPORT_FIELDS
        if field.kind is Kind.CHOICE
    }
    more = texts.t("form.group_more")
    groups[UNIT.name] = [*_units(site.units, texts), (more, _options(UNIT, texts))]
    services = [(service.id, _service(service, texts)) for service in site.services]
    groups[SERVICE.name] = [("", services), (more, _options(SERVICE, texts))]
    staff = [unit for unit in site.units if unit.id in site.staff_units]
    groups[EXCLUDE_UNIT.name] = [("", [(unit.id, unit.name[texts.lang]) for unit in staff])]
    groups[YEAR.name] = [("", [(year, year) for year in year_options(today)])]
    return groups


def open_parts(context: FormContext) -> Mapping[str, bool]:
    """Say which folded parts must be open because something in them was answered or is wrong."""
    return {
        part: any(context.values.get(name) or name in context.errors for name in names)
        for part, names in _PARTS.items()
    }


def _options(field: Field, texts: Catalogue) -> list[tuple[str, str]]:
    return [(code, texts.t(f"option.{field.name}.{code}")) for code in field.options]


def _service(service: Service, texts: Catalogue) -> str:
    name = service.name[texts.lang]
    if service.official_fee is None:
        return name
    return texts.t("form.fee", service=name, fee=texts.rupiah(service.official_fee))


def _units(units: tuple[Unit, ...], texts: Catalogue) -> list[Group]:
    by_level: dict[str, list[tuple[str, str]]] = {}
    for unit in units:
        level = unit.level if unit.level in LEVELS else "other"
        by_level.setdefault(level, []).append((unit.id, unit.name[texts.lang]))
    order = [level for level in (*LEVELS, "other") if level in by_level]
    return [(texts.t(f"level.{level}"), by_level[level]) for level in order]
