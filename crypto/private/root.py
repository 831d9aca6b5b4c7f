# SPDX-License-Identifier: AGPL-3.0-or-later
"""The organisation's offline root key: its sealed file, and the manifests it signs.

Invariants: what would not verify is not signed; the bytes are canonical JSON, so the same
content always gives the same bytes.

Source: docs/spec/envelope.md sections 11 and 12.
"""

from typing import Any, Final

from crypto.domains import Domain
from crypto.encoding import canonical_json
from crypto.errors import KeystoreError
from crypto.manifest import (
    VERSION,
    FormerKey,
    ManifestContent,
    Person,
    check_content,
    parse_canonical,
)
from crypto.private.sealed_file import (
    DEFAULT_MEMORY,
    DEFAULT_PASSES,
    Cost,
    open_file,
    seal_file,
)
from crypto.rng import Rng
from crypto.signing import SEED, sign

MAGIC: Final = b"WHSR"


def seal_root(
    root_seed: bytes,
    passphrase: str,
    rng: Rng,
    *,
    opslimit: int = DEFAULT_PASSES,
    memlimit: int = DEFAULT_MEMORY,
) -> bytes:
    """Return the root key file; `memlimit` is in bytes."""
    if len(root_seed) != SEED:
        raise KeystoreError("a root seed has 32 bytes")
    return seal_file(MAGIC, root_seed, passphrase, Cost(opslimit, memlimit), rng)


def open_root(data: bytes, passphrase: str) -> bytes:
    """Return the root seed."""
    seed = open_file(MAGIC, data, passphrase)
    if len(seed) != SEED:
        raise KeystoreError("root key file has the wrong size")
    return seed


def build_manifest_bytes(content: ManifestContent) -> bytes:
    """Return the canonical bytes of a manifest that obeys the rules."""
    check_content(content)
    former = {
        "former": [_former(each, "desk") for each in content.former],
        "former_services": [_former(each, "key") for each in content.former_services],
    }
    return canonical_json(
        {
            **{name: keys for name, keys in former.items() if keys},
            "v": VERSION,
            "serial": content.serial,
            "not_before": content.not_before.isoformat(),
            "not_after": content.not_after.isoformat(),
            "name": dict(content.name),
            "demo": content.demo,
            "people": [_person(each) for each in content.people],
            "services": {name: public.hex() for name, public in content.services.items()},
            "files": dict(content.files),
            "onion": content.onion,
        }
    )


def sign_manifest(root_seed: bytes, data: bytes) -> bytes:
    """Return the detached signature over a manifest's bytes, which must be a manifest's."""
    check_content(parse_canonical(data))
    return sign(root_seed, Domain.MANIFEST, data)


def _former(former: FormerKey, key: str) -> dict[str, Any]:
    return {"id": former.id, key: former.public.hex(), "until_serial": former.until_serial}


def _person(person: Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "name": person.name,
        "roles": list(person.roles),
        "unit": person.unit,
        "recipient": person.recipient.to_age(),
        "desk": person.desk_public.hex(),
    }
