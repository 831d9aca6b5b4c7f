# SPDX-License-Identifier: AGPL-3.0-or-later
"""The real sandbox: what a program in it can reach, and how it ends."""

import contextlib
import json
import os
import re
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support import evidence_files
from whistle.desk import sandbox
from whistle.desk.errors import SandboxError
from whistle.desk.sandbox import Job, held_in_memory, run_confined, run_job

pytestmark = pytest.mark.skipif(
    not evidence_files.sandbox_available(), reason="no bubblewrap or mat2"
)

LOOK_AROUND = r"""
import ctypes, json, os, socket, sys

def tries(step):
    try:
        step()
    except Exception as error:
        return type(error).__name__
    return "done"

def connect():
    socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=5)

def overwrite():
    open("/in/berkas.txt", "wb")

def follow():
    os.symlink(sys.argv[2], "/tmp/link")
    open("/tmp/link")

status = dict(line.split(":\t", 1) for line in open("/proc/self/status") if ":\t" in line)
clone_newuser = ctypes.CDLL(None).unshare(0x10000000)
found = {
    "input": open("/in/berkas.txt").read(),
    "root": sorted(os.listdir("/")),
    "settings": sorted(os.listdir("/etc")),
    "interfaces": [name for _, name in socket.if_nameindex()],
    "connect": tries(connect),
    "lookup": tries(lambda: socket.getaddrinfo("example.org", 80)),
    "environment": sorted(os.environ),
    "host": socket.gethostname(),
    "uid": os.getuid(),
    "capabilities": [status[name].strip() for name in ("CapEff", "CapPrm", "CapBnd")],
    "no_new_privileges": status["NoNewPrivs"].strip(),
    "processes": [name for name in os.listdir("/proc") if name.isdigit()],
    "new_user_namespace": clone_newuser,
    "local": os.listdir("/usr/local"),
    "write": {
        place: tries(lambda: open(place + "/x", "w"))
        for place in ("/", "/usr", "/usr/local", "/etc", "/in", "/home", "/dev", "/tmp")
    },
    "overwrite": tries(overwrite),
    "follow": tries(follow),
    "descriptors": sorted(os.listdir("/proc/self/fd")),
}
print(json.dumps(found))
"""


@contextlib.contextmanager
def memory(data: bytes) -> Iterator[int]:
    """An anonymous file with `data`."""
    descriptor = os.memfd_create("test")
    try:
        os.write(descriptor, data)
        yield descriptor
    finally:
        os.close(descriptor)


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def answer(task: Any, suffix: str, data: bytes) -> dict[str, Any]:
    """The first line of the worker's answer."""
    with await held_in_memory(pieces(data)) as stream:
        line = (await run_job(Job(task, suffix, stream.fileno()))).split(b"\n", 1)[0]
    found: dict[str, Any] = json.loads(line)
    return found


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a program sees that looks around in the sandbox."""
    secret = tmp_path_factory.mktemp("home") / "kunci.txt"
    secret.write_text("rahasia")
    secret.chmod(0o644)
    with socket.create_server(("127.0.0.1", 0)) as server, memory(b"isi") as content:
        words = (str(server.getsockname()[1]), str(secret))
        done = run_confined(LOOK_AROUND.encode(), content, ".txt", words)
    assert done.code == 0
    found: dict[str, Any] = json.loads(done.answer)
    return found


def test_no_network(around: dict[str, Any]) -> None:
    assert around["interfaces"] == ["lo"]
    assert around["connect"] == "ConnectionRefusedError"
    assert around["lookup"] == "gaierror"


def test_no_home_and_no_settings_of_this_computer(around: dict[str, Any]) -> None:
    allowed = {"bin", "dev", "etc", "in", "lib", "lib32", "lib64", "libx32", "proc", "sbin", "tmp"}
    assert set(around["root"]) <= allowed | {"usr"}
    assert set(around["settings"]) <= {"alternatives", "fonts", "ld.so.cache", "mime.types"}
    assert around["local"] == []
    assert around["follow"] == "FileNotFoundError"


def test_nothing_can_be_written_but_scratch(around: dict[str, Any]) -> None:
    assert around["input"] == "isi"
    assert around["overwrite"] in {"OSError", "PermissionError"}
    written = {place for place, outcome in around["write"].items() if outcome == "done"}
    assert written == {"/tmp"}  # the sandbox's own, limited, gone with it


def test_no_environment_and_no_other_process(around: dict[str, Any]) -> None:
    assert set(around["environment"]) <= {"HOME", "LC_ALL", "PATH", "PWD", "TMPDIR"}
    assert around["host"] == "desk"
    assert len(around["processes"]) <= 2  # bubblewrap's own first process, and this one
    assert len(around["descriptors"]) <= 4  # three streams and the folder being listed


def test_no_privilege_and_no_way_to_get_one(around: dict[str, Any]) -> None:
    assert around["uid"] != 0
    assert around["capabilities"] == ["0000000000000000"] * 3
    assert around["no_new_privileges"] == "1"
    assert around["new_user_namespace"] == -1


def test_a_program_that_hangs_is_ended_whole() -> None:
    script = b"import os, time\nif os.fork() == 0: os.setsid()\nwhile True: time.sleep(1)\n"
    with memory(b"") as content, pytest.raises(SandboxError) as refused:
        run_confined(script, content, ".bin", ("penanda-gantung",), seconds=1.0)
    assert refused.value.key == "desk.sandbox.too_slow"
    gone = psutil.wait_procs(
        [each for each in psutil.process_iter() if _has_word(each, "penanda-gantung")], timeout=30
    )
    assert gone[1] == []


def _has_word(process: psutil.Process, word: str) -> bool:
    try:
        return word in process.cmdline()
    except psutil.Error:
        return False


def test_an_endless_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "MAX_ANSWER", 1000)
    with memory(b"") as content, pytest.raises(SandboxError) as refused:
        run_confined(b"while True: print('x' * 4096)", content, ".bin", ())
    assert refused.value.key == "desk.sandbox.too_large"


@pytest.mark.parametrize(
    ("appetite", "ending"),
    [
        ("bytearray(3 << 30)", b"MemoryError"),
        ("open('/tmp/big', 'wb').write(bytes(400 << 20))", b"OSError"),
        ("[open('/in/worker.py') for _ in range(500)]", b"OSError"),
        ("[os.fork() or time.sleep(60) for _ in range(200)]", b"BlockingIOError"),
    ],
)
def test_limits_of_the_worker(appetite: str, ending: bytes) -> None:
    """The worker's own limits, with something greedy in the place of its task."""
    source = Path(sandbox.__file__).with_name("jail_worker.py").read_text(encoding="utf-8")
    limits = source.split('if __name__ == "__main__":')[0]
    script = (
        f"{limits}\nimport time\n_limit()\ntry:\n    {appetite}\n"
        "except Exception as error:\n    print(type(error).__name__, flush=True)\n    os._exit(0)\n"
    )
    with memory(b"") as content:
        done = run_confined(script.encode(), content, ".bin", ())
    assert done.answer.splitlines()[:1] == [ending]


async def test_a_picture_that_unfolds_without_end() -> None:
    assert await answer("picture", ".png", evidence_files.bomb()) == {"failure": "too_large"}
    cleaned = await answer("clean", ".png", evidence_files.bomb())
    assert cleaned == {"failure": "too_large"} or cleaned == {"failure": "unreadable"}


@pytest.mark.parametrize("task", ["clean", "picture", "pages"])
@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff\xe0", b"%PDF-1.4\n1 0 obj", bytes(5000)])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".pdf", ".docx"])
async def test_damaged_files(task: str, data: bytes, suffix: str) -> None:
    assert "failure" in await answer(task, suffix, data)


async def test_a_file_too_large_for_memory() -> None:
    with pytest.raises(SandboxError) as refused:
        await held_in_memory(pieces(bytes(11)), limit=10)
    assert refused.value.key == "desk.sandbox.too_large"


async def test_content_in_memory_cannot_be_changed() -> None:
    with await held_in_memory(pieces(b"isi")) as stream, pytest.raises(PermissionError):
        os.write(stream.fileno(), b"x")


@pytest.fixture
def unproven() -> Iterator[None]:
    sandbox._require_working.cache_clear()
    yield
    sandbox._require_working.cache_clear()


async def refusal(task: Any = "picture") -> SandboxError:
    with memory(b"x") as content, pytest.raises(SandboxError) as refused:
        await run_job(Job(task, ".png", content))
    return refused.value


async def test_without_bubblewrap_nothing_runs(
    monkeypatch: pytest.MonkeyPatch, unproven: None
) -> None:
    monkeypatch.setattr(sandbox, "BWRAP", Path("/usr/bin/no-such-bwrap"))
    assert (await refusal()).key == "desk.sandbox.no_bwrap"


@pytest.mark.parametrize("stand_in", ["/usr/bin/false", "/etc/passwd"])
async def test_without_namespaces_nothing_runs(
    monkeypatch: pytest.MonkeyPatch, unproven: None, stand_in: str
) -> None:
    monkeypatch.setattr(sandbox, "BWRAP", Path(stand_in))
    assert (await refusal()).key == "desk.sandbox.refused"


async def test_a_missing_tool_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sandbox._TOOLS, "pages", ((Path("/usr/bin/no-such"), "poppler-utils"),))
    error = await refusal("pages")
    assert (error.key, error.details) == ("desk.sandbox.no_tool", {"package": "poppler-utils"})


AS_SOMEBODY = """
import os, sys
from whistle.desk.sandbox import require_sandbox, run_confined
require_sandbox("clean", "picture", "pages")
content = os.memfd_create("test")
done = run_confined(b"import os; print(os.getuid())", content, ".bin", ())
print(os.getuid(), done.code, done.answer.decode().strip())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="every other test here runs as an ordinary user")
def test_it_works_for_an_ordinary_user_too() -> None:
    """The other tests run as root here; this one as a user of no rights at all."""
    source = Path(sandbox.__file__).parents[2]
    needed = ("__init__", "limits", "desk/__init__", "desk/errors", "desk/sandbox")
    with tempfile.TemporaryDirectory(prefix="whistle-test-") as folder:
        for name in needed:
            target = Path(folder, "whistle", f"{name}.py")
            target.parent.mkdir(exist_ok=True, mode=0o755)
            target.write_bytes((source / "whistle" / f"{name}.py").read_bytes())
        for path in (Path(folder), *Path(folder).rglob("*")):  # whatever the umask is
            path.chmod(0o755)
        done = subprocess.run(
            [sandbox.PYTHON, "-c", AS_SOMEBODY],
            cwd=folder, env={}, user=4242, group=4242, extra_groups=[],
            capture_output=True, check=False, text=True,
        )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "4242 0 4242\n"), done.stderr


def test_nothing_else_starts_a_program() -> None:
    """One module of the desk starts programs; nobody else may."""
    folder = Path(sandbox.__file__).parent
    starting = re.compile(r"\bsubprocess\b|\bos\.(?:exec|spawn|system|popen)")
    found = {path.name for path in folder.rglob("*.py") if starting.search(path.read_text())}
    assert found == {"sandbox.py", "jail_worker.py"}
