# SPDX-License-Identifier: AGPL-3.0-or-later
"""The public log and its releases: how building and verifying grow with the log.

Part of `make bench`; alone: `python -m tests.bench.publication [--quick]`.  Logs of 1,000, 10,000
and 100,000 entries, then whole releases (tests/bench/releases.py).
"""

import argparse
import sys

from case_mgmt.figures.city import city_figures
from case_mgmt.publication.check import as_of, cases_from, faults_in, leaves_of
from crypto.tlog.checkpoint import Checkpoint
from crypto.tlog.tiles import read_entries, write_tiles
from crypto.tlog.tree import Tree
from tests.bench.releases import ENTRIES_PER_REPORT, measure_city, measure_sizes, ratios, timed
from tests.bench.report import Report
from tests.support.city import CityPlan, build_city

SIZES = (1_000, 10_000, 100_000)
CITY = 10_000
QUICK_CITY = 1_000


def measure_log(report: Report, size: int) -> tuple[float, float]:
    """One log of about `size` entries: seconds to make it, and to read and check all of it."""
    plan = CityPlan(reports=round(size / ENTRIES_PER_REPORT))
    batching, city = timed(lambda: build_city(plan))
    entries = city.entries
    hashing, tree = timed(lambda: _tree(entries))
    writing, files = timed(lambda: write_tiles(entries, tree))
    checkpoint = Checkpoint("whistle/bench", tree.size, tree.root())
    reading, back = timed(lambda: read_entries(files.get, checkpoint))
    judging, leaves = timed(lambda: leaves_of(back))
    ruling, faults = timed(lambda: faults_in(leaves))
    if faults:
        raise AssertionError(f"the honest city breaks a rule: {faults[0]}")
    counting, _ = timed(lambda: city_figures(cases_from(leaves), as_of(leaves)))
    size_mb = sum(map(len, files.values())) / 1e6
    report.title(f"public log of {tree.size:,} entries ({size_mb:.1f} MB in {len(files):,} files)")
    for what, seconds in (
        ("batches of two years", batching),
        ("tree and tiles", hashing + writing),
        ("read and check against the root", reading),
        ("parse and check the rules", judging + ruling),
        ("city figures", counting),
    ):
        report.line(what, f"{seconds:.2f} s", None, met=True)
    return batching + hashing + writing, reading + judging + ruling + counting


def measure_publication(report: Report, *, quick: bool) -> None:
    """Everything; `quick` leaves the largest out."""
    sizes = SIZES[:2] if quick else SIZES
    making, checking = zip(*(measure_log(report, size) for size in sizes), strict=True)
    report.title("growth of logs and releases")
    ratios(report, "make a log", making)
    ratios(report, "read and check it", checking)
    measure_sizes(report, sizes)
    measure_city(report, QUICK_CITY if quick else CITY)


def _tree(entries: list[bytes]) -> Tree:
    tree = Tree()
    for entry in entries:
        tree.append(entry)
    return tree


def main() -> int:
    """Measures; exit code 1 if a budget was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small counts, for trying it out")
    args = parser.parse_args()
    report = Report(sys.stdout)
    measure_publication(report, quick=args.quick)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
