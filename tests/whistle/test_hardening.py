# SPDX-License-Identifier: AGPL-3.0-or-later
"""Measured in a process of its own: hardening this one would hide it from the debugger."""

import resource
import subprocess
import sys

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
