# SPDX-License-Identifier: AGPL-3.0-or-later
"""The commands that change a case: act, confirm, return, note, assign, extend, update."""

import argparse
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from case_mgmt.model import ActKind, State
from whistle.desk import json_views
from whistle.desk.casefile import PendingView
from whistle.desk.connection import Surroundings, workbench_of
from whistle.desk.errors import GateRefusedError, UsageError
from whistle.desk.letters import Letter
from whistle.desk.terminal import Terminal, indented
from whistle.desk.workbench import Outcome, Workbench

MAX_MESSAGE_FILE = 256 * 1024
NOTED = "noted"


async def act(args: argparse.Namespace, terminal: Terminal, surroundings: Surroundings) -> None:
    """A status change, or the second signature when a colleague proposed the same."""
    try:
        target = State(args.to)
    except ValueError as error:
        codes = ", ".join(state.value for state in State)
        raise UsageError("desk.error.unknown_status", codes=codes) from error
    letter = Letter(ActKind.TRANSITION, message_of(args), target, args.reason)
    await _do(args, terminal, surroundings, lambda bench: bench.act(args.case, letter))


async def update(args: argparse.Namespace, terminal: Terminal, surroundings: Surroundings) -> None:
    """A visible message, status unchanged."""
    letter = Letter(ActKind.UPDATE, message_of(args))
    await _do(args, terminal, surroundings, lambda bench: bench.write(args.case, letter))


async def extend(args: argparse.Namespace, terminal: Terminal, surroundings: Surroundings) -> None:
    """A visible, reasoned extension of the overall time."""
    letter = Letter(ActKind.EXTEND, message_of(args), reason=args.reason, until=args.until)
    await _do(args, terminal, surroundings, lambda bench: bench.write(args.case, letter))


async def confirm(args: argparse.Namespace, terminal: Terminal, surroundings: Surroundings) -> None:
    """The second signature: under the named proposal, or under the one shown and agreed to."""
    if args.act is None and not terminal.may_ask:
        raise UsageError("desk.error.confirm_needs_act")
    await _do(args, terminal, surroundings, lambda bench: _confirm(args, terminal, bench))


async def _confirm(args: argparse.Namespace, terminal: Terminal, bench: Workbench) -> Outcome:
    if args.act is not None:
        return await bench.confirm(args.case, args.act.strip().lower())
    pending = (await bench.open(args.case)).pending
    if pending is None:
        raise GateRefusedError("desk.error.nothing_pending")
    if pending.is_mine:
        raise GateRefusedError("desk.error.second_needed")
    if pending.problem is not None:
        raise GateRefusedError(f"desk.compose.{pending.problem}")
    _show_words(pending, terminal)
    if not terminal.agrees("desk.cli.confirm_question"):
        raise GateRefusedError("desk.error.not_confirmed")
    # What was shown has been said; what comes back is only whether it was recorded.
    return replace(await bench.confirm(args.case, pending.proposal.signed.hash), confirmed=None)


def _show_words(pending: PendingView, terminal: Terminal) -> None:
    """The closing a second person signs: status, reason, and what the reporter will read."""
    texts, act = terminal.texts, pending.proposal.signed.act
    by = pending.proposer.name if pending.proposer else texts.t("desk.label.unknown")
    terminal.say("desk.case.proposal_by", name=by, status=texts.t(f"status.{act.target.value}"))
    if act.reason is not None:
        reason = texts.texts.get(f"reason.{act.reason}", act.reason)
        terminal.say("desk.label.reason", reason=reason)
    if pending.copy is not None:
        terminal.say("desk.case.proposal_reads")
        for line in indented(pending.copy.body.text):
            terminal.line(line)


async def hand_back(
    args: argparse.Namespace, terminal: Terminal, surroundings: Surroundings
) -> None:
    """A proposal sent back, or taken back."""
    await _do(args, terminal, surroundings, lambda bench: bench.hand_back(args.case))


async def assign(args: argparse.Namespace, terminal: Terminal, surroundings: Surroundings) -> None:
    """The case given to a person."""
    await _do(args, terminal, surroundings, lambda bench: bench.assign(args.case, args.person))


async def note(args: argparse.Namespace, terminal: Terminal, surroundings: Surroundings) -> None:
    """A private note."""
    async with workbench_of(args, terminal, surroundings) as bench:
        number = await bench.note(args.case, args.text)
    if terminal.as_json:
        terminal.result({"case": number, "status": NOTED})
        return
    terminal.say("desk.done.noted", case=number)


async def _do(
    args: argparse.Namespace,
    terminal: Terminal,
    surroundings: Surroundings,
    step: Callable[[Workbench], Awaitable[Outcome]],
) -> None:
    async with workbench_of(args, terminal, surroundings) as bench:
        outcome = await step(bench)
    warning = None if outcome.notice is None else terminal.texts.t(outcome.notice)
    if terminal.as_json:
        terminal.result(json_views.outcome_json(outcome, warning))
        return
    if warning is not None:
        terminal.warn(warning)
    if outcome.confirmed is not None:
        _show_words(outcome.confirmed, terminal)
    status = terminal.texts.t(f"status.{outcome.summary.state.value}")
    terminal.say(f"desk.done.{outcome.status}", case=outcome.summary.case, status=status)


def message_of(args: argparse.Namespace) -> str:
    """The words for the reporter; empty when none were given (a second signature needs none)."""
    if args.message is not None:
        return str(args.message)
    if args.message_file is None:
        return ""
    return _read_text(args.message_file)


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_MESSAGE_FILE + 1)
        text = data.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("desk.error.cannot_read", file=str(path)) from error
    if len(data) > MAX_MESSAGE_FILE:
        raise UsageError("desk.error.message_file_large")
    return text
