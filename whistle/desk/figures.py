# SPDX-License-Identifier: AGPL-3.0-or-later
"""From the public log and opened cards to what a release is made of.

Invariants
* The log is believed only with its witnesses, every entry, and the rules anybody can check.
* A card that does not open counts as unknown; nothing is left out of a total.
* The values tables have rows for come from the catalogue and the form, never from reports.

Source: docs/spec/release.md section 2, docs/spec/figures.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from case_mgmt.catalogue import Catalogue
from case_mgmt.figures.cards import CardedCase
from case_mgmt.figures.city import city_figures
from case_mgmt.figures.tables import attribute_tables
from case_mgmt.publication.check import as_of, cases_from, faults_in, leaves_of
from case_mgmt.publication.history import LoggedCase, Window
from crypto.encoding import canonical_json
from crypto.promise import commitment_of
from crypto.tlog.checkpoint import Checkpoint
from crypto.tlog.policy import Policy
from crypto.tlog.tiles import CHECKPOINT, write_tiles
from crypto.tlog.tree import Tree, leaf_hash
from whistle.desk.errors import GateRefusedError
from whistle.intake.fields import ASKED, HAPPENED, HOW, PAID
from whistle.release.inputs import EarlierRelease, LogHead, ReleaseInputs

Canaries = Mapping[bytes, bytes]
"""Pseudonyms of the auditor's reports, and their log secrets."""
_NONE: Final = "unknown"


@dataclass(frozen=True)
class VerifiedLog:
    """The public log as this desk has verified it."""

    note: str
    entries: tuple[bytes, ...]
    checkpoint: Checkpoint
    cases: tuple[LoggedCase, ...]
    opening: date
    as_of: date

    @property
    def files(self) -> dict[str, bytes]:
        """The files of the log, by path."""
        tree = Tree(leaf_hash(entry) for entry in self.entries)
        return {**write_tiles(self.entries, tree), CHECKPOINT: self.note.encode()}


@dataclass(frozen=True)
class Plan:
    """What the publisher asks for."""

    id: str
    earlier: tuple[EarlierRelease, ...]
    period_first: date
    reason: str | None = None


@dataclass(frozen=True)
class Office:
    """Whose release it is."""

    instance_id: bytes
    files: Mapping[str, bytes]
    catalogue: Catalogue


def verify_log(note: str, entries: Sequence[bytes], policy: Policy) -> VerifiedLog:
    """The log, or GateRefusedError."""
    checkpoint = policy.require(note).checkpoint
    kept = tuple(entries)
    if checkpoint.size != len(kept):
        raise GateRefusedError("desk.publish.log_differs")
    if Tree(leaf_hash(entry) for entry in kept).root() != checkpoint.root:
        raise GateRefusedError("desk.publish.log_differs")
    leaves = leaves_of(kept)
    faults = faults_in(leaves)
    if faults:
        raise GateRefusedError("desk.publish.log_faults", rule=faults[0].rule.value)
    return VerifiedLog(note, kept, checkpoint, cases_from(leaves), leaves[0].period, as_of(leaves))


def check_canaries(log: VerifiedLog, canaries: Canaries) -> None:
    """Raise GateRefusedError unless each is a report of this log with this secret."""
    known = {case.pseudonym: case.commitment for case in log.cases}
    if any(known.get(case) != commitment_of(secret) for case, secret in canaries.items()):
        raise GateRefusedError("desk.publish.canary_false")


def carded(
    cases: Sequence[LoggedCase], cards: Mapping[bytes, Mapping[str, str]]
) -> list[CardedCase]:
    """Each case with its card, or with unknown in every field."""
    return [_carded(case, cards.get(case.pseudonym, {})) for case in cases]


def compose(
    office: Office, log: VerifiedLog, cards: Sequence[CardedCase], canaries: Canaries, plan: Plan
) -> ReleaseInputs:
    """Everything a release is made of.  Raises case_mgmt.figures.errors.FiguresError."""
    figures = city_figures(log.cases, log.as_of, frozenset(canaries))
    counted = [card for card in cards if card.pseudonym not in canaries]
    past = [(each.figures, each.tables) for each in plan.earlier]
    tables = attribute_tables(counted, figures, past, domains(office.catalogue))
    return ReleaseInputs(
        id=plan.id,
        instance_id=office.instance_id,
        organisation=office.files,
        catalogue=office.catalogue,
        period=Window(plan.period_first, log.as_of),
        as_of=log.as_of,
        log=LogHead(log.checkpoint.origin, log.checkpoint.size, log.checkpoint.root),
        log_files=log.files,
        canaries=canaries_file(canaries),
        figures=figures,
        tables=tables.tables,
        suppression=tables.suppression,
        earlier=plan.earlier,
        reason=plan.reason,
    )


def canaries_file(canaries: Canaries) -> bytes:
    """canaries.json."""
    revealed = [
        {"case": case.hex(), "secret": secret.hex()} for case, secret in sorted(canaries.items())
    ]
    return canonical_json({"v": 1, "revealed": revealed})


def domains(catalogue: Catalogue) -> dict[str, tuple[str, ...]]:
    """Every value that the tables have a row for."""
    return {
        "unit": tuple(unit.id for unit in catalogue.units),
        "service": tuple(service.id for service in catalogue.services),
        "subject": HAPPENED.options,
        "how": HOW.options,
        "asked": ASKED.options,
        "paid": PAID.options,
    }


def first_day(log: VerifiedLog, previous_to: date | None) -> date:
    """The first day a release is about: after the one before it, or after the log's opening."""
    return (previous_to or log.opening) + timedelta(days=1)


def _carded(case: LoggedCase, card: Mapping[str, Any]) -> CardedCase:
    return CardedCase(
        case,
        unit=card.get("unit") or _NONE,
        service=card.get("service") or _NONE,
        subject=card.get("subject") or _NONE,
        how=card.get("how") or _NONE,
        asked_band=card.get("asked") or _NONE,
        paid_band=card.get("paid") or _NONE,
    )
