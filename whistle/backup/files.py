# SPDX-License-Identifier: AGPL-3.0-or-later
"""Writing so that a power cut leaves the old state or the new one, never a half.

Invariant: a file appears under its name complete and on the disk; the folder is synced after it.
"""

import os
from pathlib import Path
from typing import Final

PRIVATE_FILE: Final = 0o600
PRIVATE_DIRECTORY: Final = 0o700
PARTIAL: Final = ".partial"


def write_whole(path: Path, data: bytes) -> None:
    """Put `data` in place of whatever the file held.  Raises OSError."""
    partial = path.with_name(path.name + PARTIAL)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make new names in `folder` durable.  Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_private(folder: Path) -> None:
    """Make a folder that only its owner may enter, also if it was there.  Raises OSError."""
    folder.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
    folder.chmod(PRIVATE_DIRECTORY)
