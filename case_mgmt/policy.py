# SPDX-License-Identifier: AGPL-3.0-or-later
"""The published policy: limits of the clock and the holiday table, parsed strictly.

Invariants
* Every number has a floor and a ceiling, so a policy can be neither absurd nor used to stall.
* The bytes of `to_json` are canonical JSON; parse then write gives the same policy.
* The holidays are data (holidays_id.json, made by holiday_table.py); no library is consulted.

Specification: docs/spec/acts.md, section 5.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from case_mgmt.calendar import WorkCalendar
from case_mgmt.errors import PolicyError
from crypto.encoding import canonical_json, parse_day, parse_json
from crypto.errors import MalformedError

MAX_POLICY_BYTES: Final = 256 * 1024
MAX_HOLIDAYS: Final = 2_000
MAX_NAME: Final = 200
WESTERN_INDONESIAN_TIME: Final = 7


@dataclass(frozen=True)
class Policy:
    """The clock's numbers (working days unless said otherwise) and the holidays."""

    version: str
    utc_offset_hours: int
    assess: int
    first_step: int
    overall: int
    update_every_days: int
    """Calendar days."""
    pause_max: int
    pauses_allowed: int
    extension_max_days: int
    """Calendar days."""
    contest_within: int
    holidays: Mapping[date, str]
    holiday_years: tuple[int, int]

    @cached_property
    def calendar(self) -> WorkCalendar:
        """The working days of this policy."""
        return WorkCalendar.of(self.holidays)

    def covers(self, day: date) -> bool:
        """Whether the holiday table was made for this day's year."""
        return self.holiday_years[0] <= day.year <= self.holiday_years[1]

    def to_json(self) -> bytes:
        """The policy file."""
        return canonical_json(
            {
                "v": 1,
                "version": self.version,
                "utc_offset_hours": self.utc_offset_hours,
                "limits": {
                    "assess": self.assess,
                    "first_step": self.first_step,
                    "overall": self.overall,
                },
                "update_every_days": self.update_every_days,
                "pause_max": self.pause_max,
                "pauses_allowed": self.pauses_allowed,
                "extension_max_days": self.extension_max_days,
                "contest_within": self.contest_within,
                "holidays": {day.isoformat(): name for day, name in self.holidays.items()},
                "holiday_years": list(self.holiday_years),
            }
        )


_KEYS: Final = frozenset(
    {
        "v",
        "version",
        "utc_offset_hours",
        "limits",
        "update_every_days",
        "pause_max",
        "pauses_allowed",
        "extension_max_days",
        "contest_within",
        "holidays",
        "holiday_years",
    }
)


def parse_policy(data: bytes) -> Policy:
    """Read a policy file.  Raises PolicyError; never anything else."""
    try:
        obj = parse_json(data, max_bytes=MAX_POLICY_BYTES)
    except MalformedError as error:
        raise PolicyError("the policy is not strict JSON") from error
    if not isinstance(obj, dict) or set(obj) != _KEYS or obj["v"] != 1:
        raise PolicyError("the policy does not have exactly the fields of version 1")
    limits = obj["limits"]
    if not isinstance(limits, dict) or set(limits) != {"assess", "first_step", "overall"}:
        raise PolicyError("limits must be assess, first_step and overall")
    return Policy(
        version=_text(obj["version"], "version"),
        utc_offset_hours=_number(obj["utc_offset_hours"], "utc_offset_hours", -12, 14),
        assess=_number(limits["assess"], "assess", 1, 10),
        first_step=_number(limits["first_step"], "first_step", 1, 20),
        overall=_number(limits["overall"], "overall", 5, 120),
        update_every_days=_number(obj["update_every_days"], "update_every_days", 7, 60),
        pause_max=_number(obj["pause_max"], "pause_max", 0, 20),
        pauses_allowed=_number(obj["pauses_allowed"], "pauses_allowed", 0, 3),
        extension_max_days=_number(obj["extension_max_days"], "extension_max_days", 7, 92),
        contest_within=_number(obj["contest_within"], "contest_within", 5, 60),
        holidays=_holidays(obj["holidays"]),
        holiday_years=_years(obj["holiday_years"]),
    )


def default_policy(first_year: int, last_year: int) -> Policy:
    """The limits of the design with Indonesia's holidays of these years.

    Raises PolicyError for years that the packaged holiday table does not cover.
    """
    packaged = (files("case_mgmt") / "holidays_id.json").read_bytes()
    table = parse_json(packaged, max_bytes=MAX_POLICY_BYTES)
    known_first, known_last = table["years"]
    if not known_first <= first_year <= last_year <= known_last:
        raise PolicyError(f"the holiday table covers {known_first} to {known_last}")
    days = ((date.fromisoformat(day), name) for day, name in table["days"].items())
    return Policy(
        version=f"{first_year}-1",
        utc_offset_hours=WESTERN_INDONESIAN_TIME,
        assess=3,
        first_step=5,
        overall=60,
        update_every_days=30,
        pause_max=10,
        pauses_allowed=1,
        extension_max_days=92,
        contest_within=10,
        holidays=MappingProxyType(
            {day: name for day, name in days if first_year <= day.year <= last_year}
        ),
        holiday_years=(first_year, last_year),
    )


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME:
        raise PolicyError(f"{name} must be a short text")
    return value


def _number(value: Any, name: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise PolicyError(f"{name} must be a whole number from {low} to {high}")
    return value


def _holidays(value: Any) -> Mapping[date, str]:
    if not isinstance(value, dict) or len(value) > MAX_HOLIDAYS:
        raise PolicyError("holidays must be a table of day and name")
    try:
        table = {parse_day(day): _text(name, "holiday name") for day, name in value.items()}
    except MalformedError as error:
        raise PolicyError("holidays must be a table of day and name") from error
    return MappingProxyType(table)


def _years(value: Any) -> tuple[int, int]:
    if not isinstance(value, list) or len(value) != 2:
        raise PolicyError("holiday_years must be the first and the last year")
    first = _number(value[0], "first holiday year", 2000, 2200)
    return first, _number(value[1], "last holiday year", first, 2200)
