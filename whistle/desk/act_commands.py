# SPDX-License-Identifier: AGPL-3.0-or-later
"""The commands that change a case: act, confirm, return, note, assign, extend, update."""

import argparse
from collections.abc import Awaitable, Callable
from pathlib import Path

from case_mgmt.model import ActKind, State
from whistle.desk import json_views
from whistle.desk.connection import Surroundings, workbench_of
from whistle.desk.errors import UsageError
from whistle.desk.terminal import Terminal
from whistle.desk.workbench import Letter, Outcome, Workbench

MAX_MESSAGE_FILE = 256 * 1024
NOTED = "noted"


async def act(args: argparse.Namespace, terminal: Terminal, surroundings: Surroundings) -> None:
    """A status change, or the second signature when a colleague proposed the same."""
    try:
        target = State(args.to)
    except ValueError as error:
        codes = ", ".join(state.value for state in State)
        raise UsageError("desk.error.unknown_status", codes=codes) from error
    letter = Letter(ActKind.TRANSITION, _message(args), target, args.reason)
    await _do(args, terminal, surroundings, lambda bench: bench.act(args.case, letter))


async def update(args: argparse.Namespace, terminal: Terminal, surroundings: Surroundings) -> None:
    """A visible message, status unchanged."""
    letter = Letter(ActKind.UPDATE, _message(args))
    await _do(args, terminal, surroundings, lambda bench: bench.write(args.case, letter))


async def extend(args: argparse.Namespace, terminal: Terminal, surroundings: Surroundings) -> None:
    """A visible, reasoned extension of the overall time."""
    letter = Letter(ActKind.EXTEND, _message(args), reason=args.reason, until=args.until)
    await _do(args, terminal, surroundings, lambda bench: bench.write(args.case, letter))


async def confirm(args: argparse.Namespace, terminal: Terminal, surroundings: Surroundings) -> None:
    """The second signature."""
    await _do(args, terminal, surroundings, lambda bench: bench.confirm(args.case))


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
    status = terminal.texts.t(f"status.{outcome.summary.state.value}")
    terminal.say(f"desk.done.{outcome.status}", case=outcome.summary.case, status=status)


def _message(args: argparse.Namespace) -> str:
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
