# SPDX-License-Identifier: AGPL-3.0-or-later
"""Both servers do their work under the essentials of their units, put on by other means than
systemd: no network device, no capability, no memory both writable and executable, no new
privileges, memory locked without a limit. What they ask the kernel for is in the units' filter.
"""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from tests.support.http_reporter import HttpReporter
from tests.support.org import make_org
from tests.system.test_kill import Server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="taking rights away needs root"),
]

ROOT = Path(__file__).resolve().parents[2]
CAPABILITIES = 64
LOCK = 14  # CAP_IPC_LOCK
NEW_NETWORK = 0x40000000  # CLONE_NEWNET
NO_NEW_PRIVILEGES, DROP_FROM_BOUNDING_SET, DENY_WRITE_EXECUTE = 38, 24, 65  # prctl(2)

CONFINE = f"""
import ctypes, os, resource, sys
libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare({NEW_NETWORK}) != 0:
    sys.exit("no network namespace")
kept = ()
try:
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (-1, -1))
except ValueError:  # this machine lets nobody lift the limit: the capability stands in for it
    kept = ({LOCK},)
libc.prctl({NO_NEW_PRIVILEGES}, 1, 0, 0, 0)
if libc.prctl({DENY_WRITE_EXECUTE}, 1, 0, 0, 0) != 0:
    print("old kernel: writable memory may be executable", file=sys.stderr)
for capability in range({CAPABILITIES}):
    if capability not in kept:
        libc.prctl({DROP_FROM_BOUNDING_SET}, capability, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class House:
    """Both servers, confined, reachable by Unix sockets alone."""

    def __init__(self, folder: Path, *tracer: str) -> None:
        self.org = make_org(folder, (datetime.now(UTC) + timedelta(hours=7)).date())
        self.public, self.feed = folder / "intake.sock", folder / "feed.sock"
        self.logs = {name: folder / f"{name}.log" for name in ("intake", "cases")}
        start = [
            *tracer,
            sys.executable,
            "-P",
            "-c",
            CONFINE,
            sys.executable,
            "-P",
            "-m",
            "whistle",
        ]

        def server(name: str, *words: str | Path) -> Server:
            state = self.org.write_state(folder / name, name)
            command = [*start, name, "--org", self.org.dir, "--state", state, "--listen", "none"]
            command += ["--metrics-unix", folder / f"{name}-metrics.sock", *words]
            return Server(
                [str(word) for word in command], folder / f"{name}.ready", self.logs[name]
            )

        self.intake = server("intake", "--unix", self.public, "--feed-unix", self.feed)
        self.cases = server(
            "cases", "--unix", folder / "cases.sock", "--feed-unix", self.feed, "--poll", "0.2"
        )


@contextmanager
def running(folder: Path, *tracer: str) -> Iterator[House]:
    house = House(folder, *tracer)
    try:
        yield house
    finally:
        house.intake.stop()
        house.cases.stop()


async def one_report(house: House) -> None:
    """A report with a file, through the socket, collected by the case server."""
    await house.intake.start()
    await house.cases.start()
    async with HttpReporter(
        "http://localhost", connector=aiohttp.UnixConnector(str(house.public))
    ) as reporter:
        draft = await reporter.draft({"story": "di balik dinding " * 9}, [("a.txt", b"x" * 90_000)])
        words = await reporter.send(draft)
        page = await reporter.look(words)
        assert 'class="steps"' in page
    blobs = house.public.parent / "intake/blobs"
    for _ in range(100):
        if not any(blobs.iterdir()):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(house.logs["cases"].read_text(encoding="utf-8"))


async def test_confined_servers_do_their_work(tmp_path: Path) -> None:
    with running(tmp_path) as house:
        await one_report(house)
        for server in (house.intake, house.cases):
            status = Path(f"/proc/{server.pid}/status").read_text(encoding="ascii")
            rights = re.search(r"CapEff:\s+([0-9a-f]+)\n", status)
            assert rights is not None
            assert int(rights[1], 16) & ~(1 << LOCK) == 0
            assert "NoNewPrivs:\t1" in status
            locked = re.search(r"VmLck:\s+([0-9]+) kB", status)
            assert locked is not None
            assert int(locked[1]) > 30_000
            network = Path(f"/proc/{server.pid}/net/dev").read_text(encoding="ascii")
            assert re.findall(r"^\s*(\w+):", network, re.MULTILINE) == ["lo"]
        for log in house.logs.values():
            said = log.read_text(encoding="utf-8")
            assert '"level": "error"' not in said
            assert "overwritten" not in said


def allowed_calls(server: str) -> set[str]:
    """The system calls a unit lets through, from systemd's own table."""
    unit = (ROOT / f"deploy/systemd/whistle-{server}.service").read_text(encoding="utf-8")
    allowed: set[str] = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", unit, re.MULTILINE):
        names = expand(line.removeprefix("~").split())
        allowed = allowed - names if line.startswith("~") else allowed | names
    return allowed


def expand(words: list[str]) -> set[str]:
    names: set[str] = set()
    for word in words:
        if not word.startswith("@"):
            names.add(word)
            continue
        listed = subprocess.run(
            ["systemd-analyze", "syscall-filter", "--no-pager", word],
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        lines = [line.strip() for line in listed.stdout.splitlines()[1:]]
        names |= expand([line for line in lines if line and not line.startswith("#")])
    return names


@pytest.mark.skipif(
    not (shutil.which("strace") and shutil.which("systemd-analyze")),
    reason="needs strace and systemd-analyze",
)
async def test_the_filter_lets_through_what_the_servers_ask_for(tmp_path: Path) -> None:
    traces = tmp_path / "traces"
    traces.mkdir()
    # -D: the server stays the process we started, strace stands aside.
    with running(tmp_path, "strace", "-D", "-ff", "-qq", "-o", str(traces / "of")) as house:
        await one_report(house)
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in traces.iterdir()]
    calls = set(re.findall(r"^(\w+)\(", "\n".join(texts), re.MULTILINE))
    assert {"mlockall", "execve", "fsync"} <= calls
    # unshare is the confinement's own; SQLite gives its files to their owner if it is root.
    ours = calls - {"unshare", "fchown"}
    assert ours - allowed_calls("intake") == set()
    assert ours - allowed_calls("cases") == set()


def test_the_test_would_see_a_forbidden_call() -> None:
    assert not {"ptrace", "mount", "reboot"} & allowed_calls("intake")
