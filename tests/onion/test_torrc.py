# SPDX-License-Identifier: AGPL-3.0-or-later
"""tor's configuration: the whole text, and paths that try to be more than a value."""

import subprocess
from pathlib import Path

import pytest

from onion.errors import SettingError
from onion.torrc import HiddenService, TorSettings, render

GOLDEN = r"""
DataDirectory "/s/data"
SocksPort 0
ClientOnly 1
ControlSocket "unix:\"/s/control.sock\""
CookieAuthentication 1
__OwningControllerProcess 42
SafeLogging 1
Log notice stdout
HiddenServiceDir "/s/hs-intake"
HiddenServicePort "80 unix:\"/run/intake.sock\""
HiddenServiceMaxStreams 32
HiddenServiceMaxStreamsCloseCircuit 1
HiddenServiceEnableIntroDoSDefense 1
HiddenServicePoWDefensesEnabled 1
HiddenServiceExportCircuitID haproxy
HiddenServiceDir "/s/hs-cases"
HiddenServicePort "80 unix:\"/run/cases.sock\""
HiddenServiceMaxStreams 32
HiddenServiceMaxStreamsCloseCircuit 1
HiddenServiceEnableIntroDoSDefense 1
HiddenServicePoWDefensesEnabled 1
UseBridges 1
"""


def settings(root: str = "/s", *, proof_of_work: bool = True) -> TorSettings:
    base = Path(root)
    return TorSettings(
        data=base / "data",
        control_socket=base / "control.sock",
        owner=42,
        services=(
            HiddenService(base / "hs-intake", Path("/run/intake.sock"), tells_circuits=True),
            HiddenService(base / "hs-cases", Path("/run/cases.sock")),
        ),
        proof_of_work=proof_of_work,
        extra=("UseBridges 1",),
    )


def test_the_whole_text() -> None:
    assert render(settings()) == GOLDEN.removeprefix("\n")


def test_without_proof_of_work_nothing_else_changes() -> None:
    wanted = GOLDEN.removeprefix("\n").replace("HiddenServicePoWDefensesEnabled 1\n", "")
    assert render(settings(proof_of_work=False)) == wanted


def test_nothing_listens_but_the_control_socket() -> None:
    lines = render(settings()).splitlines()
    listeners = [
        line for line in lines if line.split()[0].endswith(("Port", "Listener", "ControlSocket"))
    ]
    assert [line for line in listeners if not line.startswith("HiddenServicePort")] == [
        "SocksPort 0",
        'ControlSocket "unix:\\"/s/control.sock\\""',
    ]


@pytest.mark.parametrize(
    "hostile",
    ["/s\nSocksPort 9050", "/s\rX", "/s\0", "/s\x0b", "/s\x7f", "/s\ud800"],
)
def test_a_path_cannot_begin_a_line_of_its_own(hostile: str) -> None:
    with pytest.raises(SettingError) as caught:
        render(settings(hostile))
    assert hostile not in str(caught.value)


@pytest.mark.tor
@pytest.mark.slow
@pytest.mark.parametrize("name", ["plain", "two words", "a#b", 'a"b', "a\\b", "nama-é", "80 unix"])
def test_tor_reads_paths_as_we_wrote_them(tmp_path: Path, name: str) -> None:
    root = tmp_path / name
    root.mkdir(mode=0o700)
    (tmp_path / "torrc").write_text(
        "DisableNetwork 1\n" + render(settings(str(root))).replace("UseBridges 1\n", "")
    )
    dumped = ask_tor(tmp_path / "torrc", "--verify-config")
    assert "Configuration was valid" in dumped
    # What tor writes back it has read; it quotes where it must, so unquote both.
    dumped = ask_tor(tmp_path / "torrc", "--dump-config", "short")
    data = next(line for line in dumped.splitlines() if line.startswith("DataDirectory "))
    value = data.removeprefix("DataDirectory ")
    if value.startswith('"'):
        value = value[1:-1].encode("latin-1", "backslashreplace").decode("unicode_escape")
        value = value.encode("latin-1", "ignore").decode("utf-8", "replace")
    assert value == str(root / "data")


def ask_tor(torrc: Path, *question: str) -> str:
    command = ["tor", "--defaults-torrc", "/dev/null", "-f", str(torrc), *question]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    return done.stdout
