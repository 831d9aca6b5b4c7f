# SPDX-License-Identifier: AGPL-3.0-or-later
"""A release as files: written once, complete or not at all, and read back against its hashes.

Invariants
* A folder appears under its name only when every file is in it.
* A folder that is there is never written to, but for `release.sig`.
* A file that `release.json` does not name, or that differs from its hash, is a fault.

Source: docs/spec/release.md section 1.
"""

import hashlib
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from crypto import jsonfields as read
from crypto.encoding import parse_json
from crypto.errors import MalformedError
from whistle.release.errors import AlreadyPublishedError, FolderError

RELEASE: Final = "release.json"
SIGNATURES: Final = "release.sig"
MAX_RELEASE_JSON: Final = 16 * 1024 * 1024  # bytes; some 100,000 log files
_SEGMENT: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}"
_PATH: Final = re.compile(rf"{_SEGMENT}(/{_SEGMENT}){{0,7}}")
"""What an intake serves (docs/spec/http.md): a release with another path could not be published."""


def write_folder(files: Mapping[str, bytes], out: Path) -> None:
    """Write all files under `out`.  Raises AlreadyPublishedError, FolderError."""
    if out.exists():
        raise AlreadyPublishedError(f"{out.name} is there already, and a release never changes")
    for path in files:
        require_path(path)
    part = out.with_name(f".{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    for path, data in sorted(files.items()):
        target = part / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    part.rename(out)


def read_release(folder: Path) -> dict[str, Any]:
    """The object of release.json.  Raises FolderError."""
    try:
        value = parse_json((folder / RELEASE).read_bytes(), max_bytes=MAX_RELEASE_JSON)
        return dict(read.members(value))
    except (OSError, MalformedError) as error:
        raise FolderError("no readable release.json") from error


def release_digest(folder: Path) -> bytes:
    """SHA-256 of release.json: what is signed and what the log holds.  Raises FolderError."""
    try:
        return hashlib.sha256((folder / RELEASE).read_bytes()).digest()
    except OSError as error:
        raise FolderError("no readable release.json") from error


def check_folder(folder: Path) -> None:
    """Raise `FolderError` unless the files are exactly those of release.json."""
    listed = read_release(folder).get("files")
    if not isinstance(listed, dict):
        raise FolderError("release.json lists no files")
    there = {each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file()}
    there -= {RELEASE, SIGNATURES}
    if there != set(listed):
        raise FolderError("the folder has other files than release.json lists")
    for path, digest in sorted(listed.items()):
        if hashlib.sha256((folder / path).read_bytes()).hexdigest() != digest:
            raise FolderError(f"{path} is not the file that release.json names")


def require_path(path: str) -> None:
    """Raise `FolderError` unless this is a plain path below a folder."""
    if _PATH.fullmatch(path) is None:
        raise FolderError("not a path of a release")
