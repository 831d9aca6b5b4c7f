# SPDX-License-Identifier: AGPL-3.0-or-later
"""The command for what is no report: many cases are set aside in one go, each by an act of its own.

Invariants:

* nothing is deleted: each case gets a signed act with the same message and reason, counted publicly
  as set aside, and its reporter may object;
* two people: the first run proposes, the same run by a colleague confirms;
* a case that is refused (another has begun with it, its reporter wrote again) stops no other;
* a person at a terminal sees the beginning of every report, and is asked once.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from case_mgmt.model import ActKind, State
from whistle.desk.act_commands import message_of
from whistle.desk.connection import Surroundings, workbench_of
from whistle.desk.errors import DeskError, GateRefusedError, ServerRefusedError
from whistle.desk.letters import Letter
from whistle.desk.terminal import Terminal, error_text, printable
from whistle.desk.workbench import Workbench, case_number

BEGINNING: Final = 160
"""Characters of a report that are shown before the question."""

REFUSED: Final = "refused"


@dataclass(frozen=True)
class _Result:
    """What became of one case; `detail` is its public code, or why it was refused."""

    case: str
    status: str
    detail: str


async def set_aside(
    args: argparse.Namespace, terminal: Terminal, surroundings: Surroundings
) -> None:
    """Propose to set cases aside, or confirm a colleague's proposals.

    Raises: GateRefusedError after the last case, if one was refused.
    """
    cases = list(dict.fromkeys(case_number(case) for case in args.case))
    letter = Letter(ActKind.TRANSITION, message_of(args), State.SET_ASIDE, args.reason)
    async with workbench_of(args, terminal, surroundings) as bench:
        if terminal.may_ask:
            await _ask(bench, terminal, cases)
        results = [await _one(bench, terminal, case, letter) for case in cases]
    _tell(terminal, results)
    refused = sum(result.status == REFUSED for result in results)
    if refused:
        raise GateRefusedError("desk.error.some_refused", count=refused, all=len(results))


async def _ask(bench: Workbench, terminal: Terminal, cases: Sequence[str]) -> None:
    organisation = await bench.organisation()
    for case in cases:
        opened = await bench.open(case, organisation)
        story = printable(opened.thread.report.body.fields.get("story", ""))
        terminal.line(f"{case}  {' '.join(story.split())[:BEGINNING]}")
    if not terminal.agrees("desk.cli.set_aside_question"):
        raise GateRefusedError("desk.error.not_confirmed")


async def _one(bench: Workbench, terminal: Terminal, case: str, letter: Letter) -> _Result:
    try:
        outcome = await bench.act(case, letter)
    except (GateRefusedError, ServerRefusedError) as error:
        return _Result(case, REFUSED, _reason(error, terminal))
    return _Result(case, outcome.status, outcome.summary.state.value)


def _reason(error: DeskError, terminal: Terminal) -> str:
    return error_text(error, terminal.texts)


def _tell(terminal: Terminal, results: Sequence[_Result]) -> None:
    if terminal.as_json:
        rows = [{"case": one.case, "status": one.status, "detail": one.detail} for one in results]
        terminal.result({"cases": rows})
        return
    for one in results:
        if one.status == REFUSED:
            terminal.line(f"{one.case}: {printable(one.detail)}", "late")
            continue
        status = terminal.texts.t(f"status.{one.detail}")
        terminal.say(f"desk.done.{one.status}", case=one.case, status=status)
