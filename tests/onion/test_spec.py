# SPDX-License-Identifier: AGPL-3.0-or-later
"""docs/spec/onion.md says what the code does: its configurations, its recipe, its numbers."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from onion import service, state, tor_build, torrc
from onion.client_auth import KEY_TEXT_LENGTH, parse_private_key
from onion.torrc import HiddenService, TorSettings, render

TEXT = (Path(__file__).parents[2] / "docs" / "spec" / "onion.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"\*checked\*\s+```(?:text|sh)\n(.*?)```", TEXT, re.DOTALL)
OURS, RECIPE, PRODUCTION = BLOCKS


def test_our_configuration_is_the_documented_one() -> None:
    settings = TorSettings(
        data=Path("STATE/data"), control_socket=Path("STATE/control.sock"), owner=0,
        services=(HiddenService(Path("STATE/hs-intake"), Path("INTAKE"), tells_circuits=True),),
        proof_of_work=True,
    )  # fmt: skip
    assert render(settings).replace("Process 0", "Process PID") == OURS


@pytest.mark.parametrize(
    "phrase",
    [
        f"{torrc.MAX_STREAMS} streams",
        f"told after {service.PATIENCE:.0f} seconds",
        f"after {service.FIRST_PAUSE:.0f} second, then 2, 4, … up to {service.LONGEST_PAUSE:.0f}",
        f"longer than {state.MAX_SOCKET_PATH} bytes",
        f"{KEY_TEXT_LENGTH} characters of A-Z and 2-7",
        f"MUST be {'.'.join(map(str, tor_build.FLOOR))} or newer",
        "0xF4",
        "the case server gets no `HiddenServiceExportCircuitID`",
    ],
)
def test_numbers(phrase: str) -> None:
    assert phrase in TEXT


def test_production_hardens_each_service_as_we_do() -> None:
    def hardening(text: str) -> list[str]:
        names = ("HiddenServiceMax", "HiddenServiceEnable", "HiddenServicePoW")
        return [line for line in text.splitlines() if line.startswith(names)]

    assert hardening(PRODUCTION) == 2 * hardening(OURS)
    line = "HiddenServiceExportCircuitID haproxy"
    _, intake, cases = PRODUCTION.split("HiddenServiceDir")
    assert line in OURS
    assert line in intake
    assert line not in cases


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_the_recipe_makes_a_key_pair_we_accept(tmp_path: Path) -> None:
    script = "set -e\n" + RECIPE
    subprocess.run(["sh", "-c", script], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    key = parse_private_key((tmp_path / "desk.private").read_text().strip())
    assert (tmp_path / "desk.public").read_text().strip() == key.public_text
    assert (tmp_path / "desk.private").stat().st_mode & 0o077 == 0


@pytest.mark.tor
@pytest.mark.parametrize("defaults", ["", "ControlSocket {0}/control\nSocksPort 9050\n"])
def test_tor_accepts_the_production_configuration(tmp_path: Path, defaults: str) -> None:
    (tmp_path / "defaults").write_text(defaults.format(tmp_path))
    text = PRODUCTION.replace("/var/lib", str(tmp_path))
    (tmp_path / "torrc").write_text(f"{text}DataDirectory {tmp_path}/tor\n")
    options = ["--defaults-torrc", str(tmp_path / "defaults"), "-f", str(tmp_path / "torrc")]
    done = subprocess.run(
        ["tor", *options, "--verify-config"], check=False, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert "Configuration was valid" in done.stdout, done.stdout
    assert "[warn]" not in done.stdout.replace("[warn] You are running Tor as root.", "")
