# SPDX-License-Identifier: AGPL-3.0-or-later
"""New service keys and a new onion address: made beside the old ones, in force all at once.

A new key lies as `service.key.next` or `hs-….next/` until the signed manifest names it; `promote`
then lets it take the old one's place.  Asked twice, or after an interruption, it finishes the work.

Invariants
* A manifest never names a key that is not on this disk, and no key in force is replaced by one the
  manifest does not name.
* A service key that was replaced stays in the manifest as a former one: it goes on verifying the
  acts it signed.  Its secret is gone.
* A replaced public address keeps answering (`hs-intake.former/`) until the operator ends it.

Source: docs/spec/backup.md, section 5; Tor's key files: rend-spec-v3 and tor's `crypto_format.c`.
"""

import hashlib
import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any, Final

from crypto.manifest import Manifest
from crypto.rng import Rng
from crypto.signing import SEED, public_from_seed
from onion.address import encode_address
from whistle.backup.databases import read_key
from whistle.backup.errors import SourceError
from whistle.backup.files import make_private, sync_folder, write_whole
from whistle.backup.taking import read_org
from whistle.layout import Layout

SERVICE_KEY: Final = "service.key"
NEXT: Final = ".next"
FORMER: Final = ".former"
SERVICES: Final = ("intake", "cases")
SECRET_HEADER: Final = b"== ed25519v1-secret: type0 ==\0\0\0"
PUBLIC_HEADER: Final = b"== ed25519v1-public: type0 ==\0\0\0"
SECRET_FILE: Final = "hs_ed25519_secret_key"  # noqa: S105 - a file name
PUBLIC_FILE: Final = "hs_ed25519_public_key"
HOSTNAME_FILE: Final = "hostname"


def prepare_service_key(layout: Layout, service: str, rng: Rng) -> str:
    """Make the next service key, once; return its public half as hex.  Raises SourceError."""
    folder = layout.state / service
    read_key(folder / SERVICE_KEY)
    path = folder / (SERVICE_KEY + NEXT)
    if not path.exists():
        write_whole(path, rng(SEED).hex().encode() + b"\n")
    return _public(path).hex()


def prepare_onion(layout: Layout, service: str, rng: Rng) -> str:
    """Make the next onion key, once; return its address.  Raises SourceError."""
    present, coming = _onion(layout, service), _onion(layout, service, NEXT)
    if not (present / SECRET_FILE).exists():
        raise SourceError(
            f"the {service} has no onion address yet: tor makes it at its first start"
        )
    if service == "intake" and _onion(layout, service, FORMER).exists():
        raise SourceError("the address before this one still answers: end it first (--end-former)")
    if not (coming / HOSTNAME_FILE).exists():
        shutil.rmtree(coming, ignore_errors=True)
        _write_onion(coming, rng(SEED))
    return (coming / HOSTNAME_FILE).read_text(encoding="ascii").strip()


def pending(layout: Layout) -> dict[str, Any]:
    """What waits for a manifest: `{"services": {name: public hex}, "onion": address or None}`.

    Raises SourceError.
    """
    keys = {each: layout.state / each / (SERVICE_KEY + NEXT) for each in SERVICES}
    hostname = _onion(layout, "intake", NEXT) / HOSTNAME_FILE
    return {
        "services": {name: _public(path).hex() for name, path in keys.items() if path.exists()},
        "onion": hostname.read_text(encoding="ascii").strip() if hostname.exists() else None,
    }


def draft(layout: Layout, first_day: date, last_day: date) -> dict[str, Any] | None:
    """The manifest the root key is asked to sign; None if nothing waits for one.

    Raises SourceError.
    """
    waiting = pending(layout)
    manifest = read_org(layout.org)
    source: dict[str, Any] = json.loads((layout.org / "manifest.json").read_bytes())
    onion = waiting["onion"] if manifest.onion is not None else None
    if not waiting["services"] and onion is None:
        return None
    former = list(source.get("former_services", []))
    for name in sorted(waiting["services"]):
        former.append(
            {"id": name, "key": source["services"][name], "until_serial": manifest.serial}
        )
    return {
        **source,
        "serial": manifest.serial + 1,
        "not_before": first_day.isoformat(),
        "not_after": last_day.isoformat(),
        "services": {**source["services"], **waiting["services"]},
        "onion": onion or source["onion"],
        **({"former_services": former} if former else {}),
    }


def promote(layout: Layout) -> list[str]:
    """Put into force what the manifest names; return what was done.  Raises SourceError."""
    manifest = read_org(layout.org)
    done = [
        f"the {service} signs with its new key"
        for service in SERVICES
        if _promote_service(layout, service, manifest)
    ]
    for service in SERVICES:
        if _promote_onion(layout, service, manifest):
            done.append(f"the {service} has its new onion address")
    return done


def end_former(layout: Layout) -> bool:
    """Remove the key of the address before; whether there was one."""
    folder = _onion(layout, "intake", FORMER)
    if not folder.exists():
        return False
    shutil.rmtree(folder)
    sync_folder(layout.tor)
    return True


def _promote_service(layout: Layout, service: str, manifest: Manifest) -> bool:
    path = layout.state / service / (SERVICE_KEY + NEXT)
    if not path.exists() or manifest.services.get(service) != _public(path):
        return False
    path.replace(path.with_name(SERVICE_KEY))
    sync_folder(path.parent)
    return True


def _promote_onion(layout: Layout, service: str, manifest: Manifest) -> bool:
    present, coming = _onion(layout, service), _onion(layout, service, NEXT)
    former = _onion(layout, service, FORMER)
    if not (coming / HOSTNAME_FILE).exists():
        return False
    address = (coming / HOSTNAME_FILE).read_text(encoding="ascii").strip()
    if service == "intake" and manifest.onion not in (None, address):
        return False
    if present.exists():
        if service == "cases":
            shutil.rmtree(former, ignore_errors=True)
        present.rename(former)
    coming.rename(present)
    if service == "cases":  # its few desks are told the new address; nobody else knew the old one
        shutil.rmtree(former, ignore_errors=True)
    sync_folder(layout.tor)
    return True


def _onion(layout: Layout, service: str, suffix: str = "") -> Path:
    return layout.tor / f"hs-{service}{suffix}"


def _write_onion(folder: Path, seed: bytes) -> None:
    """The three files tor reads; the host name last, it marks them complete."""
    expanded = bytearray(hashlib.sha512(seed).digest())
    expanded[0] &= 248
    expanded[31] = expanded[31] & 127 | 64
    public = public_from_seed(seed)
    make_private(folder)
    write_whole(folder / SECRET_FILE, SECRET_HEADER + bytes(expanded))
    write_whole(folder / PUBLIC_FILE, PUBLIC_HEADER + public)
    write_whole(folder / HOSTNAME_FILE, encode_address(public).encode("ascii") + b"\n")


def _public(path: Path) -> bytes:
    return public_from_seed(bytes.fromhex(read_key(path)))
