# SPDX-License-Identifier: AGPL-3.0-or-later
"""Verifies on the desk what the server says has happened in a case.

Nothing the server claims about the past is believed: each act is checked by itself and against the
one before it, and what does not hold is named beside the act it concerns. The head, the next
number, the state and the clock are computed from the checked acts, never taken from the server.

Checks: number and link (`chain`), days never go back (`day_order`), the step exists in the table
for this kind of signer (`not_in_table`), signature (`signature`), the signer is in the manifest
(`unknown_signer`), a closing has the signature of a second person (`second_missing`,
`second_invalid`), the message stored is the one signed (`message_differs`, `message_missing`).

A key of the past that the manifest lists as former verifies acts that are in the history already:
a rotated key or a person who left freezes no case. It is marked, and it never counts for anything
new (case_mgmt.desk.signing).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from case_mgmt.acts import (
    SignedAct,
    message_hash,
    verify_act,
    verify_countersignature,
)
from case_mgmt.errors import LifecycleError
from case_mgmt.lifecycle import TABLE, Actor, rule_for
from case_mgmt.model import CLOSINGS, NO_ACT, ActHash, ActKind, CaseId, State
from crypto.errors import AuthenticationError
from crypto.manifest import Manifest

Problem = Literal[
    "chain",
    "day_order",
    "not_in_table",
    "signature",
    "unknown_signer",
    "second_missing",
    "second_invalid",
    "message_differs",
    "message_missing",
]
CASES_SERVICE = "cases"


@dataclass(frozen=True)
class Entry:
    """One act with the visible message stored beside it."""

    signed: SignedAct
    container: bytes | None


@dataclass(frozen=True)
class Signatory:
    """Whose desk key signed; `name` is the id for somebody who has left."""

    id: str
    name: str
    is_former: bool
    """The key is no longer in force."""


@dataclass(frozen=True)
class CheckedAct:
    """An act with what is known about its signers and what does not hold; no problems: verified."""

    entry: Entry
    signer: Signatory | None
    second: Signatory | None
    by_service: bool
    problems: tuple[Problem, ...]

    @property
    def is_verified(self) -> bool:
        """Whether every check held."""
        return not self.problems


@dataclass(frozen=True)
class Head:
    """Where the next act of a case attaches."""

    case: CaseId
    next_seq: int
    prev: ActHash
    state: State
    day: date


@dataclass(frozen=True)
class History:
    """The checked acts of a case, oldest first."""

    acts: tuple[CheckedAct, ...]

    @property
    def is_verified(self) -> bool:
        """Whether every act holds."""
        return all(act.is_verified for act in self.acts)

    @property
    def head(self) -> Head:
        """Computed from the last act."""
        last = self.acts[-1].entry.signed
        return Head(last.act.case, last.act.seq + 1, last.hash, last.act.target, last.act.day)


def check_history(case: CaseId, entries: Sequence[Entry], manifest: Manifest) -> History:
    """Checks every act of a case, in order."""
    checked: list[CheckedAct] = []
    before: SignedAct | None = None
    for entry in entries:
        checked.append(_check(case, entry, before, manifest))
        before = entry.signed
    return History(tuple(checked))


def signatory(manifest: Manifest, public: bytes) -> Signatory | None:
    """Whose desk signs, or once signed, with this key."""
    found = manifest.signer(public)
    if found is None:
        return None
    names = {person.id: person.name for person in manifest.people}
    return Signatory(found.id, names.get(found.id, found.id), found.is_former)


def _check(case: CaseId, entry: Entry, before: SignedAct | None, manifest: Manifest) -> CheckedAct:
    act = entry.signed.act
    key = bytes.fromhex(act.signer)
    signer = signatory(manifest, key)
    service = manifest.service_signer(key)
    by_service = service is not None and service.id == CASES_SERVICE
    problems: list[Problem] = []
    if not _is_linked(case, entry.signed, before):
        problems.append("chain")
    if before is not None and act.day < before.act.day:
        problems.append("day_order")
    if signer is None and not by_service:
        problems.append("unknown_signer")
    if not _is_in_table(entry.signed, by_service=by_service):
        problems.append("not_in_table")
    if not _is_signed(entry.signed):
        problems.append("signature")
    problems += _second_problems(entry.signed, manifest)
    problems += _message_problems(entry)
    return CheckedAct(entry, signer, _second(entry.signed, manifest), by_service, tuple(problems))


def _is_linked(case: CaseId, signed: SignedAct, before: SignedAct | None) -> bool:
    act = signed.act
    if act.case != case:
        return False
    if before is None:
        return act.seq == 1 and act.prev == NO_ACT and act.source is None
    return (
        act.seq == before.act.seq + 1
        and act.prev == before.hash
        and act.source == before.act.target
    )


def _is_in_table(signed: SignedAct, *, by_service: bool) -> bool:
    """SECURITY: the service key may only sign what arrival and reporter cause (test_history.py)."""
    act = signed.act
    actors = (Actor.SERVICE, Actor.REPORTER) if by_service else (Actor.OFFICE,)
    return any(_rule_holds(act.kind, act.source, act.target, actor) for actor in actors)


def _rule_holds(kind: ActKind, source: State | None, target: State, actor: Actor) -> bool:
    try:
        rule_for(kind, source, target, actor)
    except LifecycleError:
        return False
    return True


def _is_signed(signed: SignedAct) -> bool:
    try:
        verify_act(signed.act, signed.signature)
    except AuthenticationError:
        return False
    return True


def _second(signed: SignedAct, manifest: Manifest) -> Signatory | None:
    if signed.countersigner is None:
        return None
    return signatory(manifest, bytes.fromhex(signed.countersigner))


def _second_problems(signed: SignedAct, manifest: Manifest) -> list[Problem]:
    act = signed.act
    closing = act.kind is ActKind.TRANSITION and act.target in CLOSINGS
    if signed.countersigner is None or signed.countersignature is None:
        return ["second_missing"] if closing else []
    second = _second(signed, manifest)
    first = signatory(manifest, bytes.fromhex(act.signer))
    same = second is not None and first is not None and second.id == first.id
    if second is None or same or signed.countersigner == act.signer:
        return ["second_invalid"]
    try:
        verify_countersignature(act, signed.countersigner, signed.countersignature)
    except AuthenticationError:
        return ["second_invalid"]
    return []


def _message_problems(entry: Entry) -> list[Problem]:
    act = entry.signed.act
    rule = TABLE.get((act.kind, act.source, act.target))
    if act.message is None and entry.container is None:
        return ["message_missing"] if rule is not None and rule.message else []
    if act.message is None or entry.container is None:
        return ["message_missing"]
    return [] if message_hash(entry.container) == act.message else ["message_differs"]
