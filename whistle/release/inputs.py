# SPDX-License-Identifier: AGPL-3.0-or-later
"""All that a release is made of: nothing else goes into the folder, no clock and no chance.

Invariant: two equal `ReleaseInputs` make the same bytes.

Source: docs/spec/release.md section 2.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from case_mgmt.catalogue import Catalogue
from case_mgmt.publication.history import Window
from crypto.manifest import ManifestContent, parse_content
from whistle.release.errors import InputError

ORGANISATION_FILES: Final = ("manifest.json", "manifest.sig", "policy.json", "log-policy.txt")
_ID: Final = re.compile(r"[0-9]{4}-[a-z0-9]{1,16}")
_ROOT: Final = 32

JsonObject = Mapping[str, Any]


@dataclass(frozen=True)
class LogHead:
    """The state of the log that the figures were counted from."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True)
class EarlierRelease:
    """A release that is out, as far as the next one needs it."""

    id: str
    sha256: str
    """Of its release.json, hexadecimal."""
    figures: JsonObject
    tables: JsonObject


@dataclass(frozen=True)
class ReleaseInputs:
    """What goes in.  `figures`, `tables`, `suppression`: shapes of docs/spec/figures.md."""

    id: str
    """`2026-q3`; a correction gets an id of its own."""
    instance_id: bytes
    organisation: Mapping[str, bytes]
    """`ORGANISATION_FILES` as they are in force."""
    catalogue: Catalogue
    period: Window
    as_of: date
    log: LogHead
    log_files: Mapping[str, bytes]
    """Path below `log/` to content: `checkpoint`, `tile/…`."""
    canaries: bytes
    figures: JsonObject
    tables: JsonObject
    suppression: JsonObject
    earlier: tuple[EarlierRelease, ...] = ()
    """All that are out, oldest first."""
    reason: str | None = None
    """Why, when this release corrects another."""

    @property
    def manifest(self) -> ManifestContent:
        """The manifest in force, its signature not checked here."""
        return parse_content(self.organisation["manifest.json"])

    @property
    def previous(self) -> EarlierRelease | None:
        """The release before this one."""
        return self.earlier[-1] if self.earlier else None


def check_inputs(inputs: ReleaseInputs) -> None:
    """Raise `InputError` unless the parts are there and belong together."""
    if _ID.fullmatch(inputs.id) is None:
        raise InputError("a release is named like 2026-q3")
    if inputs.id in {each.id for each in inputs.earlier}:
        raise InputError("a release of this name is out; a correction gets a name of its own")
    missing = [name for name in ORGANISATION_FILES if name not in inputs.organisation]
    if missing:
        raise InputError(f"missing from the organisation's files: {', '.join(missing)}")
    if "checkpoint" not in inputs.log_files or len(inputs.log.root) != _ROOT:
        raise InputError("the log has no checkpoint")
    if not inputs.period.first <= inputs.period.last <= inputs.as_of:
        raise InputError("the period ends after the last day that the log covers")
