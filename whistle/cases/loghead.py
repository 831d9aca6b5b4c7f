# SPDX-License-Identifier: AGPL-3.0-or-later
"""The head of the public log, beside the database: what was shown last.

Invariant: the file is replaced whole and durable before `remember` returns; a damaged file stops
the log instead of being taken for none.

Source: docs/spec/log.md section 2; C2SP tlog-checkpoint.
"""

import os
from pathlib import Path
from typing import Final

from case_mgmt.errors import LogError
from case_mgmt.publiclog import Head
from crypto.encoding import canonical_json, parse_json, unhex
from crypto.errors import MalformedError

_MAX: Final = 1024
_MODE: Final = 0o600


class HeadFile:
    """A `HeadKeeper` in one small file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def recall(self) -> Head | None:
        """What was remembered last.  Raises LogError if the file is damaged."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            obj = parse_json(data, max_bytes=_MAX)
            size, root = obj["size"], unhex(obj["root"], 32)
        except (MalformedError, KeyError, TypeError) as error:
            raise LogError("the head of the log is damaged") from error
        if not isinstance(size, int) or size < 0:
            raise LogError("the head of the log is damaged")
        return Head(size, root)

    def remember(self, head: Head) -> None:
        """Durable when this returns."""
        if head == self.recall():
            return
        fresh = self._path.with_name(self._path.name + ".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(canonical_json({"size": head.size, "root": head.root.hex()}))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
