# SPDX-License-Identifier: AGPL-3.0-or-later
"""A server that describes another organisation, an older one, or another day is not believed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from crypto.encoding import b64
from tests.support.org import Org, make_org
from whistle.desk.errors import DeskError, KeysError, UnreachableError
from whistle.desk.trust import OwnClock, verify_organisation

DAY = date(2026, 4, 7)
JAKARTA = timezone(timedelta(hours=7))


def unix(day: date, hour: int = 12) -> int:
    return int(datetime(day.year, day.month, day.day, hour, tzinfo=JAKARTA).timestamp())


def answer(org: Org, **changes: Any) -> dict[str, Any]:
    files = {
        "manifest": "manifest.json", "signature": "manifest.sig",
        "policy": "policy.json", "catalogue": "catalogue.json",
    }  # fmt: skip
    parts = {name: b64((org.dir / file).read_bytes()) for name, file in files.items()}
    return {**parts, "today": DAY.isoformat(), **changes}


@pytest.fixture
def org(tmp_path: Path) -> Org:
    return make_org(tmp_path, DAY, demo=False)


def check(org: Org, told: Any, serial: int = 0, now: int = unix(DAY), **identity: Any) -> Any:
    who = replace(org.identities["penyidik-1"], **identity)
    return verify_organisation(told, who, serial, OwnClock(lambda: now))


def test_the_right_one(org: Org) -> None:
    organisation = check(org, answer(org), serial=1)
    assert organisation.me.id == "penyidik-1"
    assert organisation.today == DAY
    assert organisation.policy.assess == 3


def another(org: Org) -> dict[str, Any]:
    return answer(make_org(org.dir.parent / "other", DAY, root="other", demo=False))


REFUSED: dict[str, tuple[Callable[[Org], Any], type[DeskError], str]] = {
    "another organisation": (another, KeysError, "manifest_untrusted"),
    "edited policy": (
        lambda org: answer(org, policy=b64(b"{}")), KeysError, "files_untrusted"),
    "edited catalogue": (
        lambda org: answer(org, catalogue=b64(b"{}")), KeysError, "files_untrusted"),
    "edited manifest": (
        lambda org: answer(org, manifest=b64((org.dir / "manifest.json").read_bytes() + b" ")),
        KeysError, "manifest_untrusted"),
    "no signature": (lambda org: answer(org, signature=b64(bytes(64))), KeysError,
                     "manifest_untrusted"),
    "another day": (
        lambda org: answer(org, today="2026-04-09"), KeysError, "clock_differs"),
    "not a day": (lambda org: answer(org, today="soon"), UnreachableError, "bad_answer"),
    "not base64": (lambda org: answer(org, policy="!"), UnreachableError, "bad_answer"),
    "nothing": (lambda _org: {}, UnreachableError, "bad_answer"),
    "a list": (lambda _org: [], UnreachableError, "bad_answer"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(org: Org, name: str) -> None:
    tell, kind, key = REFUSED[name]
    with pytest.raises(kind) as error:
        check(org, tell(org))
    assert error.value.key == f"desk.error.{key}"


def test_an_older_manifest_than_one_seen(org: Org) -> None:
    with pytest.raises(KeysError, match="manifest_untrusted"):
        check(org, answer(org), serial=2)
    org.rewrite(serial=2)
    assert check(org, answer(org), serial=2).manifest.serial == 2


def test_outside_its_time(org: Org) -> None:
    with pytest.raises(KeysError, match="manifest_untrusted"):
        check(org, answer(org), now=unix(DAY - timedelta(days=2)))


@pytest.mark.parametrize("field", ["device_seed", "recipient_seed"])
def test_keys_that_are_not_enrolled(org: Org, field: str) -> None:
    with pytest.raises(KeysError, match="not_enrolled"):
        check(org, answer(org), **{field: b"\x09" * 32})


def test_one_day_apart_is_midnight(org: Org) -> None:
    tomorrow = (DAY + timedelta(days=1)).isoformat()
    assert check(org, answer(org, today=tomorrow)).today == DAY + timedelta(days=1)


def test_a_demo_may_live_in_the_future(tmp_path: Path) -> None:
    org = make_org(tmp_path, DAY, demo=True)
    assert check(org, answer(org, today="2026-12-24")).today == date(2026, 12, 24)


def test_days_ahead_count_for_demos_only() -> None:
    clock = OwnClock(lambda: unix(DAY, 23), ahead=5)
    assert clock.today(7) == DAY
    assert clock.today(7, demo=True) == DAY + timedelta(days=5)
    assert clock.today(9) == DAY + timedelta(days=1)
