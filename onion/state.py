# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where tor's files lie, and the few that we write for it.

    hs-intake/, hs-cases/   keys and addresses: back these up
    hs-intake.former/       the address before a change, if it still answers
    data/                   tor's own: what it knows of the network, and its entry guards
    torrc, control.sock     made anew at each start

- Every folder is 0700 and every file 0600: tor refuses its state otherwise.
- A desk that is no longer authorised loses its file at the next start.
- The control socket moves to a private temporary folder where the state's own path is too long.
"""

import contextlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from onion.client_auth import authorized_client_line, check_desk_name
from onion.errors import SettingError

PRIVATE_DIRECTORY = 0o700
PRIVATE_FILE = 0o600

MAX_SOCKET_PATH = 107
"""Bytes; sun_path holds 108 with its closing zero (unix(7))."""

SOCKET_NAME = "control.sock"
AUTHORIZED_CLIENTS = "authorized_clients"


@dataclass(frozen=True)
class TorState:
    """The paths of one tor."""

    root: Path
    runtime: Path

    @property
    def data(self) -> Path:
        """tor's DataDirectory."""
        return self.root / "data"

    @property
    def intake(self) -> Path:
        """The intake's keys."""
        return self.root / "hs-intake"

    @property
    def former_intake(self) -> Path:
        """The intake's keys before a change of address, while the old one still answers."""
        return self.root / "hs-intake.former"

    @property
    def cases(self) -> Path:
        """The case server's keys and its authorised desks."""
        return self.root / "hs-cases"

    @property
    def torrc(self) -> Path:
        """The configuration, written by us."""
        return self.root / "torrc"

    @property
    def control_socket(self) -> Path:
        """Where tor listens for us."""
        return self.runtime / SOCKET_NAME

    def make_service(self, directory: Path, desks: Mapping[str, str]) -> None:
        """Makes a service's folder, with exactly these desks authorised. Raises: ClientKeyError."""
        lines = {check_desk_name(name): authorized_client_line(key) for name, key in desks.items()}
        clients = directory / AUTHORIZED_CLIENTS
        _make_private(directory)
        _make_private(clients)
        for stale in clients.iterdir():
            if stale.suffix == ".auth":
                stale.unlink()
        for name, line in lines.items():
            write_private(clients / f"{name}.auth", f"{line}\n")

    def make(self) -> None:
        """Makes tor's own folder."""
        _make_private(self.data)

    def clear_run(self, services: Iterable[Path]) -> None:
        """Removes what the last run has left, so that its reappearance means this run wrote it."""
        self.control_socket.unlink(missing_ok=True)
        for directory in services:
            hostname_file(directory).unlink(missing_ok=True)


def hostname_file(directory: Path) -> Path:
    """Where tor writes a service's address."""
    return directory / "hostname"


@contextlib.contextmanager
def open_state(root: Path) -> Iterator[TorState]:
    """Yields the state below this folder; what is only for this run is removed at the end.
    Raises: SettingError.
    """
    root = root.absolute()
    try:
        _make_private(root)
    except OSError:
        raise SettingError("the folder for tor's state cannot be made") from None
    if len(str(root / SOCKET_NAME).encode("utf-8", "surrogateescape")) <= MAX_SOCKET_PATH:
        yield TorState(root, root)
        return
    runtime = Path(tempfile.mkdtemp(prefix="whistle-tor-"))
    try:
        yield TorState(root, runtime)
    finally:
        shutil.rmtree(runtime, ignore_errors=True)


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner may read."""
    path.touch(mode=PRIVATE_FILE)
    path.chmod(PRIVATE_FILE)
    path.write_text(text, encoding="utf-8")


def _make_private(directory: Path) -> None:
    directory.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
    directory.chmod(PRIVATE_DIRECTORY)
