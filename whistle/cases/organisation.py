# SPDX-License-Identifier: AGPL-3.0-or-later
"""The organisation's signed files as the case server uses them.

Invariants
* The manifest is verified under the root key pinned in `instance.id`, policy and catalogue by the
  hashes in the manifest, before anything in them is believed.
* A lower serial than one ever used here is refused, also after a restart.
* Files that do not verify leave the present ones in force.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from case_mgmt.catalogue import Catalogue, parse_catalogue
from case_mgmt.errors import CaseError
from case_mgmt.policy import Policy, parse_policy
from case_mgmt.publication.names import LOG_POLICY
from crypto.encoding import unhex
from crypto.errors import CryptoError
from crypto.manifest import Manifest, verify_manifest
from crypto.tlog.policy import Policy as LogPolicy
from crypto.tlog.policy import parse_policy as parse_log_policy
from whistle import logs
from whistle.cases.limits import MAX_ORG_FILE
from whistle.errors import ConfigError

FILES: Final = ("manifest.json", "manifest.sig", "policy.json", "catalogue.json")
_HASHED: Final = ("policy.json", "catalogue.json")


@dataclass(frozen=True)
class Organisation:
    """One verified set of files."""

    manifest: Manifest
    policy: Policy
    catalogue: Catalogue
    files: Mapping[str, bytes]
    log_policy: LogPolicy | None = None
    """Which witnesses must have seen the public log; None without one."""


def load_organisation(folder: Path, today: date, min_serial: int) -> Organisation:
    """Load and verify the files.  Raises ConfigError."""
    instance_id = load_instance_id(folder)
    files = {name: _read(folder / name) for name in FILES}
    log_policy: LogPolicy | None = None
    try:
        manifest = verify_manifest(
            files["manifest.json"], files["manifest.sig"], instance_id, today, min_serial
        )
        hashed = [*_HASHED, *(name for name in (LOG_POLICY,) if name in manifest.files)]
        files |= {name: _read(folder / name) for name in hashed}
        for name in hashed:
            if hashlib.sha256(files[name]).hexdigest() != manifest.files.get(name):
                raise ConfigError(f"{name} is not the file that the manifest names")
        policy = parse_policy(files["policy.json"])
        catalogue = parse_catalogue(files["catalogue.json"])
        if LOG_POLICY in files:
            log_policy = parse_log_policy(files[LOG_POLICY])
    except CryptoError as error:
        raise ConfigError(f"the manifest is not in order: {error}") from error
    except CaseError as error:
        raise ConfigError(f"policy or catalogue are not in order: {error}") from error
    return Organisation(manifest, policy, catalogue, files, log_policy)


def load_instance_id(folder: Path) -> bytes:
    """The pinned root public key.  Raises ConfigError."""
    text = _read(folder / "instance.id").decode("ascii", errors="replace").strip()
    try:
        return unhex(text, 32)
    except CryptoError as error:
        raise ConfigError("instance.id must hold 64 hexadecimal digits") from error


class OrganisationSource:
    """The files in force, and the look for newer ones."""

    def __init__(self, folder: Path, load: Callable[[int], Organisation], min_serial: int) -> None:
        self._folder = folder
        self._load = load
        self._stamp = self._look()
        self.current = load(min_serial)

    def refresh(self) -> bool:
        """Take newer files into force; whether there were any."""
        stamp = self._look()
        if stamp == self._stamp:
            return False
        try:
            fresh = self._load(self.current.manifest.serial)
        except ConfigError as error:
            # The stamp is not kept: half-copied files are looked at again.
            logs.get("cases").warning("organisation files refused", **logs.describe(error))
            return False
        self._stamp = stamp
        if fresh.manifest.serial <= self.current.manifest.serial:
            return False
        self.current = fresh
        logs.get("cases").info("organisation files renewed", serial=fresh.manifest.serial)
        return True

    def _look(self) -> tuple[int, ...]:
        try:
            return tuple((self._folder / name).stat().st_mtime_ns for name in FILES)
        except OSError:
            return ()


def _read(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path.name} is missing or cannot be read") from error
    if len(data) > MAX_ORG_FILE:
        raise ConfigError(f"{path.name} is too large")
    return data
