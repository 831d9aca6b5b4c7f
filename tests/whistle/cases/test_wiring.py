# SPDX-License-Identifier: AGPL-3.0-or-later
"""Starting up: keys, folders, files, and what is refused with a clear word."""

import hashlib
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from crypto.errors import AuthenticationError
from crypto.requests import sign_request
from crypto.rng import system_rng
from tests.support.case_office import PEOPLE, TODAY, a_report
from tests.support.case_server import built_cases, running_cases
from tests.support.feed_records import until
from tests.support.intake import Calendar
from tests.support.org import Org, make_org, seed
from whistle.cases import app
from whistle.cases.limits import MAX_ORG_FILE
from whistle.cases.services import CasesSettings
from whistle.cases.wiring import build_services
from whistle.errors import ConfigError, StoreError


@pytest.fixture
def org(tmp_path: Path) -> Org:
    return make_org(tmp_path, TODAY, people=PEOPLE)


def settings(tmp_path: Path, org: Org, **more: object) -> CasesSettings:
    feed = {"feed_socket": tmp_path / "feed.sock"} if "feed_url" not in more else {}
    return CasesSettings(org.dir, tmp_path / "cases", **{**feed, **more})  # type: ignore[arg-type]


def start(tmp_path: Path, org: Org, calendar: Calendar | None = None) -> None:
    calendar = calendar or Calendar()
    build_services(settings(tmp_path, org), calendar.today, calendar.now, system_rng).close()


def test_keys_are_made_private_and_kept(tmp_path: Path, org: Org) -> None:
    org.write_state(tmp_path / "cases", "cases")
    start(tmp_path, org)
    key = (tmp_path / "cases" / "db.key").read_text(encoding="ascii")
    for name in ("db.key", "service.key", "cases.db"):
        mode = (tmp_path / "cases" / name).stat().st_mode
        assert stat.S_IMODE(mode) == 0o600
    assert stat.S_IMODE((tmp_path / "cases").stat().st_mode) == 0o700
    start(tmp_path, org)
    assert (tmp_path / "cases" / "db.key").read_text(encoding="ascii") == key


def test_a_service_key_that_the_manifest_does_not_name(tmp_path: Path, org: Org) -> None:
    org.write_state(tmp_path / "cases", "intake")
    with pytest.raises(ConfigError, match="service key"):
        start(tmp_path, org)


@pytest.mark.parametrize("name", ["db.key", "service.key"])
def test_a_lost_key_is_told_and_not_replaced(tmp_path: Path, org: Org, name: str) -> None:
    org.write_state(tmp_path / "cases", "cases")
    start(tmp_path, org)
    (tmp_path / "cases" / name).unlink()
    with pytest.raises(ConfigError, match=f"{name} is missing"):
        start(tmp_path, org)
    assert not (tmp_path / "cases" / name).exists()


def test_the_key_of_another_database(tmp_path: Path, org: Org) -> None:
    org.write_state(tmp_path / "cases", "cases")
    start(tmp_path, org)
    (tmp_path / "cases" / "db.key").write_text("ab" * 32 + "\n", encoding="ascii")
    with pytest.raises(StoreError):
        start(tmp_path, org)


def test_a_second_server_in_the_same_state_does_not_start(tmp_path: Path, org: Org) -> None:
    stray = tmp_path / "cases" / "blobs" / ("0d" * 16)
    with built_cases(tmp_path, Calendar(), org):
        stray.write_bytes(b"on its way")
        with pytest.raises(ConfigError, match="another server"):
            start(tmp_path, org)
        assert stray.exists()
    start(tmp_path, org)
    assert not stray.exists()


def test_a_start_that_fails_lets_go_of_the_state(tmp_path: Path, org: Org) -> None:
    org.write_state(tmp_path / "cases", "intake")
    for _ in range(2):
        with pytest.raises(ConfigError, match="service key"):
            start(tmp_path, org)


def test_strangers_leave_nothing_to_remember(tmp_path: Path, org: Org) -> None:
    calendar = Calendar()
    with built_cases(tmp_path, calendar, org) as services:
        for who, known in (("device stranger", False), ("device pengawas", True)):
            headers = sign_request(
                seed(who), org.instance_id, "GET", "/", b"", calendar.now(), system_rng
            )
            try:
                services.verifier.verify(headers, "GET", "/", b"", calendar.now())
            except AuthenticationError:
                accepted = False
            else:
                accepted = True
            assert accepted == known


def test_a_manifest_out_of_its_time(tmp_path: Path, org: Org) -> None:
    org.write_state(tmp_path / "cases", "cases")
    calendar = Calendar()
    calendar.day = TODAY + timedelta(days=3000)
    with pytest.raises(ConfigError, match="manifest"):
        start(tmp_path, org, calendar)


@pytest.mark.parametrize("name", ["manifest.json", "manifest.sig", "policy.json", "instance.id"])
def test_missing_or_altered_files(tmp_path: Path, org: Org, name: str) -> None:
    org.write_state(tmp_path / "cases", "cases")
    path = org.dir / name
    content = path.read_bytes()
    path.write_bytes(content.replace(content[10:14], b"\x00\x00\x00\x00"))
    with pytest.raises(ConfigError):
        start(tmp_path, org)
    path.unlink()
    with pytest.raises(ConfigError, match=name):
        start(tmp_path, org)


def test_a_policy_that_the_manifest_does_not_name(tmp_path: Path, org: Org) -> None:
    org.write_state(tmp_path / "cases", "cases")
    path = org.dir / "policy.json"
    path.write_bytes(path.read_bytes().replace(b'"assess":3', b'"assess":9'))
    with pytest.raises(ConfigError, match=r"policy\.json"):
        start(tmp_path, org)


def test_a_lower_serial_is_refused_even_after_a_restart(tmp_path: Path, org: Org) -> None:
    org.write_state(tmp_path / "cases", "cases")
    old = {name: (org.dir / name).read_bytes() for name in ("manifest.json", "manifest.sig")}
    org.rewrite(serial=5)
    start(tmp_path, org)
    for name, content in old.items():
        (org.dir / name).write_bytes(content)
    with pytest.raises(ConfigError, match="older"):
        start(tmp_path, org)


@pytest.mark.parametrize(
    "feed",
    [
        {"feed_socket": None},
        {"feed_socket": Path("x"), "feed_url": "http://x"},
        {"feed_socket": Path("x"), "poll_seconds": 0.0},
    ],
)
def test_settings_out_of_order(tmp_path: Path, org: Org, feed: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        CasesSettings(org.dir, tmp_path, **feed)  # type: ignore[arg-type]


def test_newer_files_are_taken_into_force_and_move_the_limits(tmp_path: Path, org: Org) -> None:
    with built_cases(tmp_path, Calendar(), org) as services:
        case = services.office.take_in(a_report(1), services.rules())
        person = services.rules().manifest.people[0]
        path = org.dir / "policy.json"
        path.write_bytes(path.read_bytes().replace(b'"assess":3', b'"assess":2'))
        services.renew_organisation()  # the manifest does not name it: nothing happens
        assert services.rules().policy.assess == 3
        sign_policy(org)
        services.renew_organisation()
        assert services.rules().policy.assess == 2
        overview = services.office.overview(case, person, services.rules())
        assert overview.clock.next_due == TODAY + timedelta(days=2)


def test_files_with_the_same_serial_change_nothing(tmp_path: Path, org: Org) -> None:
    with built_cases(tmp_path, Calendar(), org) as services:
        org.rewrite(demo=False)
        services.renew_organisation()
        assert services.rules().manifest.demo is True


def sign_policy(org: Org) -> None:
    """Let a newer manifest name the policy that lies there."""
    digest = hashlib.sha256((org.dir / "policy.json").read_bytes()).hexdigest()
    org.rewrite(serial=2, files={**org.manifest["files"], "policy.json": digest})


def test_a_file_too_large(tmp_path: Path, org: Org) -> None:
    org.write_state(tmp_path / "cases", "cases")
    (org.dir / "catalogue.json").write_bytes(b" " * (MAX_ORG_FILE + 1))
    with pytest.raises(ConfigError, match="too large"):
        start(tmp_path, org)


def test_a_catalogue_that_is_signed_but_unusable(tmp_path: Path, org: Org) -> None:
    org.write_state(tmp_path / "cases", "cases")
    (org.dir / "catalogue.json").write_bytes(b"{}")
    digest = hashlib.sha256(b"{}").hexdigest()
    org.rewrite(files={**org.manifest["files"], "catalogue.json": digest})
    with pytest.raises(ConfigError, match="catalogue"):
        start(tmp_path, org)


def test_files_that_vanish_leave_the_present_ones_in_force(tmp_path: Path, org: Org) -> None:
    with built_cases(tmp_path, Calendar(), org) as services:
        (org.dir / "manifest.json").unlink()
        services.renew_organisation()
        assert services.rules().manifest.serial == 1


async def test_the_running_server_notices_newer_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "ORG_CHECK_EVERY", 0.01)
    async with running_cases(tmp_path) as server:
        troubles = 0
        renew = server.services.organisation.refresh

        def refresh() -> bool:
            nonlocal troubles
            troubles += 1
            if troubles == 1:
                raise RuntimeError
            return renew()

        monkeypatch.setattr(server.services.organisation, "refresh", refresh)
        server.org.rewrite(serial=9)
        await until(lambda: server.services.rules().manifest.serial == 9)
        assert troubles > 1
