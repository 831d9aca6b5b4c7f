# SPDX-License-Identifier: AGPL-3.0-or-later
"""A stand-in for the tor program: reads the configuration it is given, makes the files tor would
make, says what a test wants, and obeys signals. Its orders are comments in `extra_torrc`:

    #fake say TEXT        one line of log
    #fake fail TEXT       an error line, then the end
    #fake address TEXT    this instead of an address
    #fake die-once        ends by itself, but only the first time
    #fake stubborn        ignores SIGTERM
"""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from onion.address import encode_address
from onion.control import OnUpload
from onion.errors import TorFailedError
from onion.publication import Step, Upload

VERSION = "Tor version 0.4.9.11."

PROGRAM = r"""#!{python} -IS
import pathlib, re, signal, sys, time

if sys.argv[1] == "--version":
    print({version!r})
    sys.exit()
if sys.argv[1] == "--list-modules":
    print("pow: yes")
    sys.exit()
torrc = pathlib.Path(sys.argv[sys.argv.index("-f") + 1])
text = torrc.read_text()
orders = re.findall(r"^#fake (\S+) ?(.*)$", text, re.M)
def say(line):
    print("Nov 21 19:46:45.000", line, flush=True)
if ("stubborn", "") in orders:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
for order, value in orders:
    if order == "fail":
        say("[err] " + value)
        sys.exit(1)
wrong = dict(orders).get("address")
for number, folder in enumerate(re.findall(r'^HiddenServiceDir "(.*)"$', text, re.M)):
    address = wrong or {addresses!r}[number]
    (pathlib.Path(folder) / "hostname").write_text(address + "\n")
pathlib.Path(re.search(r'ControlSocket "unix:\\"(.*)\\""', text)[1]).touch()
for order, value in orders:
    if order == "say":
        say(value)
died = torrc.with_name("died")
if ("die-once", "") in orders and not died.exists():
    time.sleep(0.3)
    died.touch()
    sys.exit(0)
while True:
    time.sleep(60)
"""

INTAKE = encode_address(b"\x01" * 32)
CASES = encode_address(b"\x02" * 32)


def install(folder: Path, version: str = VERSION) -> Path:
    """Writes the program as `tor` into the folder."""
    program = folder / "tor"
    program.write_text(
        PROGRAM.format(python=sys.executable, version=version, addresses=[INTAKE, CASES])
    )
    program.chmod(0o700)
    return program


@dataclass
class FakeControl:
    """A control connection whose events are the test's to send."""

    refuse: bool = False
    at_once: tuple[str, ...] = ()
    opened: list[Path] = field(default_factory=list)
    closed: int = 0
    _upload: OnUpload | None = None

    async def open(self, path: Path, on_upload: OnUpload) -> None:
        await asyncio.sleep(0)
        if self.refuse:
            raise TorFailedError("tor does not answer on its control socket")
        self.opened.append(path)
        self._upload = on_upload
        for address in self.at_once:
            self.upload(address)

    async def close(self) -> None:
        await asyncio.sleep(0)
        self.closed += 1

    def upload(self, address: str) -> None:
        """One upload from its beginning to its arrival."""
        assert self._upload is not None
        self._upload(Upload(address, Step.BEGUN))
        self._upload(Upload(address, Step.ARRIVED))


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Waits for something another process does."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)
