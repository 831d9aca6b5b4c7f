# SPDX-License-Identifier: AGPL-3.0-or-later
"""What pyproject.toml asks for and what the lock files pin, hash by hash.

A lock is pip's requirements format as uv writes it: `name==version`, perhaps a marker, then one
`--hash=sha256:…` for every file that may be installed. Nothing else is accepted.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).resolve().parents[2]
RUNTIME: Final = "requirements.lock"
DEVELOPMENT: Final = "requirements-dev.lock"
BUILD: Final = ".ci/build.lock"
BROWSER: Final = "whistle/browser/package-lock.json"
NPM_LOCKS: Final = (BROWSER, "tests/vectors/package-lock.json")

_PIN: Final = re.compile(r"([a-z0-9][a-z0-9-]*)==([^\s;]+)(?: ; ([^\\]+?))?")
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class Locked:
    """One pinned package and the SHA-256 of each file that may be installed for it."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]


@dataclass(frozen=True)
class Script:
    """One package whose code is part of the scripts we ship, from npm's lock."""

    name: str
    version: str
    licence: str
    integrity: str
    needs: tuple[str, ...]


def locks() -> list[str]:
    """The names of all Python lock files."""
    found = [*ROOT.glob("requirements*.lock"), *ROOT.glob(".ci/*.lock")]
    return sorted(str(path.relative_to(ROOT)) for path in found)


def run_time_locks() -> list[str]:
    """Locks of what is installed for use: everybody's first, then one for each optional group."""
    others = {DEVELOPMENT, RUNTIME}
    return [RUNTIME, *(one for one in locks() if one not in others and not one.startswith("."))]


def installed() -> dict[str, Locked]:
    """Everything that may be installed for use, by name, everybody's first."""
    found: dict[str, Locked] = {}
    for lock in run_time_locks():
        found = {one.name: one for one in read_lock(lock)} | found
    return dict(sorted(found.items()))


def read_lock(name: str) -> tuple[Locked, ...]:
    """The entries of a lock file. Raises: ValueError: a line that is not a pin with hashes."""
    return parse_lock((ROOT / name).read_text(encoding="utf-8"))


def parse_lock(text: str) -> tuple[Locked, ...]:
    """The same from the text. Raises: ValueError."""
    return tuple(_locked(entry) for entry in _entries(text))


def _entries(text: str) -> Iterator[str]:
    joined = text.replace("\\\n", " ")
    yield from (line for line in joined.splitlines() if line.strip() and line[0] != "#")


def _locked(entry: str) -> Locked:
    pin, *hashes = re.split(r"\s+(?=--)", entry.strip())
    found = _PIN.fullmatch(pin.strip())
    digests = [_HASH.fullmatch(each.strip()) for each in hashes]
    if found is None or not digests or None in digests:
        raise ValueError(f"not a pin with hashes: {pin[:80]}")
    listed = tuple(each[1] for each in digests if each)
    return Locked(found[1], found[2], found[3] or "", listed)


def project() -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def asked() -> Mapping[str, tuple[Requirement, ...]]:
    """What pyproject.toml asks for at run time, by optional group; "" is what everybody gets."""
    table = project()["project"]
    groups = {"": table["dependencies"], **table.get("optional-dependencies", {})}
    return {group: tuple(map(Requirement, lines)) for group, lines in groups.items()}


def name_of(requirement: Requirement) -> str:
    """The name as locks write it."""
    return canonicalize_name(requirement.name)


def scripts() -> tuple[Script, ...]:
    """What is bundled into the scripts of the site; nothing that only builds them."""
    packages = json.loads((ROOT / BROWSER).read_text(encoding="utf-8"))["packages"]
    return tuple(
        Script(
            path.removeprefix("node_modules/"), entry["version"], entry["license"],
            entry["integrity"], tuple(entry.get("dependencies", {})),
        )
        for path, entry in packages.items()
        if path and not entry.get("dev") and not entry.get("optional")
    )  # fmt: skip
