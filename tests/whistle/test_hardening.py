# SPDX-License-Identifier: AGPL-3.0-or-later
"""Measured in a process of its own: hardening this one would hide it from the debugger."""

import os
import resource
import subprocess
import sys

import pytest

SCRIPT = """
import os, resource
from pathlib import Path
from whistle.hardening import harden_process

harden_process()
print(resource.getrlimit(resource.RLIMIT_CORE))
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
print(soft == hard)
import ctypes
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
path = Path(os.environ["TARGET"])
path.write_bytes(b"")
print(oct(path.stat().st_mode & 0o777))
"""

DEATH = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-P", "-c",
    "from whistle.hardening import die_with_parent; die_with_parent(); print(1, flush=True);"
    "import time; time.sleep(60)"], stdout=subprocess.PIPE)
child.stdout.read(1)
print(child.pid, flush=True)
import os
os._exit(0)
"""


LOCK = """
from whistle.hardening import lock_memory
print(lock_memory())
block = b"x" * 30_000_000
status = open("/proc/self/status").read()
locked, resident = (int(status.split(name)[1].split()[0]) for name in ("VmLck:", "VmRSS:"))
print(locked >= 30_000, resident < 80_000)
"""

NO_RIGHT = """
import ctypes
ctypes.CDLL(None).prctl(24, 14, 0, 0, 0)  # CAP_IPC_LOCK leaves the bounding set
import os, sys
os.execv(sys.executable, [sys.executable, "-P", "-c", sys.argv[1]])
"""


def _few_descriptors() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 512))


def test_a_hardened_process_leaves_no_core_and_hides_its_memory(tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", SCRIPT],
        capture_output=True,
        text=True,
        check=True,
        env={"TARGET": str(tmp_path / "new")},
        preexec_fn=_few_descriptors,
    )
    assert done.stdout.split("\n")[:4] == ["(0, 0)", "True", "0", "0o600"]


def test_a_child_ends_with_its_parent() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", DEATH], capture_output=True, text=True, check=True, timeout=30
    )
    # The pipe's end was held by the grandchild too: run() returned, so it is gone.
    assert int(done.stdout) > 0


def _small_limit() -> None:
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (8 << 20, 8 << 20))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may lock without a limit")
def test_memory_is_locked_when_it_is_used_and_not_before() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", LOCK], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "True", "True"]


def test_a_small_limit_is_not_used_because_it_would_end_the_server() -> None:
    """Without the capability; with it (root) the limit does not count."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", NO_RIGHT, LOCK],
        capture_output=True, text=True, check=True, preexec_fn=_small_limit,
    )  # fmt: skip
    assert done.stdout.split() == ["False", "False", "True"]
