# SPDX-License-Identifier: AGPL-3.0-or-later
"""What became of asking each witness, kept beside the database for the operator to see.

Invariants
* The file is replaced whole; one that is damaged counts as none, because nothing is decided by it.
* It holds names of the log policy and words of a closed list, nothing a witness sent.

Source: docs/spec/log.md section 4.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from crypto.encoding import canonical_json, parse_json
from crypto.errors import MalformedError
from whistle.witness.client import Outcome, Result

NAME: Final = "log.witnesses"
_MAX: Final = 64 * 1024


class WitnessFile:
    """The outcomes of the latest round, by the witnesses' names."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def recall(self) -> Mapping[str, Outcome]:
        """What was kept; empty if there is nothing to read."""
        try:
            value = parse_json(self._path.read_bytes(), max_bytes=_MAX)
            return {str(name): Outcome(each) for name, each in value["witnesses"].items()}
        except (OSError, MalformedError, KeyError, TypeError, AttributeError, ValueError):
            return {}

    def remember(self, results: Sequence[Result]) -> Mapping[str, Outcome]:
        """Keep a round's outcomes, and return them.  Raises OSError."""
        found = {each.name: each.outcome for each in results}
        if found == self.recall():
            return found
        fresh = self._path.with_name(self._path.name + ".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(canonical_json({"v": 1, "witnesses": {n: str(o) for n, o in found.items()}}))
        fresh.replace(self._path)
        return found
