# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle run` as a process: restarts what dies, leaves nothing behind, refuses a second start."""

import http.cookiejar
import json
import os
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from tests.support.service import PROGRAMS, Service, running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def servers_of(state: Path) -> list[psutil.Process]:
    """Every process that works on this state directory."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if any(str(state) in word for word in words):
            found.append(process)
    return found


def wait_until_gone(state: Path, seconds: float = 15) -> list[psutil.Process]:
    deadline = time.monotonic() + seconds
    while (left := servers_of(state)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def status(url: str) -> int:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return int(answer.status)


def test_a_killed_server_is_started_again(tmp_path: Path) -> None:
    with running(tmp_path / "state", "--no-tor") as service:
        before = json.loads((service.state / "log" / "intake.ready").read_text())
        os.kill(before["pid"], signal.SIGKILL)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                if status(service.ready["reporter"]) == 200:
                    break
            except OSError:
                time.sleep(0.1)
        after = json.loads((service.state / "log" / "intake.ready").read_text())
        assert after["pid"] != before["pid"]
        assert "intake server ended" in service.output.read_text()


def test_a_second_start_on_one_state_is_refused(tmp_path: Path) -> None:
    with running(tmp_path / "state", "--no-tor") as service:
        again = subprocess.run(
            [str(PROGRAMS / "whistle"), "run", "--state", str(service.state), "--no-tor"],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert again.returncode == 1
        assert "another server" in again.stderr
        assert status(service.ready["reporter"]) == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("moment", [0.8, 2.6, 3.4])
def test_nothing_outlives_it_whenever_it_ends(
    tmp_path: Path, number: signal.Signals, moment: float
) -> None:
    state = tmp_path / "state"
    command = [str(PROGRAMS / "whistle"), "run", "--state", str(state), "--no-tor",
               "--reporter-port", "0", "--desk-port", "0"]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(moment)
    process.send_signal(number)
    process.wait(40)
    assert wait_until_gone(state) == []


def test_it_starts_again_after_being_killed_in_its_first_start(tmp_path: Path) -> None:
    state = tmp_path / "state"
    command = [str(PROGRAMS / "whistle"), "run", "--state", str(state), "--no-tor"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(1.2)
    process.kill()
    process.wait()
    assert wait_until_gone(state) == []
    service = Service(state, "--no-tor")
    service.start()
    service.stop()


def test_a_killed_desk_keeps_its_address(tmp_path: Path) -> None:
    with running(tmp_path / "state", "--no-tor") as service:
        url = service.ready["desk"]
        (desk,) = [process for process in servers_of(service.state) if "serve" in process.cmdline()]
        visitor = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        )
        desk.kill()
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                with visitor.open(url, timeout=5) as answer:
                    assert answer.status == 200
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError("the address of the desk does not open any more")
