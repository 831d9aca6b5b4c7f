# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whose release it is: root key, manifest, the files it names, and the two people who signed.

Invariants
* The manifest's signature is verified before it is parsed, by the root key that the reader pinned;
  without a pin, by the one the release claims, and the reader is told to compare the check words.
* The manifest must have been in force on the last day the release counts, not on the day of
  reading: a release stays verifiable when its manifest has run out.

Source: docs/spec/envelope.md section 11, docs/spec/release.md section 4.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from crypto.domains import Domain
from crypto.errors import AuthenticationError, CryptoError
from crypto.manifest import ManifestContent, Person, check_content, parse_content
from crypto.signing import verify
from whistle.release.errors import FolderError, SignatureError
from whistle.release.signing import verify_signatures
from whistle.tool.errors import KeyListError
from whistle.tool.keylist import Pin
from whistle.verify.faults import Fault, FaultError
from whistle.verify.folder import SIGNATURES, Release

LOG_POLICY: Final = "log-policy.txt"
LOG_SERVICE: Final = "log"
_NAMED: Final = ("policy.json", LOG_POLICY)
LATE_DAYS: Final = 92
"""Days after its last counted day in which a release may be signed under a newer manifest."""


@dataclass(frozen=True)
class Organisation:
    """A verified manifest, and the log policy it names."""

    instance_id: bytes
    manifest: ManifestContent
    log_policy: bytes


def open_organisation(
    read: Callable[[str], bytes], claimed: bytes | None, pin: Pin | None
) -> Organisation:
    """Verify everything up to the files that the manifest names.  Raises FaultError.

    `claimed` is the root key that the files themselves name; it is used only when the pin allows.
    """
    instance_id = _instance(claimed, pin)
    data = read("manifest.json")
    try:
        verify(instance_id, read("manifest.sig"), Domain.MANIFEST, data)
        manifest = parse_content(data)
        check_content(manifest)
    except CryptoError as error:
        raise FaultError(Fault.MANIFEST_FORGED, "manifest.json") from error
    for name in _NAMED:
        if hashlib.sha256(read(name)).hexdigest() != manifest.files.get(name):
            raise FaultError(Fault.POLICY_REPLACED, name)
    return Organisation(instance_id, manifest, read(LOG_POLICY))


def require_in_force(organisation: Organisation, as_of: date) -> None:
    """Raise FaultError unless the manifest was in force when a release of this day was signed."""
    manifest = organisation.manifest
    late = (manifest.not_before - as_of).days > LATE_DAYS
    if manifest.not_after < as_of or late:
        raise FaultError(Fault.MANIFEST_DATES, "manifest.json")


def signers_of(release: Release, organisation: Organisation) -> tuple[Person, ...]:
    """The two people who signed.  Raises FaultError."""
    try:
        return verify_signatures(release.folder, organisation.manifest)
    except SignatureError as error:
        forged = isinstance(error.__cause__, AuthenticationError)
        fault = Fault.SIGNATURE_FORGED if forged else Fault.SIGNATURES_MISSING
        raise FaultError(fault, SIGNATURES) from error
    except FolderError as error:
        raise FaultError(Fault.FOLDER_UNREADABLE, SIGNATURES) from error


def _instance(claimed: bytes | None, pin: Pin | None) -> bytes:
    if pin is None:
        if claimed is None:
            raise FaultError(Fault.INSTANCE_OTHER)
        return claimed
    try:
        chosen = pin.choose(None if claimed is None else claimed.hex())
    except KeyListError as error:
        raise FaultError(Fault.INSTANCE_OTHER) from error
    if claimed not in {None, chosen}:
        raise FaultError(Fault.INSTANCE_OTHER)
    return chosen
