# SPDX-License-Identifier: AGPL-3.0-or-later
"""tor's configuration as text, from typed settings.

- Pure: the same settings give the same text.
- tor is a service only: no SocksPort, no relay, no listener but a unix control socket.
- Every path is quoted, so a blank or `#` in it cannot end the value; a control character, which
  could begin a line of its own, is refused.
- Extra lines come last and verbatim: they are the operator's own.

Source: tor(1); the quoting is tor's C-style string (confline.c, `unescape_string`).
"""

from dataclasses import dataclass
from pathlib import Path

from onion.errors import SettingError

VIRTUAL_PORT = 80

MAX_STREAMS = 32
"""Streams one client may hold open at once. A browser opens 6 to one host; the rest is for tabs."""


@dataclass(frozen=True)
class HiddenService:
    """One onion service: where its keys lie and which unix socket answers; `tells_circuits`: each
    connection begins with a line that names its circuit (docs/spec/http.md, section 9).
    """

    directory: Path
    target: Path
    tells_circuits: bool = False


@dataclass(frozen=True)
class TorSettings:
    """All that our tor process is told."""

    data: Path
    control_socket: Path
    owner: int
    services: tuple[HiddenService, ...]
    proof_of_work: bool
    extra: tuple[str, ...] = ()


def render(settings: TorSettings) -> str:
    """Returns the whole configuration file. Raises: SettingError."""
    lines = [
        f"DataDirectory {_quoted(str(settings.data))}",
        "SocksPort 0",
        "ClientOnly 1",
        f"ControlSocket {_quoted(_unix(settings.control_socket))}",
        "CookieAuthentication 1",
        f"__OwningControllerProcess {settings.owner}",
        "SafeLogging 1",
        "Log notice stdout",
    ]
    for service in settings.services:
        lines += _service_lines(service, proof_of_work=settings.proof_of_work)
    lines += settings.extra
    return "".join(f"{line}\n" for line in lines)


def _service_lines(service: HiddenService, *, proof_of_work: bool) -> list[str]:
    target = _quoted(f"{VIRTUAL_PORT} {_unix(service.target)}")
    lines = [
        f"HiddenServiceDir {_quoted(str(service.directory))}",
        f"HiddenServicePort {target}",
        f"HiddenServiceMaxStreams {MAX_STREAMS}",
        "HiddenServiceMaxStreamsCloseCircuit 1",
        "HiddenServiceEnableIntroDoSDefense 1",
    ]
    if proof_of_work:
        lines.append("HiddenServicePoWDefensesEnabled 1")
    if service.tells_circuits:
        lines.append("HiddenServiceExportCircuitID haproxy")
    return lines


def _unix(path: Path) -> str:
    return f"unix:{_quoted(str(path))}"


def _quoted(text: str) -> str:
    # SECURITY: a newline would end the value and begin an option of its own
    # (test_torrc.py: test_a_path_cannot_begin_a_line_of_its_own).
    if any(ord(character) < 0x20 or character == "\x7f" for character in text):
        raise SettingError("a path for tor holds a control character")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise SettingError("a path for tor is not valid UTF-8") from None
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
