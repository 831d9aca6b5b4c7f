# SPDX-License-Identifier: AGPL-3.0-or-later
"""Decides whether the organisation a server describes is the one this keystore belongs to.

1. the manifest verifies under the instance id in the keystore, is in force, and is not older than
   the newest one this keystore has seen;
2. policy and catalogue are the files the manifest names;
3. the holder of the keystore is in it, with these keys;
4. the server's day is this computer's day, give or take one (time zones, midnight): acts carry a
   day, and a server must not choose it. A demo organisation may live in the future.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from case_mgmt.catalogue import Catalogue, parse_catalogue
from case_mgmt.errors import CaseError
from case_mgmt.policy import Policy, parse_policy
from crypto.encoding import parse_day, unb64
from crypto.errors import CryptoError, ManifestError
from crypto.manifest import Manifest, Person, verify_manifest
from crypto.private.keystore import Identity
from whistle.clock import Now
from whistle.desk.errors import KeysError, UnreachableError

HOUR = 3600
EARLIEST_OFFSET_HOURS = 7
"""Before the policy is verified the day is taken at Jakarta's offset; it only decides validity."""
DAY_TOLERANCE = timedelta(days=1)


@dataclass(frozen=True)
class Organisation:
    """A verified organisation as this desk's person sees it."""

    manifest: Manifest
    policy: Policy
    catalogue: Catalogue
    today: date
    me: Person


@dataclass(frozen=True)
class OwnClock:
    """This computer's idea of the day; `ahead` moves a demo organisation into the future."""

    now: Now
    ahead: int = 0

    def today(self, offset_hours: int, *, demo: bool = False) -> date:
        """The day at the organisation's seat."""
        days = (self.now() + offset_hours * HOUR) // (24 * HOUR)
        return date(1970, 1, 1) + timedelta(days=days + (self.ahead if demo else 0))


def verify_organisation(
    answer: Any, identity: Identity, highest_serial: int, clock: OwnClock
) -> Organisation:
    """All four steps. Raises: KeysError, UnreachableError."""
    parts = _parts(answer)
    manifest = _manifest(parts, identity, highest_serial, clock)
    policy, catalogue = _files(parts, manifest)
    me = manifest.person_by_desk_key(identity.device_public)
    if me is None or me.recipient.raw != identity.recipient.raw:
        raise KeysError("desk.error.not_enrolled", person=identity.person)
    own = clock.today(policy.utc_offset_hours, demo=manifest.demo)
    theirs = _day(answer)
    if not manifest.demo and abs(theirs - own) > DAY_TOLERANCE:
        raise KeysError("desk.error.clock_differs", own=own.isoformat(), theirs=theirs.isoformat())
    return Organisation(manifest, policy, catalogue, theirs, me)


def _parts(answer: Any) -> Mapping[str, bytes]:
    try:
        return {name: unb64(answer[name]) for name in _PARTS}
    except (CryptoError, LookupError, TypeError, AttributeError) as error:
        raise UnreachableError("desk.error.bad_answer") from error


def _day(answer: Any) -> date:
    try:
        return parse_day(answer["today"])
    except (CryptoError, LookupError, TypeError) as error:
        raise UnreachableError("desk.error.bad_answer") from error


def _manifest(
    parts: Mapping[str, bytes], identity: Identity, highest_serial: int, clock: OwnClock
) -> Manifest:
    try:
        return verify_manifest(
            parts["manifest"],
            parts["signature"],
            identity.instance_id,
            clock.today(EARLIEST_OFFSET_HOURS),
            highest_serial,
        )
    except (ManifestError, CryptoError) as error:
        raise KeysError("desk.error.manifest_untrusted") from error


def _files(parts: Mapping[str, bytes], manifest: Manifest) -> tuple[Policy, Catalogue]:
    for name in ("policy", "catalogue"):
        if hashlib.sha256(parts[name]).hexdigest() != manifest.files.get(f"{name}.json"):
            raise KeysError("desk.error.files_untrusted", file=f"{name}.json")
    try:
        return parse_policy(parts["policy"]), parse_catalogue(parts["catalogue"])
    except CaseError as error:
        raise UnreachableError("desk.error.bad_answer") from error


_PARTS = ("manifest", "signature", "policy", "catalogue")
