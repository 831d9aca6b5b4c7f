# SPDX-License-Identifier: AGPL-3.0-or-later
"""What each of our processes does to itself before it handles anything secret.

Invariants: no core dump, no reading of its memory by other processes of the same user (prctl(2),
PR_SET_DUMPABLE), files private by default. Locked memory and sandboxes are the service manager's
work and are not done here.
"""

import ctypes
import os
import resource
import signal

PRIVATE_UMASK = 0o077

# Numbers of prctl(2), linux/prctl.h
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4


def harden_process() -> None:
    """No core dump, no foreign reader of our memory, private files."""
    os.umask(PRIVATE_UMASK)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _prctl(_PR_SET_DUMPABLE, 0)


def die_with_parent() -> None:
    """Asks for SIGTERM when the parent ends, so that no server outlives `whistle run`."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _prctl(option: int, value: int) -> None:
    """Linux only; elsewhere there is nothing to call and the limits above still hold."""
    try:
        function = ctypes.CDLL(None, use_errno=True).prctl
    except (OSError, AttributeError):
        return
    function(option, value, 0, 0, 0)
