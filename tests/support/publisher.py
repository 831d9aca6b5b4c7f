# SPDX-License-Identifier: AGPL-3.0-or-later
"""Releases of a simulated city as the publisher's desk makes them, and as a reader checks them.

office = Publisher.found(folder, plan)
release = office.publish(day)          # logs the weeks before; drafted, built, signed by two
office.verify()                        # the last one beside all earlier ones, attack included
"""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from case_mgmt.catalogue import parse_catalogue
from crypto.encoding import canonical_json
from crypto.tlog.policy import parse_policy
from tests.support.city import SERVICES, City, CityPlan
from tests.support.published import SIGNERS, Town, digest_of
from whistle.desk.figures import Office, Plan, carded, compose, first_day, verify_log
from whistle.release.build import build
from whistle.release.inputs import ORGANISATION_FILES, EarlierRelease
from whistle.release.signing import sign
from whistle.verify.folder import Release
from whistle.verify.release import Result, Trust, verify_release

QUARTER = 91
LOGGED_AFTER = timedelta(days=2)
"""A release goes into the batch of the week in which it came out."""


@dataclass
class Publisher:
    """An organisation, its city, and the releases that are out."""

    folder: Path
    town: Town
    city: City
    folders: list[Path] = field(default_factory=list)
    earlier: list[EarlierRelease] = field(default_factory=list)

    @classmethod
    def found(cls, folder: Path, plan: CityPlan) -> "Publisher":
        """Make keys, witnesses and a catalogue with the city's offices and services."""
        town = Town.found(folder, plan.last_day)
        _fill_catalogue(town, plan)
        return cls(folder, town, City(plan))

    def publish(self, day: date) -> Path:
        """The release of what is logged on this day."""
        self.city.run_until(day)
        out = self.folder / f"2024-r{len(self.folders) + 1}"
        org = self.town.org
        files = {name: (org.dir / name).read_bytes() for name in ORGANISATION_FILES}
        office = Office(
            org.instance_id, files, parse_catalogue((org.dir / "catalogue.json").read_bytes())
        )
        note = self.town.checkpoint(self.city.entries)
        log = verify_log(note, self.city.entries, parse_policy(files["log-policy.txt"]))
        before = date.fromisoformat(self.earlier[-1].figures["as_of"]) if self.earlier else None
        plan = Plan(out.name, tuple(self.earlier), first_day(log, before))
        canaries = {case.pseudonym: case.log_secret for case in self.city.canaries}
        inputs = compose(office, log, carded(log.cases, self._cards()), canaries, plan)
        build(inputs, out)
        for person in SIGNERS:
            sign(out, person, org.identities[person].device_seed)
        digest = digest_of(out)
        self.folders.append(out)
        self.earlier.append(EarlierRelease(out.name, digest.hex(), inputs.figures, inputs.tables))
        self.city.release(digest, day + LOGGED_AFTER)
        return out

    def verify(self) -> Result:
        """The last release beside all earlier ones, as a reader with all folders does."""
        *earlier, last = [Release.open(folder) for folder in self.folders]
        return verify_release(last, Trust(attack=True), earlier)

    def _cards(self) -> dict[bytes, dict[str, str]]:
        logged = {leaf.case for leaf in self.city.leaves}
        return {
            case.pseudonym: {
                "unit": case.unit,
                "service": case.service,
                "subject": case.subject,
                "how": case.how,
                "asked": case.asked,
                "paid": case.paid,
            }
            for case in self.city.cases
            if case.pseudonym in logged
        }


def quarters(plan: CityPlan, number: int) -> list[date]:
    """Mondays a quarter apart."""
    return [plan.opening + timedelta(days=1 + QUARTER * each) for each in range(1, number + 1)]


def require_good(result: Result) -> None:
    """Raise AssertionError, naming everything, unless every check was made and passed."""
    verdict = result.verdict
    left_out = [check.key for check in verdict.checks if check.state != "passed"]
    if verdict.faults or left_out:
        named = [f"{each.fault.value} {each.where}" for each in verdict.faults]
        raise AssertionError(f"an honest release does not verify: {named or left_out}")


def _fill_catalogue(town: Town, plan: CityPlan) -> None:
    content = json.loads((town.org.dir / "catalogue.json").read_bytes())
    known = {each["id"] for each in content["services"]}
    content["services"] += [
        {**content["services"][0], "id": each, "name": {"id": each, "en": each}}
        for each in SERVICES
        if each not in known
    ]
    content["units"] += [
        {"id": f"kantor-{number:02d}", "level": "kelurahan", "kemendagri": None,
         "name": {"id": f"Kantor {number}", "en": f"Office {number}"}}
        for number in range(1, plan.offices + 1)
    ]  # fmt: skip
    data = canonical_json(content)
    (town.org.dir / "catalogue.json").write_bytes(data)
    named = {**town.org.manifest["files"], "catalogue.json": hashlib.sha256(data).hexdigest()}
    town.org.rewrite(files=named)
