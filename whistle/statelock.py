# SPDX-License-Identifier: AGPL-3.0-or-later
"""One server for one state directory: an advisory lock on `STATE/lock`.

Invariants
* Taken before anything else in the directory is read, removed or written; held until `release`.
* The lock belongs to the open file, so it is gone with the process, however that ends; the file
  stays, because removing it would let two servers each lock their own.
"""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from whistle.errors import ConfigError

NAME: Final = "lock"
_MODE: Final = 0o600


class StateLock:
    """A lock that is held until it is released; also a context manager."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def release(self) -> None:
        """Let the next server in; harmless the second time."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        """Nothing more to take."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Release."""
        self.release()


def hold(state: Path) -> StateLock:
    """Lock the state directory, which exists.

    Raises:
        ConfigError: another server holds it, or the file cannot be made.
    """
    try:
        descriptor = os.open(state / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
    except OSError as error:
        raise ConfigError("the state directory cannot be written") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise ConfigError("another server uses this state directory") from error
    return StateLock(descriptor)
