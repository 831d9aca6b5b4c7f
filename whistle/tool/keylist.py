# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whose keys to seal to: the organisation's signed files, believed only after they were checked
against what the reporter knows from elsewhere.

Invariants:

* there is no use of a key list without a pin: the root key itself, or the twelve check words;
* the bytes are verified before they are parsed; a lower serial than one seen, and a day outside
  the list's dates, are refused; policy and catalogue are those the list names;
* nothing is remembered unless the reporter names a file for it; it then holds the highest serial
  per organisation and nothing else.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from case_mgmt.catalogue import Catalogue, parse_catalogue
from case_mgmt.errors import CaseError
from case_mgmt.policy import Policy, parse_policy
from crypto.errors import CryptoError, ManifestError, ReceiptError
from crypto.manifest import Manifest, Person, instance_fingerprint_words, verify_manifest
from crypto.receipt import parse_receipt
from whistle.limits import MAX_ORG_FILE
from whistle.tool.errors import KeyListError

INSTANCE_FILE: Final = "instance.id"
FILES: Final = ("manifest.json", "manifest.sig", "policy.json", "catalogue.json")
_REFUSALS: Final = {
    "manifest is not signed by this organisation": "tool.keys_signature",
    "manifest is older than one seen before": "tool.keys_older",
    "manifest is not valid today": "tool.keys_date",
}


@dataclass(frozen=True)
class Pin:
    """What the reporter knows of the organisation from elsewhere: root key or check words."""

    instance: bytes | None = None
    phrase: bytes | None = None  # the sixteen bytes behind the check words

    @classmethod
    def parse(cls, instance: str | None, words: str | None) -> "Pin":
        """Read what was typed. Raises: KeyListError."""
        if instance is None and words is None:
            raise KeyListError("tool.pin_missing")
        return cls(_instance(instance), _phrase(words))

    def choose(self, offered: str | None) -> bytes:
        """Return the root key to verify with; `offered` is what the source claims it is.

        SECURITY: the check words bind 128 bits of a hash of the key; an offered key that does not
        give these words is never used (tests/whistle/tool/test_keylist.py).
        """
        if self.instance is not None:
            self._require_phrase(self.instance)
            return self.instance
        if offered is None:
            raise KeyListError("tool.instance_missing")
        claimed = _instance(offered.strip())
        if claimed is None:
            raise KeyListError("tool.instance_missing")
        self._require_phrase(claimed)
        return claimed

    def _require_phrase(self, instance: bytes) -> None:
        if self.phrase is None:
            return
        words = " ".join(instance_fingerprint_words(instance, "id"))
        if parse_receipt(words).raw != self.phrase:
            raise KeyListError("tool.pin_differs")


@dataclass(frozen=True)
class KeyList:
    """One verified set of the organisation's files."""

    manifest: Manifest
    policy: Policy
    catalogue: Catalogue

    @property
    def instance_id(self) -> bytes:
        """The root key the list was verified with."""
        return self.manifest.instance_id

    def audience(self, accused: frozenset[str]) -> tuple[Person, ...]:
        """Return whom a report is sealed to. Raises: KeyListError: nobody is left."""
        people = tuple(p for p in self.manifest.recipients_for(None) if p.unit not in accused)
        if not people:
            raise KeyListError("tool.nobody")
        return people


def verify_files(
    files: Mapping[str, bytes], offered: str | None, pin: Pin, today: date, min_serial: int = 0
) -> KeyList:
    """Check everything in the order the invariants say. Raises: KeyListError."""
    instance = pin.choose(offered)
    try:
        manifest = verify_manifest(
            files["manifest.json"], files["manifest.sig"], instance, today, min_serial
        )
    except ManifestError as error:
        raise KeyListError(_REFUSALS.get(str(error), "tool.keys_malformed")) from error
    except CryptoError as error:
        raise KeyListError("tool.keys_malformed") from error
    for name in ("policy.json", "catalogue.json"):
        if hashlib.sha256(files[name]).hexdigest() != manifest.files.get(name):
            raise KeyListError("tool.keys_file", file=name)
    try:
        policy = parse_policy(files["policy.json"])
        catalogue = parse_catalogue(files["catalogue.json"])
    except CaseError as error:
        raise KeyListError("tool.keys_malformed") from error
    return KeyList(manifest, policy, catalogue)


def read_folder(folder: Path) -> tuple[dict[str, bytes], str | None]:
    """Return the files of a folder and the root key it claims. Raises: KeyListError."""
    files = {}
    for name in FILES:
        try:
            files[name] = (folder / name).read_bytes()
        except OSError as error:
            raise KeyListError("tool.file_missing", file=str(folder / name)) from error
        if len(files[name]) > MAX_ORG_FILE:
            raise KeyListError("tool.keys_malformed")
    try:
        offered = (folder / INSTANCE_FILE).read_text("ascii")
    except (OSError, ValueError):
        offered = None
    return files, offered


@dataclass(frozen=True)
class SerialMemory:
    """The highest serial seen, in a file the reporter chose; without a file, nothing."""

    path: Path | None

    def lowest(self, instance: bytes) -> int:
        """Return the serial below which a list is refused. Raises: KeyListError."""
        return self._read().get(instance.hex(), 0)

    def remember(self, instance: bytes, serial: int) -> None:
        """Keep a serial, whole or not at all. Raises: KeyListError."""
        if self.path is None:
            return
        seen = self._read()
        seen[instance.hex()] = max(serial, seen.get(instance.hex(), 0))
        partial = self.path.with_name(self.path.name + ".part")
        try:
            partial.write_text(json.dumps(seen, indent=1, sort_keys=True) + "\n", "ascii")
            os.replace(partial, self.path)  # noqa: PTH105 - atomic replace is the point
        except OSError as error:
            raise KeyListError("tool.cannot_write", file=str(self.path)) from error

    def _read(self) -> dict[str, int]:
        if self.path is None or not self.path.exists():
            return {}
        try:
            seen = json.loads(self.path.read_text("ascii"))
            return {str(key): int(value) for key, value in seen.items()}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise KeyListError("tool.memory_damaged", file=str(self.path)) from error


def _instance(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        raw = bytes.fromhex(text.strip())
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise KeyListError("tool.pin_malformed")
    return raw


def _phrase(words: str | None) -> bytes | None:
    if words is None:
        return None
    try:
        return parse_receipt(words).raw
    except ReceiptError as error:
        raise KeyListError("tool.words_malformed") from error
