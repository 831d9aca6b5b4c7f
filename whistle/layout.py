# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where things lie inside one state directory. The only module that knows these names.

org/      public: manifest.json, manifest.sig, instance.id, policy.json, catalogue.json
intake/   the intake's database, its key, sealed blobs
cases/    the case server's database, its key, sealed blobs
tor/      onion keys and tor's own data
people/   keystores, when this machine is somebody's desk too (always so in the demo)
root/     the root key, when it was made here (a real organisation moves it offline)
log/      one file per process
run/      sockets
"""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

PRIVATE_DIRECTORY = 0o700
PRIVATE_FILE = 0o600

MAX_SOCKET_PATH = 100
"""Bytes; Linux allows 107 in sun_path (unix(7)), minus room for tor's own suffixes."""

LOG_KEY = "log.key"
LOG_HEAD = "log.head"
"""The public log's signing key, in the case server's folder."""

LONGEST_SOCKET_NAME = "intake-feed.sock"


@dataclass(frozen=True)
class Layout:
    """The paths of one state directory."""

    state: Path

    @property
    def org(self) -> Path:
        """Public organisation files."""
        return self.state / "org"

    @property
    def draft(self) -> Path:
        """A manifest on its way to the root key."""
        return self.state / "draft"

    @property
    def intake(self) -> Path:
        """State of the intake server."""
        return self.state / "intake"

    @property
    def cases(self) -> Path:
        """State of the case server."""
        return self.state / "cases"

    @property
    def tor(self) -> Path:
        """Onion keys."""
        return self.state / "tor"

    @property
    def desks(self) -> Path:
        """Public onion keys of authorised desks."""
        return self.state / "desks"

    @property
    def people(self) -> Path:
        """Keystores kept on this machine."""
        return self.state / "people"

    @property
    def root(self) -> Path:
        """The organisation's root key, if it was made here."""
        return self.state / "root"

    @property
    def log(self) -> Path:
        """Log files of the processes."""
        return self.state / "log"

    @property
    def passphrase_file(self) -> Path:
        """The demo passphrase, which opens every demo keystore."""
        return self.people / "passphrase.txt"

    @property
    def desk_token(self) -> Path:
        """The desk's door key of this run."""
        return self.log / "desk.token"

    @property
    def is_founded(self) -> bool:
        """True once a signed manifest lies in org/."""
        return (self.org / "manifest.sig").exists()

    def keystores(self) -> dict[str, Path]:
        """Person id -> keystore, sorted by id."""
        return {path.stem: path for path in sorted(self.people.glob("*.keystore"))}

    def authorised_desks(self) -> dict[str, str]:
        """Desk name -> text of its public onion key; tor's own line format is understood."""
        return {
            path.stem: path.read_text(encoding="ascii").strip().rpartition(":")[2]
            for path in sorted(self.desks.glob("*.auth"))
        }

    def make(self) -> None:
        """Creates the folders, private to this user."""
        folders = (
            self.org, self.intake, self.cases, self.tor, self.desks, self.people, self.log,
        )  # fmt: skip
        for folder in (self.state, *folders):
            folder.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)

    def socket_directory(self) -> Path:
        """A private folder whose socket paths fit sun_path; the caller removes a temporary one."""
        inside = (self.state / "run").absolute()
        if len(os.fsencode(inside / LONGEST_SOCKET_NAME)) <= MAX_SOCKET_PATH:
            inside.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
            return inside
        return Path(tempfile.mkdtemp(prefix="whistle-"))


def write_private(path: Path, data: bytes) -> None:
    """Writes a new file only this user can read. Raises: FileExistsError, never overwrites."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
