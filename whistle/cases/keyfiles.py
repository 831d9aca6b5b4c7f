# SPDX-License-Identifier: AGPL-3.0-or-later
"""The case server's key files: 32 secret bytes each, as 64 hexadecimal digits.

Invariants
* A key file appears whole and durable under its name, or not at all.
* A key is made only for a state directory without a database: beside one, a missing key is a loss
  to be told, and a new key would hide it.

The caller holds the lock of the state directory (whistle/statelock.py).
"""

import os
import re
from pathlib import Path
from typing import Final

from crypto.rng import Rng
from whistle.errors import ConfigError

_SECRET: Final = re.compile(r"[0-9a-f]{64}")
_MODE: Final = 0o600


def load_or_create_secret(path: Path, rng: Rng, *, may_create: bool) -> str:
    """The 64 hexadecimal digits of a key file, made if it is absent.  Raises ConfigError."""
    if not path.exists():
        if not may_create:
            raise ConfigError(f"{path.name} is missing beside a database; restore it")
        _create(path, rng(32).hex())
    try:
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        raise ConfigError(f"{path.name} cannot be read") from error
    if _SECRET.fullmatch(text) is None:
        raise ConfigError(f"{path.name} must hold 64 hexadecimal digits")
    return text


def _create(path: Path, text: str) -> None:
    partial = path.with_name(f"{path.name}.new")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{text}\n")
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(partial)  # unlike a rename, this never replaces a key
        partial.unlink()
        _sync(path.parent)
    except OSError as error:
        raise ConfigError(f"{path.name} cannot be made") from error


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
