# SPDX-License-Identifier: AGPL-3.0-or-later
"""The organisation's files: verified, pinned, renewed only forwards."""

import io
import logging
from pathlib import Path

import pytest

from crypto.rng import system_rng
from tests.support.intake import TODAY, Calendar
from tests.support.org import Org, make_org
from whistle import logs
from whistle.errors import ConfigError
from whistle.i18n import LANGUAGES
from whistle.intake.organisation import Organisation, OrganisationSource, load_organisation
from whistle.intake.services import IntakeServices, IntakeSettings
from whistle.intake.wiring import build_services


@pytest.fixture
def org(tmp_path: Path) -> Org:
    return make_org(tmp_path, TODAY)


def _load(org: Org) -> Organisation:
    return load_organisation(org.dir, TODAY, 1000)


def test_a_good_folder_loads(org: Org) -> None:
    loaded = _load(org)
    assert loaded.manifest.instance_id == org.instance_id
    assert loaded.accepts_reports(TODAY)
    assert loaded.files["manifest.json"] == (org.dir / "manifest.json").read_bytes()


@pytest.mark.parametrize(
    "name", ["manifest.json", "manifest.sig", "policy.json", "catalogue.json", "instance.id"]
)
@pytest.mark.parametrize("harm", ["missing", "changed", "empty", "huge"])
def test_a_damaged_file_is_refused(org: Org, name: str, harm: str) -> None:
    path = org.dir / name
    data = path.read_bytes()
    path.unlink()
    if harm == "changed":
        path.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    elif harm == "empty":
        path.write_bytes(b"")
    elif harm == "huge":
        path.write_bytes(data.ljust(5 * 1024 * 1024))
    with pytest.raises(ConfigError):
        _load(org)


def test_another_root_is_refused(org: Org, tmp_path: Path) -> None:
    other = make_org(tmp_path / "other", TODAY, root="other")
    for name in ("manifest.json", "manifest.sig"):
        (org.dir / name).write_bytes((other.dir / name).read_bytes())
    with pytest.raises(ConfigError):
        _load(org)


def test_a_policy_the_manifest_does_not_name_is_refused(org: Org) -> None:
    policy = (org.dir / "policy.json").read_bytes()
    (org.dir / "policy.json").write_bytes(policy.replace(b'"assess":3', b'"assess":9'))
    with pytest.raises(ConfigError, match="policy"):
        _load(org)


def test_audiences(org: Org) -> None:
    loaded = _load(org)

    def people(*excluded: str) -> tuple[str, ...] | None:
        audience = loaded.audience(frozenset(excluded))
        return None if audience is None else audience.people

    assert people() == ("penyidik-1", "penyidik-2", "pengawas")
    assert people("kel-tidak-ada", "unknown") == people()
    assert people("inspektorat-2") == ("penyidik-1", "pengawas")
    assert people("inspektorat-1", "inspektorat-2") == ("pengawas",)
    assert people("inspektorat-1", "inspektorat-2", "inspektorat-pengaduan") is None
    assert loaded.audience(frozenset({"inspektorat-1"})) is loaded.audience(
        frozenset({"inspektorat-1", "unknown"})
    )


def test_a_newer_manifest_takes_over_and_an_older_one_does_not(org: Org) -> None:
    calendar = Calendar()
    source = OrganisationSource(org.dir, lambda: _load(org), calendar.monotonic)
    first = source.current()
    org.rewrite(serial=5, onion=None)
    assert source.current() is first  # not looked at yet
    calendar.seconds += 6
    assert source.current().manifest.serial == 5
    org.rewrite(serial=4)
    calendar.seconds += 6
    assert source.current().manifest.serial == 5
    (org.dir / "manifest.sig").write_bytes(bytes(64))
    calendar.seconds += 6
    assert source.current().manifest.serial == 5
    org.rewrite(serial=6)
    calendar.seconds += 6
    assert source.current().manifest.serial == 6


def test_a_server_the_manifest_does_not_name_does_not_start(org: Org, tmp_path: Path) -> None:
    settings = IntakeSettings(org.dir, org.write_state(tmp_path / "intake", "cases"))
    with pytest.raises(ConfigError, match="service key"):
        build_services(settings, lambda: TODAY, system_rng)


def _start(org: Org, state: Path, calendar: Calendar | None = None) -> IntakeServices:
    calendar = calendar or Calendar()
    settings = IntakeSettings(org.dir, org.write_state(state, "intake"))
    return build_services(settings, lambda: TODAY, system_rng, monotonic=calendar.monotonic)


def test_a_newer_manifest_without_our_key_is_refused_and_logged(org: Org, tmp_path: Path) -> None:
    calendar = Calendar()
    stream = io.StringIO()
    services = _start(org, tmp_path / "intake", calendar)
    logs.configure(calendar.today, stream)
    try:
        foreign = {**org.manifest["services"], "intake": "00" * 32}
        org.rewrite(serial=7, services=foreign)
        calendar.seconds += 60
        assert services.organisation.manifest.serial == 1
    finally:
        logging.disable(logging.NOTSET)
        services.close()
    assert "organisation files refused" in stream.getvalue()


def test_the_highest_serial_survives_a_restart(org: Org, tmp_path: Path) -> None:
    state = tmp_path / "intake"
    org.rewrite(serial=3)
    _start(org, state).close()
    _start(org, state).close()
    org.rewrite(serial=2)
    with pytest.raises(ConfigError, match=r"serial 2, but this server has used serial 3 before"):
        _start(org, state)
    org.rewrite(serial=4)
    _start(org, state).close()


def test_a_serial_taken_over_while_running_survives_too(org: Org, tmp_path: Path) -> None:
    calendar = Calendar()
    services = _start(org, tmp_path / "intake", calendar)
    org.rewrite(serial=9)
    calendar.seconds += 6
    assert services.organisation.manifest.serial == 9
    services.close()
    org.rewrite(serial=8)
    with pytest.raises(ConfigError, match="serial 8"):
        _start(org, tmp_path / "intake")


def test_what_cannot_be_remembered_does_not_come_into_force(
    org: Org, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calendar = Calendar()
    services = _start(org, tmp_path / "intake", calendar)

    def full(_serial: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(services.store, "remember_serial", full)
        org.rewrite(serial=2)
        calendar.seconds += 6
        assert services.organisation.manifest.serial == 1
    calendar.seconds += 6
    assert services.organisation.manifest.serial == 2
    services.close()


def test_the_keys_page_names_who_holds_keys(org: Org) -> None:
    person = {**org.manifest["people"][0], "name": "Siti <A.>", "roles": ["investigator", "new"]}
    org.rewrite(serial=2, people=[person, *org.manifest["people"][1:]])
    loaded = _load(org)
    for lang in LANGUAGES:
        page = loaded.pages.keys(lang).decode()
        assert "Siti &lt;A.&gt;" in page
        assert ", new" in page
        assert page.count('<th scope="row">') == 3
        assert org.instance_id.hex() in page
