# SPDX-License-Identifier: AGPL-3.0-or-later
"""Runs one program on one attachment inside bubblewrap, and nothing on it anywhere else.

Invariants:

- no network, no home, no writable folder of this computer, no environment, no capability; own
  process, user, IPC and host-name spaces, none of which can be made again inside;
- the file goes in through memory (a sealed anonymous file), the answer comes out through one pipe:
  no plaintext touches a disk, no path, link or special file can come back;
- memory, processor time, processes and files are limited inside (jail_worker.py), time and the
  size of the answer outside; one job at a time;
- started as root, the sandbox belongs to nobody;
- without bubblewrap or user namespaces nothing is run: SandboxError says what to install.

Source: docs/adr/0017-sandbox-for-attachments.md; bwrap(1).
"""

import asyncio
import fcntl
import functools
import os
import subprocess
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from io import BufferedRandom
from pathlib import Path
from typing import Final, Literal

from whistle.desk.errors import SandboxError
from whistle.limits import MIB

Task = Literal["clean", "picture", "pages"]

BWRAP: Final = Path("/usr/bin/bwrap")
PYTHON: Final = "/usr/bin/python3"
NOBODY: Final = 65534
MAX_INPUT: Final = 256 * MIB  # what comes in is held in memory twice
MAX_ANSWER: Final = 320 * MIB  # a rendered PDF grows
SCRATCH_BYTES: Final = 512 * MIB  # the sandbox's own /tmp, in memory
_TMP: Final = "/tmp"  # noqa: S108 - inside the sandbox, gone with it
SECONDS: Final = 90.0
_WORKER: Final = Path(__file__).with_name("jail_worker.py")
_PROBE: Final = b"raise SystemExit(0)\n"
_PROBE_SECONDS: Final = 20.0
_SEALS: Final = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
_SYSTEM: Final = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_SETTINGS: Final = ("ld.so.cache", "alternatives", "fonts", "mime.types")
_TOOLS: Final[dict[Task, tuple[tuple[Path, str], ...]]] = {
    "clean": ((Path("/usr/bin/mat2"), "mat2"),),
    "picture": ((Path("/usr/bin/mat2"), "mat2"),),
    "pages": ((Path("/usr/bin/pdftoppm"), "poppler-utils"),),
}
"""Debian packages. GdkPixbuf, which draws pictures, comes with mat2."""
_one_at_a_time: Final = threading.Lock()


@dataclass(frozen=True)
class Job:
    """What is to be done; `content` is a file descriptor made by `held_in_memory`."""

    task: Task
    suffix: str
    content: int


async def held_in_memory(pieces: AsyncIterator[bytes], limit: int = MAX_INPUT) -> BufferedRandom:
    """The pieces in an anonymous file in memory; the caller closes it.

    Raises: SandboxError when they are too many; whatever `pieces` raises.
    """
    stream = os.fdopen(os.memfd_create("berkas", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING), "w+b")
    try:
        size = 0
        async for piece in pieces:
            size += len(piece)
            if size > limit:
                raise SandboxError("desk.sandbox.too_large")
            stream.write(piece)
        stream.flush()
        fcntl.fcntl(stream.fileno(), fcntl.F_ADD_SEALS, _SEALS)
        stream.seek(0)
    except BaseException:
        stream.close()
        raise
    return stream


async def run_job(job: Job) -> bytes:
    """The worker's answer, unread. Raises: SandboxError."""
    return await asyncio.to_thread(_run_job, job)


def require_sandbox(*tasks: Task) -> None:
    """Refuses unless the sandbox works and has the tools for `tasks`. Raises: SandboxError."""
    if not BWRAP.exists():
        raise SandboxError("desk.sandbox.no_bwrap")
    for task in tasks:
        for path, package in _TOOLS[task]:
            if not path.exists():
                raise SandboxError("desk.sandbox.no_tool", package=package)
    _require_working()


def confinement(script: int, content: int, suffix: str) -> list[str]:
    """The words before the program: everything the sandbox takes away or gives.

    `script` and `content` are descriptors, copied into the sandbox, readable only.
    """
    words = [
        str(BWRAP), "--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent",
        "--new-session", "--cap-drop", "ALL", "--clearenv", "--hostname", "desk",
        "--setenv", "PATH", "/usr/bin:/bin", "--setenv", "LC_ALL", "C.UTF-8",
        "--setenv", "HOME", "/nonexistent", "--setenv", "TMPDIR", _TMP,
        "--ro-bind", "/usr", "/usr", "--tmpfs", "/usr/local", "--remount-ro", "/usr/local",
    ]  # fmt: skip
    for name in _SYSTEM:
        words += _system_folder(Path("/", name))
    for name in _SETTINGS:
        words += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    return [
        *words, "--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev",
        "--size", str(SCRATCH_BYTES), "--tmpfs", _TMP,
        "--ro-bind-data", str(script), "/in/worker.py",
        "--ro-bind-data", str(content), f"/in/berkas{suffix}",
        "--remount-ro", "/", "--chdir", _TMP, "--",
    ]  # fmt: skip


def _system_folder(folder: Path) -> list[str]:
    """/bin and its like: links into /usr on a merged system, folders of their own before."""
    if folder.is_symlink():
        return ["--symlink", str(folder.readlink()), str(folder)]
    return ["--ro-bind", str(folder), str(folder)] if folder.is_dir() else []


def _run_job(job: Job) -> bytes:
    require_sandbox(job.task)
    with _one_at_a_time:
        done = run_confined(_WORKER.read_bytes(), job.content, job.suffix, (job.task, job.suffix))
    if done.code != 0:
        raise SandboxError("desk.sandbox.failed")
    return done.answer


@dataclass(frozen=True)
class Done:
    """How a confined program ended; `code` is negative when a signal ended it."""

    code: int
    answer: bytes


def run_confined(
    script: bytes, content: int, suffix: str, words: Sequence[str], seconds: float = SECONDS
) -> Done:
    """Runs a Python script of ours on the content. Raises: SandboxError."""
    os.lseek(content, 0, os.SEEK_SET)
    with os.fdopen(os.memfd_create("worker", os.MFD_CLOEXEC), "w+b") as source:
        source.write(script)
        source.seek(0)
        command = [
            *confinement(source.fileno(), content, suffix),
            PYTHON, "-I", "-B", "/in/worker.py", *words,
        ]  # fmt: skip
        return _supervised(command, (source.fileno(), content), seconds)


def _supervised(command: Sequence[str], descriptors: tuple[int, int], seconds: float) -> Done:
    """Lets the program run until it ends, is too slow or says too much."""
    owner = NOBODY if os.geteuid() == 0 else None
    late = threading.Event()
    with subprocess.Popen(  # noqa: S603 - our own words, no shell
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=descriptors,
        cwd="/",
        env={},
        user=owner,
        group=owner,
        extra_groups=None if owner is None else [],
    ) as process:
        timer = threading.Timer(seconds, _stop, (process, late))
        timer.start()
        try:
            answer = _read_at_most(process, MAX_ANSWER)
        finally:
            timer.cancel()
            process.kill()
    if late.is_set():
        raise SandboxError("desk.sandbox.too_slow")
    return Done(process.returncode, answer)


def _stop(process: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    process.kill()


def _read_at_most(process: subprocess.Popen[bytes], limit: int) -> bytes:
    if process.stdout is None:
        raise SandboxError("desk.sandbox.failed")
    answer = process.stdout.read(limit + 1)
    if len(answer) > limit:
        raise SandboxError("desk.sandbox.too_large")
    process.wait()
    return answer


@functools.cache
def _require_working() -> None:
    """Tries the very confinement the jobs get; only success is remembered."""
    content = os.memfd_create("nothing", os.MFD_CLOEXEC)
    try:
        done = run_confined(_PROBE, content, ".bin", (), _PROBE_SECONDS)
    except (OSError, SandboxError) as error:
        raise SandboxError("desk.sandbox.refused") from error
    finally:
        os.close(content)
    if done.code != 0:
        raise SandboxError("desk.sandbox.refused")
