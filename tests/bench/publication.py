# SPDX-License-Identifier: AGPL-3.0-or-later
"""The public log and its releases: how building and verifying grow with the log.

`python -m tests.bench.publication [--quick]`: logs of 1,000, 10,000 and 100,000 entries; then an
honest simulated city of 10,000 reports over two years with weekly batches and quarterly releases,
each built, signed and verified with everything, attack included.
"""

import argparse
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar

from case_mgmt.catalogue import parse_catalogue
from case_mgmt.figures.city import city_figures
from case_mgmt.publication.check import as_of, cases_from, faults_in, leaves_of
from crypto.encoding import canonical_json
from crypto.tlog.checkpoint import Checkpoint
from crypto.tlog.policy import parse_policy
from crypto.tlog.tiles import read_entries, write_tiles
from crypto.tlog.tree import Tree
from tests.bench.report import Report
from tests.support.city import City, CityPlan, build_city
from tests.support.published import Town, digest_of
from whistle.desk.figures import Office, Plan, carded, compose, first_day, verify_log
from whistle.release.build import build
from whistle.release.inputs import ORGANISATION_FILES, EarlierRelease
from whistle.release.signing import sign
from whistle.verify.folder import Release
from whistle.verify.release import Trust, verify_release

SIZES = (1_000, 10_000, 100_000)
ENTRIES_PER_REPORT = 4.8
"""Of the simulated city: a report and what follows."""
VERIFY_BUDGET = 60.0
"""Seconds for the last release of the city, attack included: somebody waits for it."""
GROWTH_BUDGET = 20.0
"""Times the work for ten times the log: linear, with room for a busy machine."""
T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds, and what came of it."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def measure_log(report: Report, size: int) -> float:
    """One log of about `size` entries; seconds to read and check all of it."""
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
        raise AssertionError("the honest city breaks a rule")
    counting, _ = timed(lambda: city_figures(cases_from(leaves), as_of(leaves)))
    size_mb = sum(map(len, files.values())) / 1e6
    report.title(f"public log of {tree.size:,} entries ({size_mb:.1f} MB in {len(files):,} files)")
    for what, seconds in (
        ("batches of two years", batching),
        ("tree", hashing),
        ("tiles", writing),
        ("read and check against the root", reading),
        ("parse and check the rules", judging + ruling),
        ("city figures", counting),
    ):
        report.line(what, f"{seconds:.2f} s", None, met=True)
    return reading + judging + ruling + counting


def measure_city(report: Report, reports: int) -> None:
    """Quarterly releases over two years; times of the last one, where everything is largest."""
    plan = CityPlan(reports=reports)
    report.title(f"releases: {reports:,} reports over two years, quarterly")
    with tempfile.TemporaryDirectory(prefix="whistle-releases-") as name:
        base = Path(name)
        town = Town.found(base, plan.last_day)
        _offices(town, plan)
        city, folders = City(plan), list[Path]()
        earlier_inputs: list[EarlierRelease] = []
        seconds = 0.0
        for number, day in enumerate(_quarters(plan), start=1):
            city.run_until(day)
            folder = base / f"2024-r{number}"
            seconds, _ = timed(lambda at=folder: _publish(town, city, at, earlier_inputs))  # type: ignore[misc]
            city.release(digest_of(folder), day + timedelta(days=2))
            folders.append(folder)
        *earlier, last = [Release.open(folder) for folder in folders]
        verifying, result = timed(lambda: verify_release(last, Trust(attack=True), earlier))
        bytes_in_all = sum(each.stat().st_size for each in folders[-1].rglob("*") if each.is_file())
        report.line("build the last release", f"{seconds:.1f} s", None, met=True)
        report.line(
            "verify it, attack included", f"{verifying:.1f} s", f"≤ {VERIFY_BUDGET:.0f} s",
            verifying <= VERIFY_BUDGET,
        )  # fmt: skip
        report.line("its folder", f"{bytes_in_all / 1e6:.1f} MB", None, met=True)
        report.line(
            "honest releases verify", str(len(folders)), "all", result.verdict.is_good,
        )  # fmt: skip


def _publish(town: Town, city: City, folder: Path, earlier: list[EarlierRelease]) -> None:
    """A whole release as the publisher's desk makes it, signed by two."""
    org = town.org
    files = {name: (org.dir / name).read_bytes() for name in ORGANISATION_FILES}
    catalogue = parse_catalogue((org.dir / "catalogue.json").read_bytes())
    office = Office(org.instance_id, files, catalogue)
    policy = parse_policy(files["log-policy.txt"])
    log = verify_log(town.checkpoint(city.entries), city.entries, policy)
    known = {case.pseudonym: case for case in city.cases}
    cards = {
        case.pseudonym: {
            "unit": known[case.pseudonym].unit,
            "service": known[case.pseudonym].service,
            "subject": known[case.pseudonym].subject,
            "how": known[case.pseudonym].how,
            "asked": known[case.pseudonym].asked,
            "paid": known[case.pseudonym].paid,
        }
        for case in log.cases
    }
    canaries = {case.pseudonym: case.log_secret for case in city.canaries}
    last = log.opening if not earlier else date.fromisoformat(earlier[-1].figures["as_of"])
    plan = Plan(folder.name, tuple(earlier), first_day(log, last))
    inputs = compose(office, log, carded(log.cases, cards), canaries, plan)
    build(inputs, folder)
    for person in ("penerbit", "auditor"):
        sign(folder, person, org.identities[person].device_seed)
    earlier.append(
        EarlierRelease(folder.name, digest_of(folder).hex(), inputs.figures, inputs.tables)
    )


def _offices(town: Town, plan: CityPlan) -> None:
    """Put the simulated offices into the catalogue."""
    content = json.loads((town.org.dir / "catalogue.json").read_bytes())
    content["units"] += [
        {"id": f"kantor-{number:02d}", "level": "kelurahan", "kemendagri": None,
         "name": {"id": f"Kantor {number}", "en": f"Office {number}"}}
        for number in range(1, plan.offices + 1)
    ]  # fmt: skip
    data = canonical_json(content)
    (town.org.dir / "catalogue.json").write_bytes(data)
    named = {**town.org.manifest["files"], "catalogue.json": hashlib.sha256(data).hexdigest()}
    town.org.rewrite(files=named)


def _tree(entries: list[bytes]) -> Tree:
    tree = Tree()
    for entry in entries:
        tree.append(entry)
    return tree


def _quarters(plan: CityPlan) -> list[date]:
    return [plan.opening + timedelta(days=1 + 91 * number) for number in range(1, 9)]


def measure(report: Report, *, quick: bool) -> None:
    """Everything; `quick` leaves the largest out."""
    sizes = SIZES[:2] if quick else SIZES
    seconds = [measure_log(report, size) for size in sizes]
    ratio = seconds[-1] / seconds[-2]
    report.title("growth")
    report.line(
        "checking a log ten times as large", f"{ratio:.1f} times", f"≤ {GROWTH_BUDGET:.0f}",
        ratio <= GROWTH_BUDGET,
    )  # fmt: skip
    measure_city(report, 1_000 if quick else 10_000)


def main() -> int:
    """Measures; exit code 1 if a budget was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small counts, for trying it out")
    args = parser.parse_args()
    report = Report(sys.stdout)
    measure(report, quick=args.quick)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
