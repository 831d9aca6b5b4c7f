# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a server remembers of its backups: the last number, and which pieces are stored already.

Invariants
* Nothing here is needed to restore; lost, the next backup is a whole one.
* Pieces sealed to other recipients than the present ones do not count as stored.
* Content is named by hash only.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from crypto.xwing import Recipient
from whistle.backup.errors import SourceError
from whistle.backup.files import write_whole

NAME: Final = "memory.json"


@dataclass
class Memory:
    """`known`: SHA-256 of content -> (object's name, its size)."""

    recipients: str
    number: int = 0
    day: str | None = None
    known: dict[str, tuple[str, int]] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Raises SourceError."""
        text = json.dumps(
            {
                "recipients": self.recipients,
                "number": self.number,
                "day": self.day,
                "known": self.known,
            }
        )
        try:
            write_whole(folder / NAME, text.encode())
        except OSError as error:
            raise SourceError("what was backed up cannot be remembered") from error


def recipients_name(recipients: Sequence[Recipient]) -> str:
    """One name for a set of recipients."""
    joined = b"".join(sorted(each.fingerprint() for each in recipients))
    return hashlib.sha256(joined).hexdigest()


def recall(folder: Path, recipients: Sequence[Recipient]) -> Memory:
    """The memory for these recipients; an absent or useless one is an empty one."""
    fresh = Memory(recipients_name(recipients))
    try:
        source = json.loads((folder / NAME).read_text(encoding="utf-8"))
        fresh.number, fresh.day = int(source["number"]), source["day"]
        if source["recipients"] == fresh.recipients:
            fresh.known = {
                str(content): (str(name), int(size))
                for content, (name, size) in source["known"].items()
            }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return fresh
    return fresh
