# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every socket a program of ours listens on, in processes of their own: malformed HTTP, limits of
heads and bodies, and authorisation, byte for byte as an attacker would send it.
"""

import contextlib
import itertools
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from crypto.requests import REQUEST_HEADERS, sign_request
from crypto.rng import system_rng
from tests.support.case_office import PEOPLE
from tests.support.malformed import CANARY, ODD, REFUSED
from tests.support.org import Org, make_org
from whistle import limits
from whistle.cases.limits import MAX_JSON_BODY
from whistle.http import headers
from whistle.http.protocol import BODIES

pytestmark = pytest.mark.slow

WHISTLE = Path(sys.executable).with_name("whistle")
TOR = b"PROXY TCP6 fc00:dead:beef:4dad::1:%x ::1 65535 80\r\n"
WAIT = 15.0
AT_ONCE = 16
OURS = {200, 303, 304, 400, 401, 403, 404, 405, 408, 413, 415, 417}


@dataclass
class Answer:
    """The first answer on a connection, and everything that came."""

    status: int
    head: bytes
    body: bytes
    whole: bytes

    def require_ours(self) -> None:
        names = [line.partition(b":")[0] for line in self.head.lower().split(b"\r\n")[1:]]
        assert not {b"server", b"date"} & set(names)
        assert len(names) == len(set(names))
        assert {name.lower().encode() for name in headers.SECURITY_HEADERS} <= set(names)
        assert CANARY not in self.whole
        assert b"aiohttp" not in self.whole.lower()
        assert b"Traceback" not in self.whole


@dataclass
class Machine:
    """An intake and a case server, with all their sockets."""

    org: Org
    addresses: dict[str, tuple[str, int] | str]
    outputs: list[Path] = field(default_factory=list)
    circuits: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def connect(self, name: str) -> socket.socket:
        address = self.addresses[name]
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        made = socket.socket(family)
        made.settimeout(WAIT)
        made.connect(address)
        if name == "onion":
            made.sendall(TOR % next(self.circuits))
        return made

    def ask(self, name: str, data: bytes, answers: int = 1) -> Answer:
        """Send bytes and no more; read so many answers, or until the server hangs up."""
        with self.connect(name) as made:
            with contextlib.suppress(ConnectionError):  # refused before all of it was taken
                made.sendall(data)
            return read(made, answers, has_bodies=not data.startswith(b"HEAD "))

    def ask_all(self, name: str, table: dict[str, bytes]) -> list[tuple[str, Answer]]:
        """The same for each of a table, several at a time: whoever sends nonsense has to wait."""
        with ThreadPoolExecutor(AT_ONCE) as threads:
            return list(
                zip(table, threads.map(partial(self.ask, name), table.values()), strict=True)
            )

    def signed(self, server: str, method: str, target: str, body: bytes = b"") -> dict[str, str]:
        seeds = self.org.service_seeds["cases"], self.org.identities["pengawas"].device_seed
        seed = seeds[0] if server == "feed" else seeds[1]
        now = int(time.time())
        return sign_request(seed, self.org.instance_id, method, target, body, now, system_rng)


def read(made: socket.socket, answers: int, *, has_bodies: bool = True) -> Answer:
    """Read; whoever refuses a head hangs up, and then everything is read."""
    whole = b""
    with contextlib.suppress(ConnectionError):
        while piece := made.recv(65536):
            whole += piece
            if complete(whole, has_bodies=has_bodies) >= answers and whole[9:12] != b"400":
                break
    head, _, body = whole.partition(b"\r\n\r\n")
    status = int(head[9:12]) if head.startswith(b"HTTP/") else 0
    return Answer(status, head, body, whole)


def complete(whole: bytes, *, has_bodies: bool) -> int:
    """How many answers are there to their last byte."""
    count = 0
    while True:
        head, end, rest = whole.partition(b"\r\n\r\n")
        lengths = re.findall(rb"(?i)\r\ncontent-length: (\d+)", head)
        length = int(lengths[0]) if lengths and has_bodies else 0
        if not end or len(rest) < length:
            return count
        count, whole = count + 1, rest[length:]


def lines(given: dict[str, str]) -> bytes:
    return b"".join(f"{name}: {value}\r\n".encode() for name, value in given.items())


def request(method: str, target: str, given: bytes = b"", body: bytes = b"") -> bytes:
    head = f"{method} {target} HTTP/1.1\r\nHost: x\r\n".encode()
    length = b"Content-Length: %d\r\n" % len(body) if body else b""
    return head + length + given + b"\r\n" + body


def _start(words: list[str], ready: Path, output: Path) -> subprocess.Popen[bytes]:
    with output.open("wb") as file:
        process = subprocess.Popen([str(WHISTLE), *words], stdout=file, stderr=file)
    deadline = time.monotonic() + 60
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise RuntimeError(output.read_text(encoding="utf-8", errors="replace"))
        time.sleep(0.05)
    return process


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("m")
    org = make_org(folder, date.today(), people=PEOPLE)
    processes: list[subprocess.Popen[bytes]] = []
    sockets = {name: str(folder / f"{name}.sock") for name in ("onion", "feed", "metrics")}
    common = {name: [
        "--org", str(org.dir), "--state", str(org.write_state(folder / name, name)),
        "--listen", "127.0.0.1:0", "--ready-file", str(folder / f"{name}.json"),
    ] for name in ("intake", "cases")}  # fmt: skip
    more = {
        "intake": ["--unix", sockets["onion"], "--tor-circuits", "--feed-unix", sockets["feed"],
                   "--metrics-unix", sockets["metrics"]],
        "cases": ["--feed-unix", sockets["feed"], "--poll", "60"],
    }  # fmt: skip
    found = Machine(org, dict(sockets))
    try:
        for name, words in common.items():
            ready, output = folder / f"{name}.json", folder / f"{name}.txt"
            processes.append(_start([name, *words, *more[name]], ready, output))
            url = json.loads(ready.read_text(encoding="utf-8"))["url"]
            found.addresses[name] = "127.0.0.1", int(url.rstrip("/").rpartition(":")[2])
            found.outputs.append(output)
        yield found
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)


SOCKETS = ("intake", "onion", "feed", "metrics", "cases")


# ---- what the parser refuses ---------------------------------------------------------------------
@pytest.mark.parametrize("name", SOCKETS)
def test_malformed_requests(machine: Machine, name: str) -> None:
    for title, answer in machine.ask_all(name, REFUSED):
        assert answer.status == 400, title
        assert answer.body == BODIES[400], title
        answer.require_ours()


@pytest.mark.parametrize("name", SOCKETS)
def test_odd_requests(machine: Machine, name: str) -> None:
    for title, answer in machine.ask_all(name, ODD):
        if not answer.whole:  # hung up on: a body that never became whole
            assert "chunk" in title, title
            continue
        assert answer.status in OURS, (title, answer.whole[:200])
        answer.require_ours()


@pytest.mark.parametrize("name", SOCKETS)
def test_a_second_request_cannot_hide_in_the_first(machine: Machine, name: str) -> None:
    """What follows a refused head is not read as a request."""
    inner = b"GET /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n"
    titles = ("length and chunked", "two lengths", "chunked not last", "list of lengths")
    for title, answer in machine.ask_all(name, {each: REFUSED[each] + inner for each in titles}):
        assert answer.whole.count(b"HTTP/1.") == 1, title


def test_a_stranger_on_the_onion_socket_is_hung_up_on(machine: Machine) -> None:
    for begin in (
        b"",
        b"PROXY UNKNOWN\r\n",
        b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n",
        b"\r\n\r\n",
    ):
        with socket.socket(socket.AF_UNIX) as made:
            made.settimeout(WAIT)
            made.connect(str(machine.addresses["onion"]))
            made.sendall(begin + request("GET", "/id"))
            assert read(made, 1).whole == b""


# ---- limits --------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", SOCKETS)
def test_limits_of_a_head(machine: Machine, name: str) -> None:
    def status(target: int = 1, value: int = 1, count: int = 1) -> int:
        given = b"".join(b"X-%d: 1\r\n" % number for number in range(count))
        given += b"X: " + b"a" * value + b"\r\n"
        return machine.ask(name, request("GET", "/" + "a" * (target - 1), given)).status

    for within in (
        {"target": limits.MAX_REQUEST_LINE - 100},
        {"value": limits.MAX_HEADER_FIELD - 100},
        {"count": limits.MAX_HEADERS - 4},
    ):
        assert status(**within) in {200, 401, 404}, within
    for beyond in (
        {"target": limits.MAX_REQUEST_LINE + 100},
        {"value": limits.MAX_HEADER_FIELD + 100},
        {"count": limits.MAX_HEADERS + 4},
    ):
        assert status(**beyond) == 400, beyond


BODIES_BEYOND = (
    ("intake", "/id/report", "application/x-www-form-urlencoded", limits.MAX_SMALL_BODY),
    ("onion", "/id/status", "application/x-www-form-urlencoded", limits.MAX_SMALL_BODY),
    ("intake", "/api/v1/threads/read", "application/json", limits.MAX_API_BODY),
    ("intake", "/api/v1/reports", "application/json", limits.MAX_API_BODY),
    ("feed", "/feed/v1/ack", "application/json", limits.MAX_FEED_BODY),
)


@pytest.mark.parametrize(("name", "path", "kind", "most"), BODIES_BEYOND)
def test_a_body_said_to_be_too_large_is_not_waited_for(
    machine: Machine, name: str, path: str, kind: str, most: int
) -> None:
    given = f"Content-Type: {kind}\r\nContent-Length: {most + 1}\r\n".encode()
    with machine.connect(name) as made:
        made.sendall(request("POST", path, given))  # and nothing of the body
        head = made.recv(65536)
    assert head.startswith(b"HTTP/1.1 413"), head[:100]


@pytest.mark.parametrize(("name", "path", "kind", "most"), BODIES_BEYOND)
def test_a_body_that_grows_too_large_in_chunks(
    machine: Machine, name: str, path: str, kind: str, most: int
) -> None:
    given = f"Content-Type: {kind}\r\nTransfer-Encoding: chunked\r\n".encode()
    piece = b"%x\r\n" % (1 << 16) + b"a" * (1 << 16) + b"\r\n"
    answer = machine.ask(name, request("POST", path, given) + piece * ((most >> 16) + 1))
    assert answer.status == 413
    answer.require_ours()


def test_a_signed_body_too_large(machine: Machine) -> None:
    body = bytes(MAX_JSON_BODY + 1)
    target = "/v1/cases/WH-00000000/notes"
    given = lines(machine.signed("cases", "POST", target, body))
    assert machine.ask("cases", request("POST", target, given, body)).status == 413


# ---- authorisation -------------------------------------------------------------------------------
TARGETS = {"feed": ("GET", "/feed/v1/records?limit=1"), "cases": ("GET", "/v1/queue")}


@pytest.mark.parametrize("name", TARGETS)
def test_a_good_signature_lets_in_once(machine: Machine, name: str) -> None:
    method, target = TARGETS[name]
    data = request(method, target, lines(machine.signed(name, method, target)))
    answer = machine.ask(name, data + data, answers=2)
    assert answer.status == 200
    assert answer.whole.count(b"HTTP/1.1 ") == 2
    assert b"HTTP/1.1 401" in answer.whole
    assert machine.ask(name, data).status == 401


@pytest.mark.parametrize("name", TARGETS)
def test_header_names_in_any_case_and_padded_values(machine: Machine, name: str) -> None:
    method, target = TARGETS[name]
    given = {
        one.lower(): f"  {value}\t" for one, value in machine.signed(name, method, target).items()
    }
    assert machine.ask(name, request(method, target, lines(given))).status == 200


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("missing", REQUEST_HEADERS)
def test_each_header_is_needed(machine: Machine, name: str, missing: str) -> None:
    method, target = TARGETS[name]
    for value in (None, "", "0", "\u00e9", "A" * 86):
        given = machine.signed(name, method, target)
        del given[missing]
        given |= {} if value is None else {missing: value}
        answer = machine.ask(name, request(method, target, lines(given)))
        assert answer.status in {401, 403}, (missing, value)
        answer.require_ours()


@pytest.mark.parametrize("name", TARGETS)
def test_a_signature_is_for_one_request(machine: Machine, name: str) -> None:
    method, target = TARGETS[name]
    for other_method, other, body in (
        ("HEAD", target, b""),
        ("POST", target, b""),
        (method, target + "&", b""),
        (method, target + "#x", b""),
        (method, "http://x" + target, b""),
        (method, "/" + target, b""),
        (method, target.replace("v1", "%761"), b""),
        (method, target, b"x"),
    ):
        given = lines(machine.signed(name, method, target))
        answer = machine.ask(name, request(other_method, other, given, body))
        assert answer.status in {400, 401, 404, 405}, (other_method, other)
        assert b'"records"' not in answer.body
        assert b'"cases"' not in answer.body


@pytest.mark.parametrize("name", TARGETS)
def test_two_signatures_are_none_better_than_one(machine: Machine, name: str) -> None:
    """A forged header before or after the good one must not make a request somebody else's."""
    method, target = TARGETS[name]
    forged = lines(dict.fromkeys(REQUEST_HEADERS, "00"))
    good = lines(machine.signed(name, method, target))
    assert machine.ask(name, request(method, target, forged + good)).status in {401, 403}
    stale = lines(machine.signed(name, method, target) | {"Whistle-Time": "1"})
    assert machine.ask(name, request(method, target, stale)).status == 401


def test_a_body_in_chunks_is_signed_as_a_whole(machine: Machine) -> None:
    target, body = "/feed/v1/ack", b'{"records":[]}'
    for sent, status in ((body, 200), (body[:-1] + b" }", 401)):
        given = lines(machine.signed("feed", "POST", target, body))
        chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in sent) + b"0\r\n\r\n"
        data = request("POST", target, given + b"Transfer-Encoding: chunked\r\n") + chunks
        assert machine.ask("feed", data).status == status


def test_each_socket_answers_only_its_own(machine: Machine) -> None:
    paths = {
        "/id": "intake", "/id/report": "intake", "/api/v1/nonce": "intake",
        "/feed/v1/records": "feed", "/v1/queue": "cases", "/v1/organisation": "cases",
        "/metrics": "metrics",
    }  # fmt: skip
    for path, owner in paths.items():
        for name in SOCKETS:
            answer = machine.ask(name, request("GET", path))
            is_owner = name == owner or (owner == "intake" and name == "onion")
            assert (answer.status == 200) <= is_owner, (path, name)
            answer.require_ours()


def test_afterwards_all_is_well_and_nothing_was_written_down(machine: Machine) -> None:
    """Runs last: what the tests above sent left no trace in the output of the servers."""
    assert machine.ask("intake", request("GET", "/id/report")).status == 200
    assert machine.ask("onion", request("GET", "/id/report")).status == 200
    assert machine.ask("cases", request("GET", "/v1/organisation")).status == 200
    for output in machine.outputs:
        said = output.read_bytes()
        assert CANARY not in said
        assert b"unexpected error" not in said, said[-2000:]
        assert b"Traceback" not in said
