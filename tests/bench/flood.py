# SPDX-License-Identifier: AGPL-3.0-or-later
"""`make flood`: what honest reporters notice while somebody floods the intake.

The flooder is a process of its own (`tests.bench.attacks`) with 64 circuits; each honest reporter
comes on a new circuit and goes the whole way from the first page to the receipt. On two cores the
flooder takes one of them: figures are of a machine that is attacked from itself.
"""

import argparse
import asyncio
import contextlib
import datetime
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.attacks import CUT_OFF, GAVE_UP, connect
from tests.bench.client import Connection
from tests.bench.loads import Reporters
from tests.bench.report import Report
from tests.bench.servers import Running, free_port, intake
from tests.support.org import Org, make_org

FLOODS = {"slow": 1_000, "malformed": 10_000, "uploads": 500, "codes": 50_000}
"""Kind -> how many, at full scale."""

BUSY = 503
MEMORY = 300.0
"""MB that the intake may grow to, whatever arrives."""
SLOWDOWN = 2.0
BASELINE = 150
PAUSE = 0.05
FIRST_HONEST = 1 << 20
"""Circuits of honest reporters: none is a flooder's."""

_WORDS = {CUT_OFF: "cut off", GAVE_UP: "given up"}
_SEAT = datetime.timedelta(hours=7)


@dataclass
class Flooded:
    """What a flood did: answers to the flooder, seconds of honest flows, peak memory in MB."""

    answers: dict[int, int]
    honest: list[float]
    failed: int
    peak: float

    @property
    def faults(self) -> int:
        """Answers that say the server is at fault, other than `busy`."""
        return sum(count for status, count in self.answers.items() if status >= 500) - (
            self.answers.get(BUSY, 0)
        )

    @property
    def median(self) -> float:
        """Of the honest flows, in seconds; nan without one."""
        return statistics.median(self.honest) if self.honest else float("nan")


@dataclass
class Honest:
    """Reporters who come one after the other, each on a circuit of its own."""

    socket: Path
    reporters: Reporters = field(default_factory=Reporters)
    count: int = 0
    failed: int = 0

    async def flow(self) -> float:
        """Go the whole way once; return the seconds."""
        self.count += 1
        started = time.perf_counter()
        connection = Connection(*await connect(self.socket, FIRST_HONEST + self.count))
        try:
            if not await self.reporters.flow(connection, self.count):
                self.failed += 1
        except (OSError, EOFError):
            self.failed += 1
        finally:
            connection.close()
        return time.perf_counter() - started

    async def while_running(self, flooder: subprocess.Popen[bytes]) -> list[float]:
        """Flow after flow until the flooder has ended."""
        seconds: list[float] = []
        while flooder.poll() is None:
            seconds.append(await self.flow())
            await asyncio.sleep(PAUSE)
        return seconds

    async def baseline(self) -> float:
        """The median without a flood."""
        return statistics.median([await self.flow() for _ in range(BASELINE)][BASELINE // 3 :])


def flood(server: Running, honest: Honest, kind: str, count: int) -> Flooded:
    """Let the flooder loose and watch until it has ended."""
    flooder = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.attacks", kind, str(honest.socket), str(count)],
        stdout=subprocess.PIPE, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    failed = honest.failed
    with _watching(server) as peak:
        try:
            seconds = asyncio.run(honest.while_running(flooder))
        finally:
            flooder.kill()
        out, _ = flooder.communicate()
    answers = {int(status): number for status, number in json.loads(out or b"{}").items()}
    return Flooded(answers, seconds, honest.failed - failed, max(peak))


@contextlib.contextmanager
def _watching(server: Running) -> Iterator[list[float]]:
    """Gather the memory of the server while the block runs."""
    seen, stop = [server.rss()], threading.Event()

    def watch() -> None:
        while not stop.wait(0.1):
            seen.append(server.rss())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


@contextlib.contextmanager
def flooded_intake(folder: Path, org: Org, port: int) -> Iterator[tuple[Running, Honest]]:
    """An intake behind a socket on which circuits are told, and honest reporters for it."""
    socket = folder / "public.sock"
    state = org.write_state(folder / "flooded", "intake")
    extra = ("--unix", str(socket), "--tor-circuits")
    with intake(org.dir, state, port, extra) as server:
        yield server, Honest(socket)


def measure_floods(report: Report, folder: Path, org: Org, port: int, scale: float = 1.0) -> None:
    """One flood after the other, each beside the time before."""
    report.title("floods (64 circuits) and honest reporters (a new circuit each)")
    with flooded_intake(folder, org, port) as (server, honest):
        before = asyncio.run(honest.baseline())
        report.line("report flow, no flood", f"{before * 1e3:.1f} ms", None, met=True)
        for kind, full in FLOODS.items():
            count = max(1, int(full * scale))
            _lines(report, f"{count:,} {kind}", flood(server, honest, kind, count), before)
            asyncio.run(honest.flow())
        report.line("honest flows refused", str(honest.failed), "0", honest.failed == 0)


def _lines(report: Report, name: str, result: Flooded, before: float) -> None:
    ratio = result.median / before
    said = ", ".join(
        f"{number} × {_WORDS.get(status, status)}"
        for status, number in sorted(result.answers.items())
    )
    report.line(
        f"{name}: honest median", f"{result.median * 1e3:.1f} ms", f"≤ {SLOWDOWN:.0f} times",
        ratio <= SLOWDOWN, f"{ratio:.2f} times, {len(result.honest)} flows",
    )  # fmt: skip
    report.line("  memory at most", f"{result.peak:.0f} MB", f"≤ {MEMORY:.0f} MB",
                result.peak <= MEMORY)  # fmt: skip
    report.line("  5xx but busy", str(result.faults), "0", result.faults == 0, said)


def main() -> int:
    """Floods; exit code 1 if a budget was missed."""
    parser = argparse.ArgumentParser(prog="make flood", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full counts")
    args = parser.parse_args()
    report = Report(sys.stdout)
    with tempfile.TemporaryDirectory(prefix="whistle-flood-") as name:
        folder = Path(name)
        org = make_org(folder, (datetime.datetime.now(datetime.UTC) + _SEAT).date())
        measure_floods(report, folder, org, free_port(), args.scale)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
