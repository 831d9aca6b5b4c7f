# SPDX-License-Identifier: AGPL-3.0-or-later
"""What each reporter page is told: plain, typed, immutable values.

Nothing here decides anything; handlers fill these, `whistle.intake.pages` turns them into bytes.
Every text in them is unescaped. No value here outlives its request, except `Site` and
`Statistics`, which hold public facts only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Literal

from case_mgmt.model import State
from case_mgmt.statistics import SMALLEST
from whistle.i18n import Language
from whistle.intake.logged import Logged

_MANY: Final = 10**12


@dataclass(frozen=True)
class Unit:
    """An office that can be named in a report."""

    id: str
    name: Mapping[str, str]
    level: str = ""


@dataclass(frozen=True)
class Service:
    """A public service with its official fee in rupiah (None: not known)."""

    id: str
    name: Mapping[str, str]
    official_fee: int | None = None


@dataclass(frozen=True)
class Reader:
    """Someone who holds a key to reports: what the manifest publishes about them."""

    name: str
    roles: tuple[str, ...]
    unit: str


@dataclass(frozen=True)
class Site:
    """Public facts about the organisation, the same on every page until it changes its files."""

    name: Mapping[str, str]
    fingerprint: Mapping[Language, tuple[str, ...]]
    units: tuple[Unit, ...] = ()
    services: tuple[Service, ...] = ()
    staff_units: tuple[str, ...] = ()  # units with people who can open reports
    people: tuple[Reader, ...] = ()
    demo: bool = False
    instance_id: str = ""  # root public key, hexadecimal
    onion: str | None = None
    max_file_bytes: int = 200_000_000
    assess_days: int = 3
    first_step_days: int = 5
    overall_days: int = 60
    update_days: int = 30
    contest_days: int = 10


def _published(count: object) -> int | None:
    """Return a number that may be shown."""
    if count is None:
        return None
    if not isinstance(count, int) or isinstance(count, bool) or not SMALLEST <= count < _MANY:
        raise ValueError("not a number that is published")
    return count


@dataclass(frozen=True)
class Statistics:
    """The public numbers; None means suppressed (fewer than ten)."""

    as_of: date
    received: int | None = None
    open: int | None = None
    followed_up_7: int | None = None
    followed_up_30: int | None = None
    closed: int | None = None
    overdue: int | None = None
    outcomes: Mapping[str, int | None] = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Statistics:
        """Read the JSON that the case server publishes; absent numbers count as suppressed.

        Raises:
            ValueError, KeyError, TypeError: it is something else, or names a number below ten.
        """
        names = ("received", "open", "followed_up_7", "followed_up_30", "closed", "overdue")
        return cls(
            as_of=date.fromisoformat(data["as_of"]),
            outcomes={
                State(code).value: _published(count)
                for code, count in data.get("outcomes", {}).items()
            },
            **{name: _published(data.get(name)) for name in names},
        )


@dataclass(frozen=True)
class LandingContext:
    """`statistics` is None until the case server has published once."""

    statistics: Statistics | None = None


@dataclass(frozen=True)
class FormContext:
    """The report form: empty, or sent back with its answers and what is wrong with them.

    `errors` maps a field name (also ``file`` and ``form``) to a text key such as
    ``error.field.required``; see `whistle.intake.pages.FIELD_ERRORS`.
    """

    token: str
    today: date
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ReceiptContext:
    """The one page that shows a receipt code. `promise` is printable text (base64url)."""

    words: Mapping[Language, tuple[str, ...]]
    promise: str
    day: date
    latest: date
    """The day by which the report must be in the public log."""
    has_log: bool = False
    due: date | None = None
    files: int = 0


@dataclass(frozen=True)
class ReceiptProblem:
    """Why typed words are no receipt code. `position` counts from 0, as `ReceiptError` does."""

    kind: Literal["count", "unknown_word", "check"]
    position: int | None = None
    suggestions: tuple[str, ...] = ()
    count: int | None = None  # words found, for kind "count"


@dataclass(frozen=True)
class StatusEntryContext:
    """The page that asks for the receipt code. `notice`: a code of `pages.ENTRY_NOTICES`."""

    notice: str | None = None


@dataclass(frozen=True)
class TimelineItem:
    """One dated line of the history.

    `code`: the public status code after it, or a code of `whistle.intake.status_page.EVENTS`:
    ``message`` or ``follow_up`` (reporter), ``update`` or ``extend`` (office), ``contest``,
    ``withdraw``, ``unreadable`` (it does not open), ``unverified`` (it is not validly signed).
    `text` may be empty. `files` counts the attachments of the reporter's own message. `note`: a
    code of `whistle.intake.status_page.NOTES`, said below the line. A day of `date.min` is unknown.
    """

    day: date
    code: str
    text: str
    author: Literal["office", "reporter", "system"]
    reason: str | None = None
    files: int = 0
    note: str | None = None
    part: tuple[int, int] | None = None  # which of how many pieces of a long text
    log: Logged | None = None  # where it stands in the public log, or by when it must


@dataclass(frozen=True)
class StatusContext:
    """The answer to a receipt code; one type for all four kinds, so that all can look alike.

    `timeline` is newest first. `errors` and `values` belong to the message (``text``, ``file``),
    contest (``contest``) and withdraw (``withdraw``) forms. `contest_until` is None once it has
    passed. `page` counts from 1.
    """

    kind: Literal["case", "unknown", "malformed", "expired"]
    typed: str = ""
    receipt_error: ReceiptProblem | None = None
    token: str = ""
    state: str = "received"
    is_by_former: bool = False  # the state was signed with a key that is no longer listed
    timeline: Sequence[TimelineItem] = ()
    received: date | None = None
    due: date | None = None
    due_kind: str | None = None
    overall_due: date | None = None
    overdue_since: date | None = None
    contest_until: date | None = None
    paused: bool = False
    notice: str | None = None  # a code of `pages.STATUS_NOTICES`
    page: int = 1
    errors: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    mode: Literal["arrival", "browser", "tool"] = "arrival"  # where the thread was begun

    @property
    def is_unlogged(self) -> bool:
        """Whether something should be in the public log by now and is not."""
        return any(item.log is not None and item.log.kind == "overdue" for item in self.timeline)

    @property
    def has_log(self) -> bool:
        """Whether any line is about the public log."""
        return any(item.log is not None for item in self.timeline)


@dataclass(frozen=True)
class StatisticsContext:
    """`statistics` is None until the case server has published once; releases newest first."""

    statistics: Statistics | None = None
    releases: Sequence[str] = ()
    log_size: int = 0

    @property
    def outcomes(self) -> list[tuple[str, int | None]]:
        """The published outcomes, in the order of the codes."""
        counted = self.statistics.outcomes if self.statistics else {}
        return [(state.value, counted[state.value]) for state in State if state in counted]


@dataclass(frozen=True)
class ErrorContext:
    """An error page: one of `whistle.intake.pages.ERROR_PAGES`."""

    key: str
