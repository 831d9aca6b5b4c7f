# SPDX-License-Identifier: AGPL-3.0-or-later
"""What each of our processes does to itself before it handles anything secret.

Invariants: no core dump, no reading of its memory by other processes of the same user (prctl(2),
PR_SET_DUMPABLE), files private by default, as many descriptors as the system allows: a server must
reach its own limits before that one. Memory is locked where the system lets us lock all of it, and
never with a limit on it: then the limit would end the server, not the attacker. The sandbox around
the process is the service manager's work (deploy/systemd/).
"""

import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

PRIVATE_UMASK = 0o077
PARENT_VARIABLE = "WHISTLE_PARENT_PID"
"""Set by `whistle run` for its children, read here only."""

# Numbers of prctl(2), linux/prctl.h
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4

# Numbers of mlockall(2), linux/mman.h. ON_FAULT locks pages when they are first used: without it
# every stack and every library would be read in completely.
_MCL_CURRENT = 1
_MCL_FUTURE = 2
_MCL_ONFAULT = 4

_CAP_IPC_LOCK = 14  # capabilities(7): locks without a limit


def harden_process() -> None:
    """No core dump, no foreign reader of our memory, private files, all descriptors we may have."""
    os.umask(PRIVATE_UMASK)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    _prctl(_PR_SET_DUMPABLE, 0)


def lock_memory() -> bool:
    """Keeps this process out of swap; returns False where the system allows too little for that.

    Source: mlockall(2). Needs LimitMEMLOCK=infinity (in our units) or CAP_IPC_LOCK.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if hard == resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (hard, hard))
    elif not _may_lock_without_limit():
        return False
    try:
        function = ctypes.CDLL(None, use_errno=True).mlockall
    except (OSError, AttributeError):
        return False
    return bool(function(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) == 0)


def _may_lock_without_limit() -> bool:
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    for line in status.splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> _CAP_IPC_LOCK & 1)
    return False


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
