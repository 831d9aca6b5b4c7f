# SPDX-License-Identifier: AGPL-3.0-or-later
"""The files of a server say what the documents say, to the programs that will read them."""

import argparse
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from whistle.cli import COMMANDS
from whistle.commands import install
from whistle.overwriting import ENVIRONMENT

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
SERVERS = ("intake", "cases")
GUIDE = (ROOT / "docs/install.md").read_text(encoding="utf-8")


@pytest.fixture
def placed(tmp_path: Path) -> Path:
    """A system's root with our files in it."""
    install.carry_out(list(install.plan(tmp_path, Path("/usr"))), ())
    return tmp_path


def unit(server: str) -> list[tuple[str, str]]:
    """The (key, value) lines of a unit, line continuations joined."""
    text = (DEPLOY / f"systemd/whistle-{server}.service").read_text(encoding="utf-8")
    lines = text.replace("\\\n", " ").splitlines()
    pairs = [line.partition("=") for line in lines if "=" in line and not line.startswith("#")]
    return [(key, value) for key, _, value in pairs]


def needs(program: str) -> str:
    found = shutil.which(program, path="/usr/bin:/usr/sbin:/bin:/sbin")
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


def told(words: Sequence[str | Path]) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("server", SERVERS)
def test_exposure_is_what_the_guide_states(placed: Path, server: str) -> None:
    program = needs("systemd-analyze")
    path = placed / f"etc/systemd/system/whistle-{server}.service"
    said = told([program, "security", "--offline=yes", "--no-pager", path])
    measured = re.search(r"Overall exposure level for .*: ([0-9.]+)", said)
    stated = re.search(rf"whistle-{server}\.service` \| ([0-9.]+)", GUIDE)
    assert measured is not None
    assert stated is not None
    assert float(measured[1]) <= float(stated[1]) < 1.0


@pytest.mark.parametrize("server", SERVERS)
def test_the_profile_is_read(placed: Path, server: str) -> None:
    program = needs("apparmor_parser")
    told(
        [program, "--skip-kernel-load", "--skip-cache", placed / f"etc/apparmor.d/whistle-{server}"]
    )


def test_the_onion_services_are_read(placed: Path, tmp_path: Path) -> None:
    program = needs("tor")
    text = (placed / "etc/whistle/torrc").read_text(encoding="utf-8")
    assert "HiddenServicePoWDefensesEnabled 1" in text
    if "pow: yes" not in told([program, "--list-modules"]):
        text = text.replace("HiddenServicePoWDefensesEnabled 1", "")
    torrc = tmp_path / "torrc"
    text = text.replace("/var/lib/tor/", f"{tmp_path}/")
    torrc.write_text(f"{text}\nDataDirectory {tmp_path}/data\n", encoding="utf-8")
    empty = tmp_path / "defaults"
    empty.write_text("", encoding="utf-8")
    told([program, "--verify-config", "-f", torrc, "--defaults-torrc", empty, "--hush"])


@pytest.mark.parametrize("server", SERVERS)
def test_a_unit_starts_a_command_there_is_with_flags_it_has(server: str) -> None:
    start = dict(unit(server))["ExecStart"].split()
    assert start[1:4] == ["-P", "-m", "whistle"]
    command, words = start[4], start[5:]
    parser = argparse.ArgumentParser(exit_on_error=False)
    COMMANDS[command].load().add_arguments(parser)
    args = parser.parse_args(words)
    assert args.listen is None  # no TCP: tor reaches it by its Unix socket


def test_the_intake_overwrites_what_it_frees() -> None:
    given = [value for key, value in unit("intake") if key == "Environment"]
    assert {f"{name}={value}" for name, value in ENVIRONMENT.items()} <= set(given)


@pytest.mark.parametrize("server", SERVERS)
def test_no_network_no_swap_no_dump(server: str) -> None:
    lines = set(unit(server))
    assert {
        ("PrivateNetwork", "yes"),
        ("RestrictAddressFamilies", "AF_UNIX"),
        ("IPAddressDeny", "any"),
        ("LimitMEMLOCK", "infinity"),
        ("MemorySwapMax", "0"),
        ("LimitCORE", "0"),
        ("CapabilityBoundingSet", ""),
        ("Environment", f"TMPDIR=/run/whistle-{server}"),
    } <= lines


def test_every_user_and_folder_of_the_units_is_made() -> None:
    users = (DEPLOY / "sysusers.d/whistle.conf").read_text(encoding="utf-8")
    folders = (DEPLOY / "tmpfiles.d/whistle.conf").read_text(encoding="utf-8")
    for server in SERVERS:
        settings = dict(unit(server))
        assert f"u {settings['User']} " in users
        for folder in settings["ReadWritePaths"].split():
            assert f"d {folder} 2750 " in folders


def test_the_plan_holds_every_file() -> None:
    ours = {str(path.relative_to(DEPLOY)) for path in DEPLOY.rglob("*") if path.is_file()}
    assert ours == {source for source, _ in install.PLACES}
