# SPDX-License-Identifier: AGPL-3.0-or-later
"""A whole whistle as a user starts it (`whistle run` in a process of its own), and an
investigator's commands.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

PROGRAMS = Path(sys.executable).parent
READY_TIMEOUT = 240.0
STOP_TIMEOUT = 40.0


class ServiceError(Exception):
    """The service did not start or stop as it should; the text holds its output."""


class Service:
    """One `whistle run` with its state directory; `ready` is the content of its ready file."""

    def __init__(self, state: Path, *flags: str | Path) -> None:
        self.state = state
        self.flags = [str(flag) for flag in flags]
        self.ready: dict[str, Any] = {}
        self.output = state.parent / f"{state.name}-output.txt"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> dict[str, Any]:
        """Starts it and waits for the ready file."""
        ready_file = self.state.parent / f"{self.state.name}-ready.json"
        ready_file.unlink(missing_ok=True)
        command = [
            str(PROGRAMS / "whistle"), "run", "--state", str(self.state),
            "--reporter-port", "0", "--desk-port", "0",
            "--ready-file", str(ready_file), *self.flags,
        ]  # fmt: skip
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                command, stdout=output, stderr=output, stdin=subprocess.DEVNULL
            )
        deadline = time.monotonic() + READY_TIMEOUT
        while not ready_file.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise ServiceError(self.output.read_text(encoding="utf-8", errors="replace"))
            time.sleep(0.05)
        self.ready = json.loads(ready_file.read_text(encoding="utf-8"))
        return self.ready

    def stop(self) -> None:
        """Ctrl-C, as a person would; a process that ignores it is killed and that is an error."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise ServiceError("whistle run did not stop at Ctrl-C") from None

    def restart(self, *flags: str | Path) -> dict[str, Any]:
        """Stops it and starts it with other flags on the same state."""
        self.stop()
        self.flags = [str(flag) for flag in flags]
        return self.start()

    def desk(self, person: str) -> "DeskCommands":
        """The commands of one person of the demo organisation."""
        return DeskCommands(self, person)


class DeskCommands:
    """`whistle-desk …` as one investigator, each a process of its own."""

    def __init__(self, service: Service, person: str) -> None:
        self._service = service
        self.person = person

    def run(self, *words: str | Path, check: bool = True) -> dict[str, Any]:
        """Runs one command with --json; its answer, or {"error", "exit"} if not `check`."""
        ready = self._service.ready
        command = [
            str(PROGRAMS / "whistle-desk"), *map(str, words),
            "--keystore", ready["keystores"][self.person]["path"], "--server", ready["cases"],
            "--passphrase-file", ready["passphrase_file"], "--json",
        ]  # fmt: skip
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env={**os.environ, "LANG": "en"}
        )
        if done.returncode != 0:
            if check:
                raise ServiceError(f"{words[0]}: exit {done.returncode}: {done.stderr}")
            return {"error": done.stderr, "exit": done.returncode}
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    def cases(self) -> list[dict[str, Any]]:
        """The queue."""
        queue: list[dict[str, Any]] = self.run("list")["cases"]
        return queue

    def wait_for(self, count: int, timeout: float = 30.0) -> list[dict[str, Any]]:
        """Waits until the queue holds that many cases."""
        deadline = time.monotonic() + timeout
        while True:
            cases = self.cases()
            if len(cases) >= count or time.monotonic() > deadline:
                return cases
            time.sleep(0.3)


@contextlib.contextmanager
def running(state: Path, *flags: str | Path) -> Iterator[Service]:
    """A service for the length of a block."""
    service = Service(state, *flags)
    service.start()
    try:
        yield service
    finally:
        service.stop()


def files_below(*folders: Path) -> Sequence[Path]:
    """Every regular file in these folders."""
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]
