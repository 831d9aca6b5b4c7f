# SPDX-License-Identifier: AGPL-3.0-or-later
"""The commands that read: `list`, `show`; for `files` see whistle.desk.file_commands."""

import argparse
from collections.abc import Mapping
from datetime import date

from case_mgmt.desk.evidence import EvidenceFile
from case_mgmt.desk.opening import OpenedFollowUp, OpenedReport
from whistle.desk import json_views
from whistle.desk.casefile import CaseFile
from whistle.desk.connection import Surroundings, workbench_of
from whistle.desk.labels import Labels
from whistle.desk.looking import Inside, texts_inside
from whistle.desk.records import CaseSummary
from whistle.desk.terminal import Cell, Terminal, Tone, error_text, indented
from whistle.i18n import Catalogue

SOON_DAYS = 2
NEAR_DAYS = {0: "today", 1: "tomorrow"}


async def list_cases(
    args: argparse.Namespace, terminal: Terminal, surroundings: Surroundings
) -> None:
    """The queue: deadline, case, status, who, what is new."""
    async with workbench_of(args, terminal, surroundings) as bench:
        organisation = await bench.organisation()
        queue = await bench.queue()
    if terminal.as_json:
        terminal.result(json_views.queue_json(queue))
        return
    if not queue.cases:
        terminal.say("desk.cli.no_cases")
        return
    labels = Labels(terminal.texts, organisation.manifest, organisation.catalogue)
    heads = ("due", "case", "status", "assignee", "marks")
    rows = [[Cell(terminal.texts.t(f"desk.column.{head}"), "quiet") for head in heads]]
    rows += [_row(summary, queue.today, labels) for summary in queue.cases]
    terminal.table(rows)


async def show(args: argparse.Namespace, terminal: Terminal, surroundings: Surroundings) -> None:
    """One case, opened and verified."""
    async with workbench_of(args, terminal, surroundings) as bench:
        case = await bench.open(args.case)
        inside = await texts_inside(bench, case)
    if terminal.as_json:
        terminal.result(json_views.case_json(case, inside))
        return
    organisation = case.organisation
    labels = Labels(terminal.texts, organisation.manifest, organisation.catalogue)
    _CaseText(case, inside, labels, terminal).write()


def due_text(summary: CaseSummary, today: date, texts: Catalogue) -> tuple[str, Tone]:
    """The deadline in words, and how urgent it is."""
    if summary.overdue_since is not None:
        return texts.t("desk.due.overdue", day=summary.overdue_since.isoformat()), "late"
    if summary.next_due is None:
        return texts.t("desk.due.none"), "quiet"
    days = (summary.next_due - today).days
    tone: Tone = "soon" if days <= SOON_DAYS else "plain"
    day = summary.next_due.isoformat()
    if days in NEAR_DAYS:
        return texts.t(f"desk.due.{NEAR_DAYS[days]}", day=day), tone
    return texts.t("desk.due.in_days", day=day, days=days), tone


def _row(summary: CaseSummary, today: date, labels: Labels) -> list[Cell]:
    text, tone = due_text(summary, today, labels.texts)
    marks = []
    if summary.new_material:
        marks.append(labels.texts.t("desk.mark.new"))
    if summary.proposal is not None:
        target = labels.status(summary.proposal.to)
        marks.append(labels.texts.t("desk.mark.second", status=target))
    if summary.paused:
        marks.append(labels.texts.t("desk.mark.paused"))
    return [
        Cell(text, tone),
        Cell(summary.case, "strong"),
        Cell(labels.status(summary.state)),
        Cell(labels.person(summary.assignee)),
        Cell(", ".join(marks)),
    ]


class _CaseText:
    """Writes a case for people: deadline first, then report, conversation, notes, signatures."""

    def __init__(
        self, case: CaseFile, inside: Mapping[int, Inside], labels: Labels, terminal: Terminal
    ) -> None:
        self._case = case
        self._inside = inside
        self._labels = labels
        self._terminal = terminal
        self._texts = terminal.texts

    def write(self) -> None:
        """All parts in order."""
        self._head()
        self._report()
        self._conversation()
        self._notes()
        self._history()

    def _head(self) -> None:
        summary = self._case.record.summary
        text, tone = due_text(summary, self._case.organisation.today, self._texts)
        status = self._labels.status(self._case.state)
        self._terminal.line(f"{summary.case}  {status}", "strong")
        self._terminal.line(text, tone)
        assignee = self._labels.person(summary.assignee)
        self._terminal.say("desk.cli.assignee", person=assignee)
        for remark in self._case.remarks:
            self._terminal.warn(self._texts.t(f"desk.remark.{remark.code}", act=remark.act))
        pending = self._case.pending
        if pending is not None:
            target = self._labels.status(pending.target)
            self._terminal.line(self._texts.t("desk.mark.second", status=target), "soon")
            if pending.problem is not None:
                self._terminal.warn(self._texts.t(f"desk.compose.{pending.problem}"))
            elif pending.copy is not None:
                self._terminal.say("desk.case.proposal_reads")
                self._lines(pending.copy.body.text)

    def _report(self) -> None:
        self._heading("desk.heading.report")
        report = self._case.thread.report
        origin = report.origin.name.lower()
        self._terminal.line(self._texts.t(f"desk.origin.{origin}"), "quiet")
        for answer in self._labels.answers(report.body.fields):
            self._terminal.line(answer.label, "quiet")
            note = f" ({answer.note})" if answer.note else ""
            self._lines(answer.text + note)
        self._files(report)

    def _conversation(self) -> None:
        self._heading("desk.heading.timeline")
        for entry in self._case.timeline():
            who = self._texts.t(f"desk.author.{entry.author}")
            what = self._labels.act(entry.act) if entry.act is not None else ""
            self._terminal.line(f"{entry.day.isoformat()}  {who}  {what}".rstrip(), "strong")
            if entry.copy is not None:
                self._lines(entry.copy.body.text)
            if entry.message is not None:
                origin = entry.message.origin.name.lower()
                self._terminal.line(f"  {self._texts.t(f'desk.origin.{origin}')}", "quiet")
                self._lines(entry.message.body.text)
                self._files(entry.message)

    def _notes(self) -> None:
        if not self._case.notes:
            return
        self._heading("desk.heading.notes")
        for note in self._case.notes:
            author = note.author.name if note.author else self._labels.texts.t("desk.label.unknown")
            self._terminal.line(f"{note.day.isoformat()}  {author}", "strong")
            self._lines(note.text)

    def _history(self) -> None:
        self._heading("desk.heading.history")
        rows = []
        for checked in self._case.history.acts:
            act = checked.entry.signed.act
            second = f" + {self._labels.signatory(checked.second)}" if checked.second else ""
            held = "desk.mark.verified" if checked.is_verified else "desk.mark.broken"
            rows.append(
                [
                    Cell(str(act.seq), "quiet"),
                    Cell(act.day.isoformat()),
                    Cell(self._labels.act(checked)),
                    Cell(self._labels.signer(checked) + second),
                    Cell(self._texts.t(held), "quiet" if checked.is_verified else "late"),
                ]
            )
        self._terminal.table(rows)

    def _files(self, message: OpenedReport | OpenedFollowUp) -> None:
        for file in self._case.files_of(message):
            size = self._texts.number(file.ref.size)
            self._terminal.line(f"  [{file.position}] {file.name}  {size} B", "quiet")
            inside = self._inside.get(file.position)
            if inside is not None:
                self._sealed_inside(file, inside)

    def _sealed_inside(self, file: EvidenceFile, inside: Inside) -> None:
        """What a stock age file says, or why it does not open."""
        if inside.problem is not None:
            self._terminal.warn(f"[{file.position}] {error_text(inside.problem, self._texts)}")
        elif inside.text is not None:
            self._terminal.line("  " + self._texts.t("desk.age.reads"), "quiet")
            self._lines(inside.text)

    def _heading(self, key: str) -> None:
        self._terminal.line()
        self._terminal.line(self._texts.t(key), "strong")

    def _lines(self, text: str) -> None:
        for line in indented(text):
            self._terminal.line(line)
