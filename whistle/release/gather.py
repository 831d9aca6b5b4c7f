# SPDX-License-Identifier: AGPL-3.0-or-later
"""From the log, the cards and the earlier releases to the inputs of the next one.

Invariants
* Nothing is counted from a log that the log's key and the quorum of witnesses have not signed, that
  does not hash to its root, or that breaks a rule anybody can check.
* The attack runs on all releases together before tables are returned (case_mgmt.figures.tables).
* A card of a case that the log does not have is refused; a case without a card counts as unknown.

Source: docs/spec/release.md section 2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from case_mgmt.catalogue import Catalogue
from case_mgmt.figures.cards import CardedCase
from case_mgmt.figures.city import city_figures
from case_mgmt.figures.errors import DisclosureError as FoundError
from case_mgmt.figures.errors import FiguresError
from case_mgmt.figures.tables import attribute_tables
from case_mgmt.publication.check import as_of, cases_from, faults_in, leaves_of
from case_mgmt.publication.history import LoggedCase, Window
from case_mgmt.publication.leaves import PSEUDONYM, Leaf
from crypto import jsonfields as read
from crypto.encoding import canonical_json, parse_day, parse_json
from crypto.errors import CryptoError, MalformedError
from crypto.promise import commitment_of
from crypto.tlog.policy import parse_policy
from crypto.tlog.tiles import read_entries
from whistle.intake.fields import REPORT_FIELDS
from whistle.release.errors import DisclosureError, FolderError, InputError
from whistle.release.folder import read_release, release_digest
from whistle.release.inputs import EarlierRelease, JsonObject, LogHead, ReleaseInputs

MAX_JSON: Final = 64 * 1024 * 1024  # bytes of an earlier release's figures or tables
MAX_CANARIES: Final = 100_000
_SECRET: Final = 32
_ANSWERS: Final = {"subject": "happened", "how": "how", "asked": "asked", "paid": "paid"}


@dataclass(frozen=True)
class Card:
    """What the publisher knows of a case; empty: not stated."""

    unit: str
    service: str
    subject: str
    how: str
    asked: str
    paid: str


@dataclass(frozen=True)
class Sources:
    """What a publisher brings together.  The manifest in `organisation` is verified already."""

    id: str
    instance_id: bytes
    organisation: Mapping[str, bytes]
    catalogue: Catalogue
    log_files: Mapping[str, bytes]
    cards: Mapping[bytes, Card]
    """By pseudonym."""
    canaries: bytes
    earlier: Sequence[Path] = ()
    """Folders of all releases that are out."""
    reason: str | None = None


@dataclass(frozen=True)
class Log:
    """A log that has been checked, as leaves and cases."""

    head: LogHead
    leaves: tuple[Leaf, ...]
    cases: tuple[LoggedCase, ...]


def gather(sources: Sources) -> ReleaseInputs:
    """Count everything.  Raises InputError, DisclosureError, FolderError."""
    log = read_log(sources.organisation, sources.log_files)
    hidden = revealed(sources.canaries, log.cases)
    earlier = tuple(sorted((read_earlier(each) for each in sources.earlier), key=_day))
    counted = tuple(case for case in log.cases if case.pseudonym not in hidden)
    day = as_of(log.leaves)
    try:
        figures = city_figures(log.cases, day, hidden)
        made = attribute_tables(
            carded(counted, sources.cards, {case.pseudonym for case in log.cases}),
            figures,
            [(each.figures, each.tables) for each in earlier],
            domains(sources.catalogue),
        )
    except FoundError as error:
        raise DisclosureError("a number below ten could be worked out") from error
    except FiguresError as error:
        raise InputError("the log, the cards and the earlier releases do not fit") from error
    return ReleaseInputs(
        id=sources.id,
        instance_id=sources.instance_id,
        organisation=sources.organisation,
        catalogue=sources.catalogue,
        period=Window(_start(log.leaves, earlier), day),
        as_of=day,
        log=log.head,
        log_files=sources.log_files,
        canaries=sources.canaries,
        figures=figures,
        tables=made.tables,
        suppression=made.suppression,
        earlier=earlier,
        reason=sources.reason,
    )


def read_log(organisation: Mapping[str, bytes], files: Mapping[str, bytes]) -> Log:
    """The log of these files.  Raises InputError."""
    try:
        policy = parse_policy(organisation["log-policy.txt"])
        checkpoint = policy.require(files["checkpoint"]).checkpoint
        leaves = leaves_of(read_entries(files.get, checkpoint))
    except KeyError as error:
        raise InputError("the log or its policy is missing") from error
    except CryptoError as error:
        raise InputError("the log is not as its key and witnesses signed it") from error
    if not leaves or faults_in(leaves):
        raise InputError("the log breaks a rule that anybody can check")
    head = LogHead(checkpoint.origin, checkpoint.size, checkpoint.root)
    return Log(head, leaves, cases_from(leaves))


def revealed(canaries: bytes, cases: Sequence[LoggedCase]) -> frozenset[bytes]:
    """Pseudonyms of the test reports, each proved by its secret.  Raises InputError."""
    commitments = {case.pseudonym: case.commitment for case in cases}
    found = set()
    try:
        source = read.members(parse_json(canaries, max_bytes=MAX_JSON))
        for each in read.items(source, "revealed", MAX_CANARIES):
            entry = read.members(each)
            case = read.hexadecimal(entry, "case", PSEUDONYM)
            secret = read.hexadecimal(entry, "secret", _SECRET)
            if commitments.get(case) != commitment_of(secret):
                raise InputError("a test report is not the report it names")
            found.add(case)
        if read.integer(source, "v") != 1 or canonical_json(source) != canaries:
            raise MalformedError("canaries.json of an unknown version")
    except MalformedError as error:
        raise InputError("canaries.json is malformed") from error
    return frozenset(found)


def carded(
    counted: Sequence[LoggedCase], cards: Mapping[bytes, Card], logged: set[bytes]
) -> list[CardedCase]:
    """Every counted case with its card.  Raises InputError."""
    if not logged.issuperset(cards):
        raise InputError("there is a card of a case that is not in the log")
    return [_carded(case, cards.get(case.pseudonym)) for case in counted]


def domains(catalogue: Catalogue) -> dict[str, tuple[str, ...]]:
    """Every value that a table can have a row for."""
    options = {field.name: field.options for field in REPORT_FIELDS}
    return {
        "unit": tuple(unit.id for unit in catalogue.units),
        "service": tuple(service.id for service in catalogue.services),
        **{attribute: tuple(options[name]) for attribute, name in _ANSWERS.items()},
    }


def read_earlier(folder: Path) -> EarlierRelease:
    """A release that is out.  Raises FolderError."""
    head = read_release(folder)
    try:
        return EarlierRelease(
            id=read.text(head, "id", 32),
            sha256=release_digest(folder).hex(),
            figures=_object(folder / "data/figures.json"),
            tables=_object(folder / "data/tables.json"),
        )
    except (OSError, MalformedError) as error:
        raise FolderError("an earlier release cannot be read") from error


def _carded(case: LoggedCase, card: Card | None) -> CardedCase:
    if card is None:
        return CardedCase(case)
    return CardedCase(case, card.unit, card.service, card.subject, card.how, card.asked, card.paid)


def _object(path: Path) -> JsonObject:
    found: Mapping[str, Any] = read.members(parse_json(path.read_bytes(), max_bytes=MAX_JSON))
    return found


def _day(release: EarlierRelease) -> str:
    return str(release.figures.get("as_of"))


def _start(leaves: Sequence[Leaf], earlier: Sequence[EarlierRelease]) -> date:
    before = parse_day(earlier[-1].figures["as_of"]) if earlier else leaves[0].period
    return before + timedelta(days=1)
