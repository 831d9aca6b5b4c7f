# SPDX-License-Identifier: AGPL-3.0-or-later
"""Several cities' releases as one table: each verified first, unlike ones refused.

Invariants
* A release with any fault is not taken up, and then nothing is written.
* Only figures of the same definitions stand in one table, one release of each city.
* No number is computed here: each is copied from a verified release.

Source: docs/spec/verify.md section 9.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from crypto.encoding import canonical_json
from whistle.verify.faults import Fault, Found
from whistle.verify.release import Result

DAYS: Final = 30
"""The headline that stands in the table; the others are in the releases."""
COLUMNS: Final = (
    "instance", "name_id", "name_en", "release", "as_of", "received", "open", "closed", "withdrawn",
    "followed_up_count", "followed_up_of", "followed_up_share", "followed_up_low",
    "followed_up_high", "examined_count", "examined_of", "examined_share", "examined_low",
    "examined_high", "asked", "settled", "not_settled", "silent", "sha256", "log_size", "log_root",
)  # fmt: skip


@dataclass(frozen=True)
class City:
    """One row: a verified release and the figures that were counted again from its log."""

    result: Result

    @property
    def figures(self) -> Mapping[str, Any]:
        """The figures.  Raises ValueError: the release was not verified."""
        if self.result.counted is None:
            raise ValueError("not verified")
        return self.result.counted.figures

    def within(self, name: str) -> Mapping[str, Any]:
        """The headline of `DAYS`: count, of, share, low, high."""
        return next(each for each in self.figures["headline"][name] if each["days"] == DAYS)

    @property
    def row(self) -> dict[str, int | str | None]:
        """Its numbers under `COLUMNS`; None is "not shown"."""
        release, base, figures = self.result.release, self.result.base, self.figures
        if release is None or base is None:
            raise ValueError("not verified")
        shares: dict[str, int | str | None] = {
            f"{name}_{part}": self.within(name)[part]
            for name in ("followed_up", "examined")
            for part in ("count", "of", "share", "low", "high")
        }
        name = base.organisation.manifest.name
        return {
            "instance": release.head.instance_id.hex(),
            "name_id": name["id"],
            "name_en": name["en"],
            "release": release.head.id,
            "as_of": release.head.as_of.isoformat(),
            **{each: figures[each] for each in ("received", "open", "closed", "withdrawn")},
            **shares,
            **{key: figures["confirmations"][key] for key in COLUMNS[19:23]},
            "sha256": release.sha256,
            "log_size": release.head.size,
            "log_root": release.head.root.hex(),
        }


def refusals(results: Sequence[Result]) -> list[Found]:
    """Why these releases cannot stand in one table; nothing if they can."""
    found = [
        Found(each.fault, f"{_name(result)}: {each.where}")
        for result in results
        for each in result.verdict.faults
        if each.fault is not Fault.DEFINITIONS_UNKNOWN
    ]
    found += [
        Found(Fault.DEFINITIONS_DIFFER, _name(result))
        for result in results
        if any(each.fault is Fault.DEFINITIONS_UNKNOWN for each in result.verdict.faults)
        or result.release is None
        or results[0].release is None
        or result.release.head.definitions != results[0].release.head.definitions
    ]
    seen: set[bytes] = set()
    for result in results:
        if result.release is not None:
            if result.release.head.instance_id in seen:
                found.append(Found(Fault.CITY_TWICE, _name(result)))
            seen.add(result.release.head.instance_id)
    return found


def as_csv(cities: Sequence[City]) -> bytes:
    """The table for spreadsheets; an empty cell is "not shown"."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(city.row for city in cities)
    return text.getvalue().encode("utf-8")


def as_json(cities: Sequence[City], definitions: str) -> bytes:
    """The same as canonical JSON."""
    rows = [city.row for city in cities]
    return canonical_json({"v": 1, "definitions": definitions, "days": DAYS, "cities": rows})


def _name(result: Result) -> str:
    """City and release, as far as they are known."""
    name = "?" if result.release is None else result.release.head.id
    if result.base is None:
        return name
    return f"{result.base.organisation.manifest.name['id']} {name}"
