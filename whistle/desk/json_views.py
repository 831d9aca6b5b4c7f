# SPDX-License-Identifier: AGPL-3.0-or-later
"""The `--json` form of everything the commands show: stable, documented in docs/spec/desk.md.

Codes and days only, no translated words; names that a report gives are passed on as they are (JSON
escapes them). Keys are never removed or renamed; new ones may be added.
"""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

from case_mgmt.desk.evidence import EvidenceFile
from case_mgmt.desk.history import CheckedAct
from case_mgmt.desk.office import Note
from case_mgmt.desk.opening import OpenedFollowUp, OpenedReport
from whistle.desk.casefile import CaseFile, PendingView
from whistle.desk.cleaning import CleanCopy
from whistle.desk.errors import DeskError
from whistle.desk.looking import Inside
from whistle.desk.records import CaseSummary, Queue
from whistle.desk.workbench import Outcome

Json = dict[str, Any]


def queue_json(queue: Queue) -> Json:
    """`whistle-desk list --json`."""
    return {
        "today": queue.today.isoformat(),
        "cases": [summary_json(summary) for summary in queue.cases],
    }


def summary_json(summary: CaseSummary) -> Json:
    """One case of the list."""
    proposal = summary.proposal
    return {
        "case": summary.case,
        "state": summary.state.value,
        "assignee": summary.assignee,
        "received": summary.received.isoformat(),
        "next_due": _day(summary.next_due),
        "due_kind": summary.due_kind,
        "overall_due": _day(summary.overall_due),
        "overdue_since": _day(summary.overdue_since),
        "paused": summary.paused,
        "new_material": summary.new_material,
        "proposal": None if proposal is None else {"to": proposal.to, "by": proposal.by},
        "allowed": [
            {"to": move.to, "needs_second": move.needs_second, "needs_reason": move.needs_reason}
            for move in summary.allowed
        ],
    }


def case_json(case: CaseFile, inside: Mapping[int, Inside] = MappingProxyType({})) -> Json:
    """`whistle-desk show CASE --json`."""
    clock = case.clock
    return {
        **summary_json(case.record.summary),
        "state": case.state.value,
        "next_due": _day(clock.next_due),
        "due_kind": clock.next_kind,
        "overall_due": _day(clock.overall_due),
        "overdue_since": _day(clock.overdue_since),
        "contest_until": _day(clock.contest_until),
        "paused": clock.paused,
        "report": _report(case, inside),
        "messages": [_message(case, message, inside) for message in case.thread.follow_ups],
        "history": [_act(case, checked) for checked in case.history.acts],
        "verified": case.history.is_verified,
        "notes": [_note(note) for note in case.notes],
        "proposal": None if case.pending is None else _pending(case.pending),
        "remarks": [
            {"code": each.code, "message": each.message, "act": each.act} for each in case.remarks
        ],
    }


def outcome_json(outcome: Outcome, warning: str | None) -> Json:
    """`whistle-desk act --json` and the other commands that change a case."""
    summary = outcome.summary
    return {
        "case": summary.case,
        "status": outcome.status,
        "state": summary.state.value,
        "next_due": _day(summary.next_due),
        "overdue_since": _day(summary.overdue_since),
        "proposal": summary_json(summary)["proposal"],
        "warning": warning,
        "confirmed": None if outcome.confirmed is None else _pending(outcome.confirmed),
    }


def file_json(file: EvidenceFile, path: str | None = None) -> Json:
    """One attachment; `path` once it has been saved. For `opened` and `clean` see below."""
    return {
        "position": file.position,
        "name": file.name,
        "type": file.ref.type,
        "size": file.ref.size,
        "sha256": file.ref.sha256,
        "stripped": file.ref.stripped,
        "risky": file.risky,
        "path": path,
        "opened": None,
        "clean": None,
    }


def inside_json(inside: Inside) -> Json:
    """What a stock age file says, in `show`."""
    problem = inside.problem and inside.problem.key
    return {**_NOT_SAVED, "text": inside.text, "problem": problem}


def opened_json(name: str, path: str, size: int, sha256: str) -> Json:
    """What a stock age file held, saved by `files`."""
    return {**_NOT_SAVED, "name": name, "path": path, "size": size, "sha256": sha256}


def unopened_json(error: DeskError) -> Json:
    """A stock age file that does not open here."""
    return {**_NOT_SAVED, "problem": error.key}


def clean_json(copy: CleanCopy, path: str) -> Json:
    """A clean copy, saved by `files --clean`."""
    return {
        "path": path,
        "sha256": copy.sha256,
        "original_sha256": copy.original_sha256,
        "removed": sorted(set(copy.found) - set(copy.left)),
        "left": list(copy.left),
        "problem": None,
    }


def unclean_json(error: DeskError) -> Json:
    """A file of which there is no clean copy."""
    empty = dict.fromkeys(("path", "sha256", "original_sha256"))
    return {**empty, "removed": [], "left": [], "problem": error.key}


_NOT_SAVED: Mapping[str, Any] = MappingProxyType(
    dict.fromkeys(("name", "path", "size", "sha256", "text", "problem"))
)


def _report(case: CaseFile, inside: Mapping[int, Inside]) -> Json:
    report = case.thread.report
    return {
        **_sealed(case, report, inside),
        "form": report.body.form,
        "fields": dict(report.body.fields),
    }


def _message(case: CaseFile, message: OpenedFollowUp, inside: Mapping[int, Inside]) -> Json:
    return {
        **_sealed(case, message, inside),
        "intent": message.body.intent,
        "text": message.body.text,
    }


def _sealed(
    case: CaseFile, message: OpenedReport | OpenedFollowUp, inside: Mapping[int, Inside]
) -> Json:
    files = [file_json(file) for file in case.files_of(message)]
    for file in files:
        if file["position"] in inside:
            file["opened"] = inside_json(inside[file["position"]])
    return {
        "id": message.id,
        "day": message.day.isoformat(),
        "origin": message.origin.name.lower(),
        "lang": message.body.lang,
        "files": files,
    }


def _act(case: CaseFile, checked: CheckedAct) -> Json:
    act = checked.entry.signed.act
    container = checked.entry.container
    copy = None if container is None else case.office.copy_of(container)
    return {
        "seq": act.seq,
        "kind": act.kind.value,
        "from": None if act.source is None else act.source.value,
        "to": act.target.value,
        "reason": act.reason,
        "day": act.day.isoformat(),
        "until": _day(act.until),
        "assignee": act.assignee,
        "signer": "service" if checked.by_service else checked.signer and checked.signer.id,
        "second": checked.second and checked.second.id,
        "text": copy and copy.body.text,
        "verified": checked.is_verified,
        "problems": list(checked.problems),
    }


def _note(note: Note) -> Json:
    author = note.author and note.author.id
    return {"day": note.day.isoformat(), "author": author, "text": note.text}


def _pending(pending: PendingView) -> Json:
    act = pending.proposal.signed.act
    return {
        "act": pending.proposal.signed.hash,
        "to": act.target.value,
        "by": pending.proposer and pending.proposer.id,
        "reason": act.reason,
        "day": act.day.isoformat(),
        "text": pending.copy and pending.copy.body.text,
        "problem": pending.problem,
    }


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
