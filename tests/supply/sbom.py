# SPDX-License-Identifier: AGPL-3.0-or-later
"""The software bill of materials: CycloneDX 1.6 as JSON, the same bytes for the same locks.

It lists what is installed at run time and what is bundled into the site's scripts, with versions,
licences, package URLs, the hashes of the locks and who needs whom. No clock: the serial number
follows from the content, and there is no time stamp. Source: ECMA-424 (CycloneDX).
"""

import base64
import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from typing import Any, Final

from packaging.requirements import Requirement

from tests.supply.licences import licence_of
from tests.supply.locks import (
    RUNTIME,
    Locked,
    Script,
    asked,
    installed,
    name_of,
    read_lock,
    scripts,
)

NAME: Final = "whistle-intake"
LICENCE: Final = "AGPL-3.0-or-later"
OWN: Final = "whistle:locked-sha256"
"""Property with the SHA-256 of one file that the lock allows: a wheel or the source."""


def build(version: str) -> bytes:
    """The bill of a version."""
    locked, bundled = tuple(installed().values()), scripts()
    everybodys = {one.name for one in read_lock(RUNTIME)}
    content = {
        "metadata": {"component": _root(version)},
        "components": [
            *(_python(one, required=one.name in everybodys) for one in locked),
            *map(_script, bundled),
        ],
        "dependencies": _graph(version, locked, bundled),
    }
    digest = hashlib.sha256(_json(content)).digest()
    head = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.UUID(bytes=digest[:16], version=4)}",
        "version": 1,
    }
    return _json(head | content)


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n"


def _root(version: str) -> dict[str, Any]:
    return {"type": "application", "licenses": [{"expression": LICENCE}], **_named(NAME, version)}


def _named(name: str, version: str, kind: str = "pypi") -> dict[str, str]:
    return {
        "bom-ref": reference(name, version, kind),
        "name": name,
        "version": version,
        "purl": reference(name, version, kind),
    }


def reference(name: str, version: str, kind: str = "pypi") -> str:
    """The package URL."""
    return f"pkg:{kind}/{name.replace('@', '%40')}@{version}"


def _python(one: Locked, *, required: bool) -> dict[str, Any]:
    return {
        "type": "library",
        "scope": "required" if required else "optional",
        "licenses": [{"expression": licence_of(one.name)}],
        "properties": [{"name": OWN, "value": digest} for digest in one.hashes],
        **_named(one.name, one.version),
    }


def _script(one: Script) -> dict[str, Any]:
    digest = base64.b64decode(one.integrity.removeprefix("sha512-"))
    return {
        "type": "library",
        "scope": "required",
        "licenses": [{"expression": one.licence}],
        "hashes": [{"alg": "SHA-512", "content": digest.hex()}],
        **_named(one.name, one.version, "npm"),
    }


def _graph(
    version: str, locked: Sequence[Locked], bundled: Sequence[Script]
) -> list[dict[str, Any]]:
    python = {one.name: reference(one.name, one.version) for one in locked}
    script = {one.name: reference(one.name, one.version, "npm") for one in bundled}
    named = {name_of(one) for group in asked().values() for one in group}
    direct = [ref for name, ref in python.items() if name in named]
    needed = {name for one in bundled for name in one.needs}
    direct += [ref for name, ref in script.items() if name not in needed]
    return [
        {"ref": reference(NAME, version), "dependsOn": sorted(direct)},
        *(_needs(ref, python, needs_of(name)) for name, ref in python.items()),
        *(_needs(script[one.name], script, one.needs) for one in bundled),
    ]


def _needs(ref: str, known: Mapping[str, str], names: Iterable[str]) -> dict[str, Any]:
    return {"ref": ref, "dependsOn": sorted({known[name] for name in names if name in known})}


def needs_of(name: str) -> list[str]:
    """What an installed package asks for here, extras left out."""
    lines = map(Requirement, metadata.requires(name) or ())
    return [
        name_of(one) for one in lines if one.marker is None or one.marker.evaluate({"extra": ""})
    ]
