# SPDX-License-Identifier: AGPL-3.0-or-later
"""Releases of simulated cities as the publisher's desk makes them and a reader checks them.

An honest city of 10,000 reports over two years, weekly batches, eight quarterly releases: each is
built, signed by two and verified beside all earlier ones, attack included; one that does not verify
ends the run with what was found.
"""

import gc
import itertools
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from tests.bench.report import Report
from tests.support.city import CityPlan
from tests.support.publisher import Publisher, quarters, require_good

RELEASES = 8
ENTRIES_PER_REPORT = 4.8
"""Of the simulated city: a report and what follows."""
VERIFY_BUDGET = 60.0
"""Seconds for the last release of the city, attack included: somebody waits for it."""
GROWTH_BUDGET = 20.0
"""Times the work for ten times the log: linear, with room for a busy machine."""
T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds, and what came of it."""
    gc.collect()
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def ratios(report: Report, what: str, seconds: Iterable[float]) -> None:
    """How often the work for one size goes into the work for ten times that size."""
    measured = list(seconds)
    found = [later / earlier for earlier, later in itertools.pairwise(measured)]
    report.line(
        f"{what}: ten times the log", " ".join(f"x{each:.1f}" for each in found),
        f"≤ x{GROWTH_BUDGET:.0f}", all(each <= GROWTH_BUDGET for each in found),
    )  # fmt: skip


def measure_sizes(report: Report, sizes: Iterable[int]) -> None:
    """One first release from logs of these sizes: build, verify, and how both grow."""
    building, verifying = list[float](), list[float]()
    for size in sizes:
        plan = CityPlan(reports=round(size / ENTRIES_PER_REPORT))
        with tempfile.TemporaryDirectory(prefix="whistle-releases-") as name:
            publisher = Publisher.found(Path(name), plan)
            publisher.city.run_until(plan.last_day)
            built, folder = timed(lambda each=publisher, day=plan.last_day: each.publish(day))  # type: ignore[misc]
            verified, result = timed(publisher.verify)
            require_good(result)
            report.line(
                f"a release of {len(publisher.city.leaves):,} entries",
                f"{built:.1f} + {verified:.1f} s", None, met=True,
                beside=f"to build + to verify; {_megabytes(folder):.1f} MB",
            )  # fmt: skip
        building.append(built)
        verifying.append(verified)
    ratios(report, "build", building)
    ratios(report, "verify", verifying)


def measure_city(report: Report, reports: int) -> None:
    """Every quarter of an honest city; raises AssertionError if one does not verify."""
    plan = CityPlan(reports=reports)
    report.title(f"honest city: {reports:,} reports over two years, quarterly releases")
    first = 0.0
    with tempfile.TemporaryDirectory(prefix="whistle-releases-") as name:
        publisher = Publisher.found(Path(name), plan)
        verifying = 0.0
        for number, day in enumerate(quarters(plan, RELEASES), start=1):
            building, folder = timed(lambda at=day: publisher.publish(at))  # type: ignore[misc]
            verifying, result = timed(publisher.verify)
            require_good(result)
            first = first or verifying
            report.line(
                f"release {number}: {len(publisher.city.leaves):,} entries",
                f"{building:.1f} + {verifying:.1f} s", None, met=True,
                beside=f"to build + to verify; {_megabytes(folder):.1f} MB",
            )  # fmt: skip
    report.line("honest releases that verify", f"{RELEASES} of {RELEASES}", "all", met=True)
    report.line(
        "verify the last, attack on all included", f"{verifying:.1f} s",
        f"≤ {VERIFY_BUDGET:.0f} s", verifying <= VERIFY_BUDGET,
        f"x{verifying / first:.1f} of the first",
    )  # fmt: skip


def _megabytes(folder: Path) -> float:
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file()) / 1e6
