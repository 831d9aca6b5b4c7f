# SPDX-License-Identifier: AGPL-3.0-or-later
"""The `--json` form of everything the commands show: stable, documented in docs/spec/desk.md.

Codes and days only, no translated words; names that a report gives are passed on as they are (JSON
escapes them). Keys are never removed or renamed; new ones may be added.
"""

from datetime import date
from typing import Any

from case_mgmt.desk.evidence import EvidenceFile
from case_mgmt.desk.history import CheckedAct
from case_mgmt.desk.office import Note
from case_mgmt.desk.opening import OpenedFollowUp, OpenedReport
from whistle.desk.casefile import CaseFile, PendingView
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


def case_json(case: CaseFile) -> Json:
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
        "report": _report(case),
        "messages": [_message(case, message) for message in case.thread.follow_ups],
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
    """One attachment; `path` once it has been saved."""
    return {
        "position": file.position,
        "name": file.name,
        "type": file.ref.type,
        "size": file.ref.size,
        "sha256": file.ref.sha256,
        "stripped": file.ref.stripped,
        "risky": file.risky,
        "path": path,
    }


def _report(case: CaseFile) -> Json:
    report = case.thread.report
    return {
        **_sealed(case, report),
        "form": report.body.form,
        "fields": dict(report.body.fields),
    }


def _message(case: CaseFile, message: OpenedFollowUp) -> Json:
    return {
        **_sealed(case, message),
        "intent": message.body.intent,
        "text": message.body.text,
    }


def _sealed(case: CaseFile, message: OpenedReport | OpenedFollowUp) -> Json:
    return {
        "id": message.id,
        "day": message.day.isoformat(),
        "origin": message.origin.name.lower(),
        "lang": message.body.lang,
        "files": [file_json(file) for file in case.files_of(message)],
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
