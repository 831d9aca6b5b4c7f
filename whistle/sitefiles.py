# SPDX-License-Identifier: AGPL-3.0-or-later
"""The signed list of a site's files: what every visitor must get, byte for byte.

Invariants:

* the list names each path once, with SHA-256 and size, sorted; its bytes are canonical JSON;
* it is signed by the organisation's root key under a label of its own (whistle.desk signs,
  everybody verifies); the bytes are verified before they are parsed;
* a lower serial than one seen before is refused.

Source: docs/spec/offline.md, "Site files".
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from crypto import jsonfields as read
from crypto.domains import Domain
from crypto.encoding import canonical_json, parse_json
from crypto.errors import MalformedError
from crypto.signing import verify

LIST_NAME: Final = "site-manifest.json"
SIGNATURE_NAME: Final = "site-manifest.sig"
VERSION: Final = 1
MAX_LIST: Final = 262144  # bytes
MAX_FILES: Final = 500
MAX_SITE_FILE: Final = 16 * 1024 * 1024  # bytes of one file
_PATH: Final = re.compile(r"(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,99}){1,4}")

Verdict = Literal["same", "differs", "missing"]


@dataclass(frozen=True)
class SiteFile:
    """One file of a site."""

    path: str
    sha256: str
    size: int

    def judge(self, data: bytes | None) -> Verdict:
        """Say whether these bytes are the file; None means that the site has none."""
        if data is None:
            return "missing"
        same = len(data) == self.size and hashlib.sha256(data).hexdigest() == self.sha256
        return "same" if same else "differs"


@dataclass(frozen=True)
class SiteList:
    """All files of a site, and which edition of the list this is."""

    serial: int
    files: tuple[SiteFile, ...]

    def encode(self) -> bytes:
        """Return the bytes that are signed."""
        return canonical_json(
            {
                "v": VERSION,
                "serial": self.serial,
                "files": [
                    {"path": each.path, "sha256": each.sha256, "size": each.size}
                    for each in self.files
                ],
            }
        )


def list_files(served: Mapping[str, bytes], serial: int) -> SiteList:
    """Return the list of what a site serves. Raises: MalformedError: a path cannot be listed."""
    files = tuple(
        SiteFile(path, hashlib.sha256(data).hexdigest(), len(data))
        for path, data in sorted(served.items())
    )
    listed = SiteList(serial, files)
    if parse_list(listed.encode()) != listed:
        raise MalformedError("the files cannot be listed")
    return listed


def verify_list(data: bytes, signature: bytes, instance_id: bytes, min_serial: int = 0) -> SiteList:
    """Return a signed list. Raises: AuthenticationError, MalformedError."""
    verify(instance_id, signature, Domain.SITE, data)
    listed = parse_list(data)
    if listed.serial < min_serial:
        raise MalformedError("site list is older than one seen before")
    return listed


def parse_list(data: bytes) -> SiteList:
    """Parse a list; only its one encoding is accepted."""
    source = read.members(parse_json(data, max_bytes=MAX_LIST))
    if read.integer(source, "v") != VERSION:
        raise MalformedError("site list of an unknown version")
    files = tuple(_file(each) for each in read.items(source, "files", MAX_FILES))
    paths = [each.path for each in files]
    if paths != sorted(set(paths)):
        raise MalformedError("site list is not sorted, or names a path twice")
    listed = SiteList(read.integer(source, "serial"), files)
    if listed.encode() != data:
        raise MalformedError("site list is not in its one form")
    return listed


def _file(value: Any) -> SiteFile:
    source = read.members(value)
    path = read.text(source, "path", 500)
    size = read.integer(source, "size")
    if _PATH.fullmatch(path) is None or ".." in path or size > MAX_SITE_FILE:
        raise MalformedError("not a file of a site")
    return SiteFile(path, read.hexadecimal(source, "sha256", 32).hex(), size)
