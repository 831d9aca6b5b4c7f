# SPDX-License-Identifier: AGPL-3.0-or-later
"""A release on its way in: its files are gathered aside, then judged as a whole.

Judged in this order, at the first that fails the release stays out:

1. the files are exactly those release.json names, each with its hash;
2. manifest, policy and log policy are those in force;
3. two people have signed it, one of them a publisher;
4. it is of this organisation; the rest (order, log) the caller compares with its store.

Invariant: nothing is believed of a release before step 3, and nothing is published from the
staging folder but the bytes that were judged.

Source: docs/spec/release.md, docs/spec/case-api.md section 6.
"""

import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

from case_mgmt.errors import GateError
from case_mgmt.publishing import Claim
from case_mgmt.store.log_ports import StoredRelease
from crypto.encoding import unhex
from crypto.errors import MalformedError
from crypto.manifest import Manifest
from whistle.cases.limits import MAX_PUBLIC_FILE, MAX_RELEASE_BYTES, MAX_STAGED_BYTES
from whistle.release.errors import ReleaseError
from whistle.release.folder import RELEASE, check_folder, read_release, release_digest, require_path
from whistle.release.signing import verify_signatures

_FILE_COST: Final = 1024
"""What a file counts besides its bytes, so that empty ones are bounded too."""


class Staging:
    """The folder where files of releases are gathered."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def add(self, release: str, path: str, content: bytes) -> None:
        """Keep a file aside.  Raises GateError: its path or size cannot be."""
        folder = self._root / release
        try:
            require_path(path)
        except ReleaseError as error:
            raise GateError("release_files") from error
        if len(content) > MAX_PUBLIC_FILE or _size(folder) + len(content) > MAX_RELEASE_BYTES:
            raise GateError("release_files")
        self._make_room(release, len(content))
        target = folder / path
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            target.write_bytes(content)
        except OSError as error:  # a file where a folder should be
            raise GateError("release_files") from error

    def judge(
        self, release: str, manifest: Manifest, in_force: Mapping[str, bytes], today: date
    ) -> tuple[Claim, list[tuple[str, bytes]]]:
        """Steps 1 to 4; the claim, and every file, release.json last.  Raises GateError."""
        folder = self._root / release
        try:
            # 1
            check_folder(folder)
        except ReleaseError as error:
            raise GateError("release_files") from error
        # 2
        for name, content in in_force.items():
            if _read(folder / name) != content:
                raise GateError("release_organisation")
        # 3
        try:
            verify_signatures(folder, manifest)
        except ReleaseError as error:
            raise GateError("release_signatures") from error
        # 4
        claim = _claim(folder, release, manifest, today)
        names = sorted(each for each in folder.rglob("*") if each.is_file())
        names.sort(key=lambda each: each.name == RELEASE and each.parent == folder)
        return claim, [(each.relative_to(folder).as_posix(), each.read_bytes()) for each in names]

    def _make_room(self, release: str, more: int) -> None:
        """What others have left half handed in goes before all of it together grows too large."""
        if _size(self._root) + more <= MAX_STAGED_BYTES:
            return
        for other in self._root.iterdir():
            if other.name != release:
                self.drop(other.name)

    def drop(self, release: str) -> None:
        """Forget what was gathered."""
        shutil.rmtree(self._root / release, ignore_errors=True)


def _claim(folder: Path, release: str, manifest: Manifest, today: date) -> Claim:
    value: Mapping[str, Any] = read_release(folder)
    try:
        if value["id"] != release or unhex(value["instance"], 32) != manifest.instance_id:
            raise GateError("release_organisation")
        previous, size = value["previous"], value["log"]["size"]
        if not isinstance(size, int):
            raise GateError("release_log")
        return Claim(
            StoredRelease(release, release_digest(folder), today),
            size,
            unhex(value["log"]["root"], 32),
            None if previous is None else unhex(previous["sha256"], 32),
        )
    except (KeyError, TypeError, MalformedError) as error:
        raise GateError("release_files") from error


def _size(folder: Path) -> int:
    return sum(_FILE_COST + each.stat().st_size for each in folder.rglob("*") if each.is_file())


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


MANIFEST_FILES: Final = ("manifest.json", "manifest.sig", "policy.json", "log-policy.txt")
"""The organisation's files that a release carries."""
