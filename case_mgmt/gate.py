# SPDX-License-Identifier: AGPL-3.0-or-later
"""The gate: every rule an act of the office must pass before it becomes part of a case.

`admit` runs numbered steps and raises `GateError` at the first that fails; the order puts who is
asking before what is asked, so that a stranger learns nothing about a case.

 1. the act is about this case
 2. the signer is a case handler in the signed manifest
 3. the signer is a recipient of this report (whoever belongs to the accused unit is not)
 4. the signature is the signer's
 5. the day is today: neither back-dated nor in the future, and not before the last act's
 6. the act extends the last hash and carries the next number
 7. no proposed closing is waiting
 8. the transition table has this step for the office, from the present code
 9. the signer is assigned to the case, or is a supervisor; only a supervisor hands it over
10. the fields are those of its kind and no others; a case is handed only to somebody who is here
11. the reason code is present where it must be, and is one of the list
12. the message is present where it must be, is the one named, is new to the case, is sealed to
    one key, and fits into the reporter's mailbox
13. an extension keeps the rules of extensions.py

`confirm` runs the steps of the second person on a proposal that passed all of the above.

14. the proposal still extends the last hash
15. the second person is a case handler and a recipient of this report
16. the second person is not the first, whichever keys the two acts were signed with, and the
    first may still act under the key that signed
17. the countersignature is the second person's
18. the proposal is of today: the day that both have signed is the day of the closing

How often the clock may pause is not a reason to refuse: a further question is allowed and simply
does not pause (deadlines.py).

Not checked here: that the request itself was signed and fresh (crypto.requests), and what the
message says (only its recipient can read it).

Specification: docs/spec/acts.md, section 6.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from case_mgmt.acts import Act, message_hash, verify_act, verify_countersignature
from case_mgmt.errors import GateError, LifecycleError
from case_mgmt.extensions import check_extension
from case_mgmt.lifecycle import Actor, Rule, reason_codes, rule_for
from case_mgmt.model import (
    EXTENSION_REASONS,
    HANDLER_ROLES,
    ActHash,
    ActKind,
    CaseId,
    DeviceKey,
    PersonId,
    Role,
    State,
)
from case_mgmt.policy import Policy
from crypto.envelope import check_container
from crypto.errors import AuthenticationError, MalformedError
from crypto.manifest import Manifest, Person

MAX_MESSAGE_FRAME: Final = 262_144
"""Bytes; the next larger frame makes a notice that the intake does not take."""


@dataclass(frozen=True)
class CaseView:
    """What the gate knows of a case."""

    case: CaseId
    history: tuple[Act, ...]
    head: ActHash
    recipients: frozenset[PersonId]
    assignee: PersonId | None
    has_proposal: bool = False

    @property
    def state(self) -> State:
        """The present public code."""
        return self.history[-1].target

    @property
    def next_seq(self) -> int:
        """The number of the next act."""
        return self.history[-1].seq + 1


@dataclass(frozen=True)
class Submission:
    """What a desk hands in."""

    act: Act
    signature: bytes
    container: bytes | None


@dataclass(frozen=True)
class Rulebook:
    """Who may act, by which numbers, on which day."""

    manifest: Manifest
    policy: Policy
    today: date


@dataclass(frozen=True)
class Admission:
    """A submission that passed, and what it still needs."""

    signer: Person
    needs_second: bool


def admit(view: CaseView, submission: Submission, rules: Rulebook) -> Admission:
    """Steps 1 to 13.  Raises GateError."""
    act = submission.act
    # 1
    _require(act.case == view.case, "wrong_case")
    # 2, 3
    signer = _handler(act.signer, view, rules.manifest)
    # 4
    try:
        verify_act(act, submission.signature)
    except AuthenticationError as error:
        raise GateError("bad_signature") from error
    # 5
    _require(act.day == rules.today, "wrong_day")
    _require(act.day >= view.history[-1].day, "day_order")
    # 6
    _require((act.seq, act.prev) == (view.next_seq, view.head), "stale_head")
    # 7
    _require(not view.has_proposal, "proposal_pending")
    # 8
    rule = _rule(act, view)
    # 9
    _check_assignment(act, signer, view)
    # 10
    _check_fields(act, view, rules.manifest)
    # 11
    _check_reason(act, rule)
    # 12
    _check_message(submission, rule, view)
    # 13
    if act.until is not None:
        check_extension(act.until, view.history, signer, rules.policy, rules.today)
    return Admission(signer, rule.second)


@dataclass(frozen=True)
class Proposed:
    """A closing that waits, and who handed it in."""

    act: Act
    by: PersonId


def confirm(
    view: CaseView,
    proposed: Proposed,
    second: DeviceKey,
    countersignature: bytes,
    rules: Rulebook,
) -> Person:
    """Steps 14 to 18; gives the second person.  Raises GateError."""
    proposal = proposed.act
    # 14
    _require((proposal.seq, proposal.prev) == (view.next_seq, view.head), "stale_head")
    # 15
    person = _handler(second, view, rules.manifest)
    # 16
    _require(second != proposal.signer and person.id != proposed.by, "same_person")
    _check_proposer(proposed, view, rules.manifest)
    # 17
    try:
        verify_countersignature(proposal, second, countersignature)
    except AuthenticationError as error:
        raise GateError("bad_signature") from error
    # 18
    _require(is_current(proposal, rules.today), "proposal_lapsed")
    return person


def is_current(proposal: Act, today: date) -> bool:
    """Whether a second person may still confirm; a closing takes effect on the day it names."""
    return proposal.day == today


def may_decide(person: Person, assignee: PersonId | None) -> bool:
    """Whether this recipient may act on the case: it is theirs, or they supervise."""
    return assignee == person.id or Role.SUPERVISOR in person.roles


def handles(person: Person | None) -> bool:
    """Whether the manifest gives this person cases at all."""
    return person is not None and not HANDLER_ROLES.isdisjoint(person.roles)


def present_handlers(manifest: Manifest, among: Iterable[PersonId]) -> list[Person]:
    """Those of these people whom the manifest gives cases today, in its order."""
    wanted = frozenset(among)
    return [each for each in manifest.people if handles(each) and PersonId(each.id) in wanted]


def _require(condition: bool, code: str) -> None:  # noqa: FBT001 - the condition is the point
    if not condition:
        raise GateError(code)


def _handler(key: DeviceKey, view: CaseView, manifest: Manifest) -> Person:
    person = manifest.person_by_desk_key(bytes.fromhex(key))
    if person is None or not handles(person):
        raise GateError("unknown_signer")
    _require(PersonId(person.id) in view.recipients, "conflicted")
    return person


def _check_proposer(proposed: Proposed, view: CaseView, manifest: Manifest) -> None:
    first = manifest.person_by_desk_key(bytes.fromhex(proposed.act.signer))
    present = first is not None and first.id == proposed.by and handles(first)
    _require(present and PersonId(proposed.by) in view.recipients, "proposer_gone")


def _rule(act: Act, view: CaseView) -> Rule:
    _require(act.source == view.state, "not_allowed")
    try:
        return rule_for(act.kind, act.source, act.target, Actor.OFFICE)
    except LifecycleError as error:
        raise GateError("not_allowed") from error


def _check_assignment(act: Act, signer: Person, view: CaseView) -> None:
    if act.kind is ActKind.ASSIGN:
        _require(Role.SUPERVISOR in signer.roles, "supervisor_only")
    _require(may_decide(signer, view.assignee), "unassigned")


def _check_fields(act: Act, view: CaseView, manifest: Manifest) -> None:
    if act.kind is ActKind.ASSIGN:
        _require(act.assignee in view.recipients, "assignee_not_recipient")
        here = {each.id for each in present_handlers(manifest, view.recipients)}
        _require(act.assignee in here, "assignee_gone")
    else:
        _require(act.assignee is None, "fields_not_of_kind")
    if act.kind is ActKind.EXTEND:
        _require(act.until is not None, "until_missing")
    else:
        _require(act.until is None, "fields_not_of_kind")


def _check_reason(act: Act, rule: Rule) -> None:
    if act.reason is None:
        _require(not rule.reason, "reason_missing")
        return
    codes: tuple[str, ...] = ()
    if act.kind is ActKind.EXTEND:
        codes = EXTENSION_REASONS
    elif act.kind is ActKind.TRANSITION:
        codes = reason_codes(act.target)
    _require(act.reason in codes, "reason_unknown")


def _check_message(submission: Submission, rule: Rule, view: CaseView) -> None:
    act, container = submission.act, submission.container
    if not rule.message:
        _require(act.message is None and container is None, "message_unexpected")
        return
    if act.message is None or container is None:
        raise GateError("message_missing")
    _require(message_hash(container) == act.message, "message_mismatch")
    _require(all(act.message != known.message for known in view.history), "message_repeated")
    try:
        info = check_container(container)
    except MalformedError as error:
        raise GateError("message_malformed") from error
    _require(info.recipients == 1, "message_malformed")
    _require(info.frame_size <= MAX_MESSAGE_FRAME, "message_too_large")
