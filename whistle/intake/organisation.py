# SPDX-License-Identifier: AGPL-3.0-or-later
"""The organisation's signed files, loaded, checked, and loaded again when a newer manifest is put
in place.

Invariants:

* the manifest is verified against the pinned root key in `instance.id`, and policy and catalogue
  against the hashes in the manifest, before anything in them is believed;
* a serial lower than one ever used here is refused, also after a restart; files that do not verify
  leave the present ones in force;
* nobody who belongs to an excluded office is among an audience, and an audience is never empty.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from case_mgmt.catalogue import Catalogue, parse_catalogue
from case_mgmt.errors import CaseError
from case_mgmt.policy import Policy, parse_policy
from case_mgmt.publication.names import LOG_POLICY
from crypto.errors import CryptoError
from crypto.frame import recipients_digest
from crypto.manifest import Manifest, instance_fingerprint_words, verify_manifest
from crypto.xwing import Recipient
from whistle import logs
from whistle.clock import Monotonic
from whistle.errors import ConfigError
from whistle.i18n import LANGUAGES
from whistle.intake.contexts import Reader, Service, Site, Unit
from whistle.intake.pages import Pages
from whistle.intake.replies import Office
from whistle.intake.standing import Signers
from whistle.limits import MAX_ORG_FILE, ORG_CHECK_EVERY

PUBLIC_FILES: Final = ("manifest.json", "manifest.sig", "policy.json", "catalogue.json")
_HASHED: Final = ("policy.json", "catalogue.json")


@dataclass(frozen=True)
class Audience:
    """The people a message is sealed to."""

    people: tuple[str, ...]
    recipients: tuple[Recipient, ...]
    digest: bytes


@dataclass(frozen=True)
class Organisation:
    """One verified set of the organisation's files."""

    manifest: Manifest
    policy: Policy
    catalogue: Catalogue
    files: Mapping[str, bytes]
    pages: Pages
    office: Office
    _audiences: dict[frozenset[str], Audience | None] = field(default_factory=dict, repr=False)

    def accepts_reports(self, today: date) -> bool:
        """Say whether the manifest is in force."""
        return self.manifest.not_before <= today <= self.manifest.not_after

    @property
    def unit_ids(self) -> frozenset[str]:
        """Offices a report may name."""
        return frozenset(unit.id for unit in self.catalogue.units)

    @property
    def service_ids(self) -> frozenset[str]:
        """Services a report may name."""
        return frozenset(service.id for service in self.catalogue.services)

    def audience(self, excluded: frozenset[str]) -> Audience | None:
        """Return who may read a report that accuses these offices, or None if nobody is left."""
        staffed = excluded & {person.unit for person in self.manifest.people}
        if staffed not in self._audiences:
            self._audiences[staffed] = self._assemble(staffed)
        return self._audiences[staffed]

    def _assemble(self, excluded: frozenset[str]) -> Audience | None:
        people = [
            person for person in self.manifest.recipients_for(None) if person.unit not in excluded
        ]
        if not people:
            return None
        recipients = tuple(person.recipient for person in people)
        return Audience(
            tuple(person.id for person in people), recipients, recipients_digest(recipients)
        )


def load_organisation(
    folder: Path, today: date, max_file_bytes: int, min_serial: int = 0
) -> Organisation:
    """Load and verify the organisation's files.

    Raises:
        ConfigError: a file is missing, too large, does not verify, or is older than one used
            before.
    """
    instance_id = load_instance_id(folder)
    files = {name: _read(folder / name) for name in PUBLIC_FILES}
    try:
        manifest = verify_manifest(
            files["manifest.json"], files["manifest.sig"], instance_id, today
        )
        hashed = [*_HASHED, *(name for name in (LOG_POLICY,) if name in manifest.files)]
        files |= {name: _read(folder / name) for name in hashed}
        for name in hashed:
            if hashlib.sha256(files[name]).hexdigest() != manifest.files.get(name):
                raise ConfigError(f"{name} is not the one the manifest names")
        policy = parse_policy(files["policy.json"])
        catalogue = parse_catalogue(files["catalogue.json"])
    except CryptoError as error:
        raise ConfigError(f"the manifest is not in order: {error}") from error
    except CaseError as error:
        raise ConfigError(f"policy or catalogue are not in order: {error}") from error
    _require_newer(manifest, min_serial)
    pages = Pages(_site(manifest, policy, catalogue, max_file_bytes))
    office = Office(manifest.instance_id, Signers.of(manifest), policy)
    return Organisation(manifest, policy, catalogue, files, pages, office)


def _require_newer(manifest: Manifest, min_serial: int) -> None:
    if manifest.serial < min_serial:
        raise ConfigError(
            f"manifest.json has serial {manifest.serial}, but this server has used serial "
            f"{min_serial} before; put the newest manifest.json and manifest.sig in place"
        )


def load_instance_id(folder: Path) -> bytes:
    """Return the pinned root public key. Raises ConfigError."""
    text = _read(folder / "instance.id").decode("ascii", errors="replace").strip()
    try:
        instance_id = bytes.fromhex(text)
    except ValueError:
        instance_id = b""
    if len(instance_id) != 32:
        raise ConfigError("instance.id does not hold 64 hexadecimal digits")
    return instance_id


class OrganisationSource:
    """The files in force, looked at again every few seconds."""

    def __init__(
        self, folder: Path, load: Callable[[], Organisation], monotonic: Monotonic
    ) -> None:
        self._folder = folder
        self._load = load
        self._now = monotonic
        self._stamp = self._look()
        self._current = load()
        self._next = monotonic() + ORG_CHECK_EVERY

    def current(self) -> Organisation:
        """Return the organisation in force."""
        now = self._now()
        if now >= self._next:
            self._next = now + ORG_CHECK_EVERY
            self._refresh()
        return self._current

    def _refresh(self) -> None:
        stamp = self._look()
        if stamp == self._stamp:
            return
        try:
            fresh = self._load()
            for _ in fresh.pages.compile_all():
                pass  # before it is in force: answers of a running server keep their pace
        except Exception as error:  # whatever it is: the present files stay in force
            logs.get("intake").warning("organisation files refused", **logs.describe(error))
            return
        self._stamp = stamp
        if fresh.manifest.serial > self._current.manifest.serial:
            self._current = fresh
            logs.get("intake").info("organisation files renewed", serial=fresh.manifest.serial)

    def _look(self) -> tuple[int, ...]:
        try:
            return tuple((self._folder / name).stat().st_mtime_ns for name in PUBLIC_FILES)
        except OSError:
            return ()


def _read(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError:
        raise ConfigError(f"{path.name} is missing or cannot be read") from None
    if len(data) > MAX_ORG_FILE:
        raise ConfigError(f"{path.name} is too large")
    return data


def _site(manifest: Manifest, policy: Policy, catalogue: Catalogue, max_file_bytes: int) -> Site:
    return Site(
        name=manifest.name,
        fingerprint={
            lang: instance_fingerprint_words(manifest.instance_id, lang) for lang in LANGUAGES
        },
        units=tuple(Unit(unit.id, unit.name, unit.level) for unit in catalogue.units),
        services=tuple(
            Service(service.id, service.name, service.official_fee)
            for service in catalogue.services
        ),
        staff_units=tuple(sorted({person.unit for person in manifest.recipients_for(None)})),
        people=tuple(
            Reader(person.name, person.roles, person.unit)
            for person in manifest.recipients_for(None)
        ),
        demo=manifest.demo,
        instance_id=manifest.instance_id.hex(),
        onion=manifest.onion,
        max_file_bytes=max_file_bytes,
        assess_days=policy.assess,
        first_step_days=policy.first_step,
        overall_days=policy.overall,
        update_days=policy.update_every_days,
        contest_days=policy.contest_within,
    )
