# SPDX-License-Identifier: AGPL-3.0-or-later
"""Witnesses as their operators run them: `whistle witness init`, then `serve`, each a process."""

import contextlib
import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.service import PROGRAMS

_VKEY = re.compile(r"\S+\+[0-9a-f]{8}\+\S+")
READY = 60.0


@dataclass(frozen=True)
class RunningWitness:
    """One witness: its name in a policy, its key, where it answers."""

    name: str
    vkey: str
    url: str
    state: Path


def found(folder: Path, name: str) -> RunningWitness:
    """Make a witness's key and choose its port; nothing runs yet."""
    state = folder / name
    done = subprocess.run(
        [PROGRAMS / "whistle", "witness", "init", "--state", state, "--name", f"{name}.example/1"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (vkey,) = set(_VKEY.findall(done.stdout))
    return RunningWitness(name, vkey, f"http://127.0.0.1:{port}", state)


@contextlib.contextmanager
def serving(witness: RunningWitness, log_vkey: str) -> Iterator[None]:
    """Let it answer for as long as the block runs."""
    ready = witness.state / "ready.json"
    ready.unlink(missing_ok=True)
    process = subprocess.Popen(
        [PROGRAMS / "whistle", "witness", "serve", "--state", witness.state, "--log", log_vkey,
         "--listen", witness.url.removeprefix("http://"), "--ready-file", ready],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + READY
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("the witness does not answer")
            time.sleep(0.05)
        json.loads(ready.read_text("utf-8"))
        yield
    finally:
        process.terminate()
        process.wait(20)
