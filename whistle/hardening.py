# SPDX-License-Identifier: AGPL-3.0-or-later
"""What each of our processes does to itself before it handles anything secret.

Invariants: no core dump, no reading of its memory by other processes of the same user (prctl(2),
PR_SET_DUMPABLE), files private by default, as many descriptors as the system allows: a server must
reach its own limits before that one. Locked memory and sandboxes are the service manager's work and
are not done here.
"""

import ctypes
import os
import resource
import signal
import sys

PRIVATE_UMASK = 0o077
PARENT_VARIABLE = "WHISTLE_PARENT_PID"
"""Set by `whistle run` for its children, read here only."""

# Numbers of prctl(2), linux/prctl.h
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4


def harden_process() -> None:
    """No core dump, no foreign reader of our memory, private files, all descriptors we may have."""
    os.umask(PRIVATE_UMASK)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    _prctl(_PR_SET_DUMPABLE, 0)


def die_with_parent() -> None:
    """Asks for SIGTERM when the parent ends, so that no server outlives `whistle run`.

    A parent that ended before this call is noticed too, if it named itself in PARENT_VARIABLE.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    parent = os.environ.get(PARENT_VARIABLE)
    if parent is not None and parent != str(os.getppid()):
        sys.exit("the starting process has ended")


def _prctl(option: int, value: int) -> None:
    """Linux only; elsewhere there is nothing to call and the limits above still hold."""
    try:
        function = ctypes.CDLL(None, use_errno=True).prctl
    except (OSError, AttributeError):
        return
    function(option, value, 0, 0, 0)
