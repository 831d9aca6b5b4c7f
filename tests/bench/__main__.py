# SPDX-License-Identifier: AGPL-3.0-or-later
"""`make bench`: each figure beside its budget (docs/architecture.md) and beside a bare handler.

Figures of one run compare with each other; between machines only the ratios do.
"""

import argparse
import asyncio
import datetime
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.client import Connection, get, load
from tests.bench.flood import measure_floods
from tests.bench.growth import grow
from tests.bench.loads import Reporters, measure_flows, measure_statuses
from tests.bench.pieces import measure_pieces
from tests.bench.publication import measure_publication
from tests.bench.report import Report
from tests.bench.sealing import measure_sealing
from tests.bench.servers import Running, bare, free_port, intake
from tests.bench.timing import measure_timing
from tests.bench.uploads import measure_upload
from tests.support.org import Org, make_org

PAGES = ("/id/report", "/en/report", "/id/status", "/id/safety", "/id/statistics", "/id/keys")
BARE_PAGE_BYTES = 9_000
SEAT = datetime.timedelta(hours=7)
GROWN = 100_000
GROWTH_LEVEL = 8
GROWTH_ROUNDS = 7
GROWTH_FLOWS = 300
"""Flows of one turn: about a second, so that both servers meet the same weather."""


async def measure_pages(port: int, report: Report) -> None:
    """Bytes of the pages as they travel (nothing is compressed)."""
    connection = await Connection.open(port)
    _, _, landing = await connection.exchange(get("/"))
    style = landing.split(b'href="/style-', 1)[1].split(b'"', 1)[0].decode()
    _, _, css = await connection.exchange(get(f"/style-{style}"))
    first = len(landing) + len(css)
    report.line(
        "first page with its stylesheet", f"{first / 1e3:.1f} kB", "≤ 20 kB", first <= 20_000,
        "2 requests",
    )  # fmt: skip
    for path in PAGES:
        _, _, body = await connection.exchange(get(path))
        report.line(f"  {path}", f"{len(body) / 1e3:.1f} kB", "≤ 40 kB", len(body) <= 40_000)
    connection.close()


def measure_start(report: Report, ours: Running, base: Running) -> None:
    """Cold start and idle memory."""
    report.title("start and size")
    report.line(
        "first answer after start", f"{ours.first_answer:.2f} s", "≤ 1 s", ours.first_answer <= 1,
        f"bare {base.first_answer:.2f} s",
    )  # fmt: skip
    time.sleep(1)
    idle = ours.rss()
    report.line("memory idle", f"{idle:.0f} MB", "≤ 75 MB", idle <= 75, f"bare {base.rss():.0f} MB")
    asyncio.run(measure_pages(ours.port, report))


def measure_fresh(report: Report, org: Org, state: Path, *, quick: bool) -> None:
    """Everything that is measured on a nearly empty server."""
    reporters = Reporters()
    warm = 200 if quick else 1_000
    with intake(org.dir, state, free_port()) as ours, bare(free_port(), BARE_PAGE_BYTES) as base:
        measure_start(report, ours, base)
        report.title("reports (landing → form → 2 KB report → receipt; sealed to 3, durable)")
        asyncio.run(load(ours.port, 8, warm, reporters.flow))
        memory = ours.rss()
        report.line(f"memory after {warm} reports", f"{memory:.0f} MB", "≤ 80 MB", memory <= 80)
        measure_flows(report, reporters, ours, base, 200 if quick else 1_500)
        report.title("status")
        measure_statuses(report, reporters, ours, base, 300 if quick else 2_000)
        report.title("uploads")
        runs = 1 if quick else 3
        measure_upload(report, ours, base, 25, budget=None, runs=runs)
        measure_upload(report, ours, base, 200, budget=210, runs=runs)
        measure_pieces(report, org, ours, base, runs=runs)


def measure_grown(report: Report, org: Org, state: Path, fresh: Path, *, count: int) -> None:
    """The same flow with many reports stored, against an empty server, in turns."""
    report.title(f"grown: {count:,} reports more in the store")
    each = grow(state, count)
    report.line("stored per report", f"{each / 1e3:.1f} kB", "≤ 12 kB", each <= 12_000)
    with intake(org.dir, state, free_port()) as grown, intake(org.dir, fresh, free_port()) as empty:
        rounds = [(_rate(grown), _rate(empty)) for _ in range(GROWTH_ROUNDS + 1)][1:]
    ratio = statistics.median(ours / base for ours, base in rounds)
    rate = statistics.median(ours for ours, _ in rounds)
    report.line(
        f"report flow, {GROWTH_LEVEL} parallel", f"{rate:.0f}/s", "≥ 0.9 of empty", ratio >= 0.9,
        f"{ratio:.2f} of an empty server, median of {GROWTH_ROUNDS} turns",
    )  # fmt: skip


def _rate(server: Running) -> float:
    return asyncio.run(load(server.port, GROWTH_LEVEL, GROWTH_FLOWS, Reporters().flow)).rate


def main() -> int:
    """Measures; exit code 1 if a budget was missed."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small counts, for trying it out")
    parser.add_argument("--grown", type=int, default=GROWN, help="reports put in for the last part")
    args = parser.parse_args()
    report = Report(sys.stdout)
    with tempfile.TemporaryDirectory(prefix="whistle-bench-") as name:
        folder = Path(name)
        org = make_org(folder, (datetime.datetime.now(datetime.UTC) + SEAT).date())
        state = org.write_state(folder / "intake", "intake")
        measure_fresh(report, org, state, quick=args.quick)
        quiet = org.write_state(folder / "quiet", "intake")
        with intake(org.dir, quiet, free_port()) as alone:
            measure_timing(report, org, quiet, alone, rounds=100 if args.quick else 1_000)
        asyncio.run(measure_sealing(report, folder, rounds=1 if args.quick else 3))
        measure_floods(report, folder, org, free_port(), 0.02 if args.quick else 1)
        if args.grown:
            fresh = org.write_state(folder / "fresh", "intake")
            measure_grown(report, org, state, fresh, count=args.grown)
    measure_publication(report, quick=args.quick)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
