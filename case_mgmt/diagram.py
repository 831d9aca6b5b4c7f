# SPDX-License-Identifier: AGPL-3.0-or-later
"""The transition table as text, so that documents are generated and never merely resemble it."""

from typing import Final

from case_mgmt.lifecycle import TABLE, Actor
from case_mgmt.model import OPEN, ActKind, State

_FOLDED: Final = {frozenset(State): "any", OPEN: "any open code"}
_ARROWS: Final = (ActKind.TRANSITION, ActKind.CONTEST, ActKind.WITHDRAW)


def markdown_table() -> str:
    """Every step of the table; steps that keep the code are folded into one row each."""
    lines = ["| kind | from | to | whose | message | second person | reason |", "|" + "---|" * 7]
    folded: dict[tuple[ActKind, str], list[State]] = {}
    for (kind, source, target), rule in TABLE.items():
        if source is target:
            folded.setdefault((kind, _marks(rule.actors, rule.message, rule.reason)), []).append(
                target
            )
            continue
        start = "-" if source is None else f"`{source}`"
        marks = _marks(rule.actors, rule.message, rule.reason, second=rule.second)
        lines.append(f"| {kind} | {start} | `{target}` | {marks} |")
    for (kind, marks), states in folded.items():
        where = _FOLDED[frozenset(states)]
        lines.append(f"| {kind} | {where} | unchanged | {marks} |")
    return "\n".join(lines) + "\n"


def mermaid() -> str:
    """The moves between codes as a state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> received"]
    for kind, source, target in TABLE:
        if kind in _ARROWS and source is not None:
            label = "" if kind is ActKind.TRANSITION else f" : {kind}"
            lines.append(f"    {source} --> {target}{label}")
    return "\n".join(lines) + "\n"


def _marks(
    actors: frozenset[Actor], message: object, reason: object, *, second: bool = False
) -> str:
    whose = ", ".join(sorted(actors))
    return f"{whose} | {_mark(message)} | {_mark(second)} | {_mark(reason)}"


def _mark(needed: object) -> str:
    return "yes" if needed else "no"
