# SPDX-License-Identifier: AGPL-3.0-or-later
"""Loads and verifies a key list from a folder or from a site, remembering the serial if asked."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from crypto.errors import CryptoError
from crypto.manifest import parse_content
from whistle.limits import MAX_ORG_FILE
from whistle.tool.errors import KeyListError, RefusedBySiteError
from whistle.tool.keylist import (
    FILES,
    INSTANCE_FILE,
    KeyList,
    Pin,
    SerialMemory,
    read_folder,
    verify_files,
)
from whistle.tool.network import Site


@dataclass(frozen=True)
class Trust:
    """What decides whether a key list is believed."""

    pin: Pin
    memory: SerialMemory
    today: date
    min_serial: int = 0

    def verify(self, files: dict[str, bytes], offered: str | None) -> KeyList:
        """Verify files; remember the serial. Raises: KeyListError."""
        instance = self.pin.choose(offered)
        least = max(self.min_serial, self.memory.lowest(instance))
        keys = verify_files(files, offered, self.pin, self.today, least)
        self.memory.remember(keys.instance_id, keys.manifest.serial)
        return keys


def from_folder(folder: Path, trust: Trust) -> KeyList:
    """The key list of a folder. Raises: KeyListError."""
    return trust.verify(*read_folder(folder))


async def from_site(site: Site, trust: Trust) -> KeyList:
    """The key list of a site. Raises: KeyListError, NetworkError."""
    files = {name: await site.get(f"/{name}", MAX_ORG_FILE) for name in FILES}
    return trust.verify(files, await offered_instance(site, trust.pin))


async def offered_instance(site: Site, pin: Pin) -> str | None:
    """What the site says its root key is; asked only when the pin is words alone."""
    if pin.instance is not None:
        return None
    try:
        return (await site.get(f"/{INSTANCE_FILE}", 1024)).decode("ascii", "replace")
    except RefusedBySiteError:
        return None


def require_current(keys: KeyList, live: dict[str, bytes], trust: Trust) -> None:
    """Before sending: the site must not have a newer list than the report was sealed to.

    Raises: KeyListError.
    """
    try:
        signed = verify_files(live, keys.instance_id.hex(), Pin(keys.instance_id), trust.today)
        serial = parse_content(live["manifest.json"]).serial
    except CryptoError as error:
        raise KeyListError("tool.keys_malformed") from error
    if serial != keys.manifest.serial or signed.instance_id != keys.instance_id:
        raise KeyListError("tool.keys_changed", mine=keys.manifest.serial, theirs=serial)
