# SPDX-License-Identifier: AGPL-3.0-or-later
"""Factory of real organisation folders: signed manifest, policy, catalogue, all private keys.

org = make_org(tmp_path, today)
org.dir / "manifest.json", .sig, policy.json, catalogue.json, instance.id
org.identities["penyidik-1"].recipient_seed, .device_seed
org.service_seeds["intake"], ["cases"]
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from case_mgmt.catalogue import demo_catalogue
from case_mgmt.policy import default_policy
from crypto.domains import Domain
from crypto.encoding import canonical_json
from crypto.private.keystore import Identity
from crypto.signing import public_from_seed, sign
from crypto.xwing import recipient_from_seed

DEMO_PEOPLE: tuple[tuple[str, str, str], ...] = (
    ("penyidik-1", "investigator", "inspektorat-1"),
    ("penyidik-2", "investigator", "inspektorat-2"),
    ("pengawas", "supervisor", "inspektorat-pengaduan"),
)


def seed(name: str) -> bytes:
    """Return a fixed 32-byte seed for a name: the same key in every run."""
    return hashlib.sha256(b"whistle test seed " + name.encode()).digest()


@dataclass(frozen=True)
class Org:
    """An organisation folder and everything that signs and opens for it."""

    dir: Path
    root_seed: bytes
    instance_id: bytes
    identities: Mapping[str, Identity]
    service_seeds: Mapping[str, bytes]
    today: date
    manifest: dict[str, Any] = field(repr=False)

    def rewrite(self, **changes: Any) -> None:
        """Sign the manifest again with `changes`; raise `serial` yourself."""
        self.manifest.update(changes)
        data = canonical_json(self.manifest)
        (self.dir / "manifest.json").write_bytes(data)
        (self.dir / "manifest.sig").write_bytes(sign(self.root_seed, Domain.MANIFEST, data))

    def write_state(self, state: Path, service: str) -> Path:
        """Give a server its state folder with its service key; return the folder."""
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = state / "service.key"
        key.write_text(self.service_seeds[service].hex() + "\n", encoding="ascii")
        key.chmod(0o600)
        return state


def make_org(
    tmp_path: Path,
    today: date,
    *,
    people: Sequence[tuple[str, str, str]] = DEMO_PEOPLE,
    root: str = "root",
    **changes: Any,
) -> Org:
    """Write `tmp_path`/org, signed by a test root; `changes` overrides manifest fields."""
    root_seed = seed(root)
    instance_id = public_from_seed(root_seed)
    identities = {
        person: Identity(
            person=person,
            recipient_seed=seed(f"recipient {person}"),
            device_seed=seed(f"device {person}"),
            instance_id=instance_id,
        )
        for person, _, _ in people
    }
    services = {name: seed(f"service {name}") for name in ("intake", "cases")}
    folder = tmp_path / "org"
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "policy.json": default_policy(today.year - 1, today.year + 3).to_json(),
        "catalogue.json": demo_catalogue().to_json(),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    (folder / "instance.id").write_text(instance_id.hex() + "\n", encoding="ascii")
    manifest = {
        "v": 1,
        "serial": 1,
        "not_before": (today - timedelta(days=1)).isoformat(),
        "not_after": (today + timedelta(days=730)).isoformat(),
        "name": {"id": "Inspektorat Kota Contoh", "en": "Inspectorate of Kota Contoh"},
        "demo": True,
        "people": [
            {
                "id": person,
                "name": person,
                "roles": [role],
                "unit": unit,
                "recipient": recipient_from_seed(identities[person].recipient_seed).to_age(),
                "desk": public_from_seed(identities[person].device_seed).hex(),
            }
            for person, role, unit in people
        ],
        "services": {name: public_from_seed(value).hex() for name, value in services.items()},
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
        "onion": None,
    }
    org = Org(folder, root_seed, instance_id, identities, services, today, manifest)
    org.rewrite(**changes)
    return org
