# SPDX-License-Identifier: AGPL-3.0-or-later
"""The whole check of a release, step by step, into one verdict.

Invariants
* Each step uses only what the steps before it have verified; when one fails whose result later
  steps need, those are listed as skipped.
* No network, no clock: the same files give the same verdict everywhere and always.

Source: docs/spec/verify.md section 3.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from crypto.errors import CryptoError, MalformedError
from crypto.tlog.checkpoint import parse_checkpoint
from crypto.tlog.note import open_note
from crypto.tlog.policy import Policy
from whistle.release.sheets import sheet_files
from whistle.tool.keylist import Pin
from whistle.verify import earlier as past
from whistle.verify import numbers
from whistle.verify.faults import Fault, FaultError, Found, Verdict
from whistle.verify.folder import Release
from whistle.verify.organisation import (
    Organisation,
    open_organisation,
    require_in_force,
    signers_of,
)
from whistle.verify.package import check_package
from whistle.verify.publiclog import (
    CHECKPOINT,
    PublicLog,
    accept_checkpoint,
    broken_rules,
    policy_of,
    read_log,
)

CHECKS: Final = (
    "files", "organisation", "signatures", "witnesses", "entries", "rules", "canaries", "figures",
    "sheets", "tables", "attack", "package", "earlier",
)  # fmt: skip
"""The checklist, in its order."""
_ORDER: Final = (*CHECKS, "first")


@dataclass(frozen=True)
class Trust:
    """What the reader brings."""

    pin: Pin | None = None
    policy: Policy | None = None
    """The reader's own demand on witnesses, beside the organisation's."""
    seen: tuple[bytes, ...] = ()
    """Checkpoints of this log from elsewhere: from a witness, or from somebody else."""
    attack: bool = False
    """Whether to try to work out the hidden numbers: takes seconds, needs highspy."""


@dataclass(frozen=True)
class Base:
    """A release whose signatures and log are verified."""

    release: Release
    organisation: Organisation
    log: PublicLog


@dataclass(frozen=True)
class Result:
    """The verdict, and what it is about as far as it could be read."""

    verdict: Verdict
    release: Release | None = None
    base: Base | None = None
    counted: numbers.Counted | None = None


def verify_release(release: Release, trust: Trust, earlier: Sequence[Release] = ()) -> Result:
    """Check everything that can be checked of a release; never raises FaultError."""
    verdict = Verdict()
    base, counted = None, None
    with suppress(FaultError):  # noted by the verdict
        base = verify_base(release, trust, verdict)
    if base is not None:
        with suppress(FaultError):
            counted = _check_numbers(base, verdict)
        _check_sheets(release, verdict)
        _check_tables(release, earlier, verdict)
        if trust.attack:
            _attack_tables([*earlier, release], verdict)
        _check_package(release, verdict)
        _check_earlier(base, trust, earlier, verdict)
    done = {check.key for check in verdict.checks}
    for key in CHECKS:
        if key not in done and not (key == "earlier" and "first" in done):
            verdict.skipped(key)
    verdict.checks.sort(key=lambda check: _ORDER.index(check.key))
    return Result(verdict, release, base, counted)


def verify_base(release: Release, trust: Trust, verdict: Verdict) -> Base:
    """Files, organisation, signatures, witnesses, entries, rules.  Raises FaultError."""
    verdict.judge("files", release.compare_files(), count=len(release.head.files))
    with verdict.checking("organisation") as facts:
        organisation = open_organisation(release.read, release.head.instance_id, trust.pin)
        require_in_force(organisation, release.head.as_of)
        facts["serial"] = organisation.manifest.serial
    with verdict.checking("signatures") as facts:
        facts["people"] = ", ".join(each.name for each in signers_of(release, organisation))
    log = _open_log(release, organisation, trust, verdict)
    verdict.judge("rules", broken_rules(log), count=len(log.leaves))
    return Base(release, organisation, log)


def _open_log(
    release: Release, organisation: Organisation, trust: Trust, verdict: Verdict
) -> PublicLog:
    head, instance_id = release.head, organisation.instance_id
    with verdict.checking("witnesses") as facts:
        note = release.read(CHECKPOINT)
        accepted = accept_checkpoint(note, policy_of(organisation), instance_id)
        if trust.policy is not None:
            accept_checkpoint(note, trust.policy, instance_id)
        checkpoint = accepted.checkpoint
        if (checkpoint.origin, checkpoint.size, checkpoint.root) != (
            head.origin, head.size, head.root,
        ):  # fmt: skip
            raise FaultError(Fault.CHECKPOINT_OTHER, CHECKPOINT)
        facts["count"] = len(accepted.witnesses)
        facts["names"] = ", ".join(each.name for each in accepted.witnesses) or "–"
    with verdict.checking("entries") as facts:
        log = read_log(release.read_optional, accepted, instance_id)
        if log.as_of != head.as_of:
            raise FaultError(Fault.DAY_WRONG, log.as_of.isoformat())
        facts["count"] = len(log.entries)
    return log


def _check_numbers(base: Base, verdict: Verdict) -> numbers.Counted:
    with verdict.checking("canaries") as facts:
        published = numbers.read_json(base.release, numbers.FIGURES)
        numbers.require_definitions(published)
        counted = numbers.count_again(base.release, base.log)
        facts["count"] = len(counted.canaries)
    found = numbers.wrong_figures(published, counted.figures)
    verdict.judge("figures", found, cases=len(counted.cases), weeks=len(counted.figures["weekly"]))
    return counted


def _check_tables(release: Release, earlier: Sequence[Release], verdict: Verdict) -> None:
    try:
        tables = numbers.read_json(release, numbers.TABLES)
        found = numbers.small_cells(tables)
        for each in earlier:
            found += numbers.small_changes(tables, numbers.read_json(each, numbers.TABLES))
    except FaultError as error:
        found = [error.found]
    except MalformedError:
        found = [Found(Fault.FIGURES_MALFORMED, numbers.TABLES)]
    verdict.judge("tables", found, releases=len(earlier))


def _check_sheets(release: Release, verdict: Verdict) -> None:
    """The tables for spreadsheets hold what figures.json and tables.json hold."""
    try:
        wanted = sheet_files(
            numbers.read_json(release, numbers.FIGURES), numbers.read_json(release, numbers.TABLES)
        )
    except FaultError as error:
        verdict.judge("sheets", [error.found])
        return
    except (KeyError, TypeError, IndexError):
        verdict.judge("sheets", [Found(Fault.FIGURES_MALFORMED, numbers.TABLES)])
        return
    found = [
        Found(Fault.SHEET_WRONG, path)
        for path, data in wanted.items()
        if release.read_optional(path) != data
    ]
    verdict.judge("sheets", found, count=len(wanted))


def _attack_tables(releases: Sequence[Release], verdict: Verdict) -> None:
    try:
        from whistle.verify.attacking import solved_cells  # noqa: PLC0415 - needs numpy and highspy
    except ImportError:
        return  # listed as skipped
    found, cells = solved_cells(releases)
    verdict.judge("attack", found, cells=cells, releases=len(releases))


def _check_package(release: Release, verdict: Verdict) -> None:
    found, rows = check_package(release.read_optional)
    verdict.judge("package", found, rows=rows)


def _check_earlier(base: Base, trust: Trust, earlier: Sequence[Release], verdict: Verdict) -> None:
    if not earlier and not trust.seen:
        hidden = past.compare_releases(base.release, (), base.log.leaves)
        if base.release.head.previous is None and hidden:
            verdict.judge("earlier", hidden, count=0, seen=0)
        elif base.release.head.previous is None:
            verdict.passed("first")
        else:
            verdict.skipped("earlier")
        return
    found: list[Found] = []
    for each in earlier:
        found += _compare(base, each)
    for note in trust.seen:
        found += _compare_seen(base, note)
    found += past.compare_releases(base.release, earlier, base.log.leaves)
    verdict.judge("earlier", list(dict.fromkeys(found)), count=len(earlier), seen=len(trust.seen))


def _compare(base: Base, earlier: Release) -> list[Found]:
    """The log of an earlier release, verified by itself, beside this one's."""
    own = Verdict()
    try:
        pin = Pin(base.organisation.instance_id)
        before = verify_base(earlier, Trust(pin), own)
    except FaultError:
        pass
    else:
        if own.is_good:
            return past.compare_logs(before.log.entries, base.log.entries)
    return [Found(each.fault, f"{earlier.head.id}: {each.where}") for each in own.faults]


def _compare_seen(base: Base, note: bytes) -> list[Found]:
    keys = [each.key for each in policy_of(base.organisation).logs]
    try:
        seen = parse_checkpoint(open_note(note, keys).text)
    except CryptoError:
        return [Found(Fault.CHECKPOINT_FORGED, "--seen")]
    return past.compare_checkpoint(seen, base.log)
