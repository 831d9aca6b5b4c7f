# SPDX-License-Identifier: AGPL-3.0-or-later
"""Random histories of many actors against the real store; what must hold holds after every step.

No transition of the office without a visible message, no second act on one number, no closing
without a second person, no clock that restarts, no conflicted opening, a ledger that verifies, and
a way out of every state.
"""

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
)

from case_mgmt.acts import Act, verify_chain
from case_mgmt.deadlines import schedule
from case_mgmt.errors import GateError
from case_mgmt.gate import Submission
from case_mgmt.lifecycle import TABLE, Actor, reason_codes
from case_mgmt.model import CLOSINGS, OPEN, ActKind, CaseId, State
from case_mgmt.projection import project
from case_mgmt.records import Intent
from case_mgmt.service import Overview
from case_mgmt.store.ports import LedgerEntry
from tests.support.case_office import PEOPLE, Office, an_office

HANDLERS = ("penyidik-1", "penyidik-2", "pengawas")
ANYBODY = tuple(person for person, _, _ in PEOPLE)
REASONS = (None, "no_contact", "kpk", "same_event", "expert_opinion")
MOST_CASES = 3
AUDIENCES = (HANDLERS, ("penyidik-1", "pengawas"), ("penyidik-2",))


class CaseOfficeMachine(RuleBasedStateMachine):
    """Reporters, honest and dishonest staff, and time."""

    cases = Bundle("cases")
    acts = Bundle("acts")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.context = an_office(self.folder)
        self.office: Office = self.context.__enter__()
        self.threads: dict[CaseId, int] = {}
        self.audience: dict[CaseId, tuple[str, ...]] = {}
        self.limits: dict[CaseId, list[tuple[int, object]]] = {}
        self.lengths: dict[CaseId, int] = {}

    def teardown(self) -> None:
        self.context.__exit__(None, None, None)
        shutil.rmtree(self.folder)

    # --- what can happen ----------------------------------------------------------------------

    @initialize(target=cases)
    def the_first_report(self) -> CaseId:
        return self.a_report_arrives(HANDLERS, 0)

    @precondition(lambda self: len(self.threads) < MOST_CASES)
    @rule(target=cases, audience=st.sampled_from(AUDIENCES), late=st.integers(0, 5))
    def a_report_arrives(self, audience: tuple[str, ...], late: int) -> CaseId:
        number = len(self.threads) + 1
        day = self.office.day - timedelta(days=late)
        case = self.office.arrive(number, recipients=audience, day=day)
        self.threads[case], self.audience[case] = number, audience
        return case

    @rule(case=cases, intent=st.sampled_from(("message", "contest", "withdraw")))
    def the_reporter_writes(self, case: CaseId, intent: Intent) -> None:
        self.office.event(self.threads[case], intent)

    @rule(days=st.sampled_from((0, 1, 2, 5, 60)))
    def time_passes(self, days: int) -> None:
        self.office.pass_days(days)

    @rule(
        case=cases,
        who=st.sampled_from(ANYBODY),
        to=st.sampled_from(State),
        reason=st.sampled_from(REASONS),
        kind=st.sampled_from((ActKind.TRANSITION, ActKind.UPDATE, ActKind.FOLLOW_UP)),
    )
    def somebody_tries_anything(
        self, case: CaseId, who: str, to: State, reason: str | None, kind: ActKind
    ) -> None:
        self.attempt(case, who, to if kind is ActKind.TRANSITION else None, kind, reason)

    @rule(
        target=acts,
        case=cases,
        steps=st.lists(st.integers(0, 20), min_size=1, max_size=5),
        agreed=st.booleans(),
    )
    def somebody_entitled_takes_steps(
        self, case: CaseId, steps: list[int], agreed: bool
    ) -> tuple[CaseId, Act | None]:
        who = self.entitled(case)
        for choice in steps:
            moves = self.office.file(case, who).overview.allowed
            if moves:
                target, needed = moves[choice % len(moves)]
                reason = reason_codes(target)[0] if needed.reason else None
                self.attempt(case, who, target, ActKind.TRANSITION, reason)
            if agreed:
                self.somebody_confirms(case, self.audience[case][0])
        return case, self.file(case)[-1].signed.act

    @rule(case=cases, who=st.sampled_from(HANDLERS))
    def somebody_confirms(self, case: CaseId, who: str) -> None:
        waiting = self.overview(case).proposal
        if waiting is None:
            return
        signature = self.office.countersign(waiting.signed.act, who)
        person, rules = self.office.person(who), self.office.rules()
        try:
            self.office.office.confirm(case, person, waiting.hash, signature, rules)
        except GateError as error:
            code = error.code
        else:
            code = None if waiting.by != who else "confirmed by the first person"
        assert code in (None, "same_person", "conflicted", "proposal_lapsed")

    @rule(case=cases, who=st.sampled_from(HANDLERS))
    def somebody_returns(self, case: CaseId, who: str) -> None:
        waiting = self.overview(case).proposal
        if waiting is not None and who in self.audience[case]:
            person, rules = self.office.person(who), self.office.rules()
            self.office.office.hand_back(case, person, waiting.hash, rules)

    @rule(case=cases, days=st.integers(1, 120))
    def somebody_extends(self, case: CaseId, days: int) -> None:
        policy = self.office.rules().policy
        until = policy.calendar.on_or_before(self.office.day + timedelta(days=days))
        who = self.entitled(case)
        self.attempt(case, who, None, ActKind.EXTEND, "expert_opinion", until=until)

    @rule(case=cases, to=st.sampled_from(ANYBODY))
    def a_supervisor_hands_over(self, case: CaseId, to: str) -> None:
        if "pengawas" in self.audience[case]:
            more = {"assignee": to, "message": None}
            self.attempt(case, "pengawas", None, ActKind.ASSIGN, None, **more)

    @rule(seen=consumes(acts))
    def an_old_act_is_sent_again(self, seen: tuple[CaseId, Act | None]) -> None:
        case, act = seen
        entry = next((e for e in self.file(case) if e.signed.act == act), None)
        if entry is None or entry.container is None:
            return
        submission = Submission(entry.signed.act, entry.signed.signature, entry.container)
        signer = self.office.manifest.person_by_desk_key(bytes.fromhex(entry.signed.act.signer))
        assert signer is not None
        try:
            self.office.office.submit(case, signer, submission, self.office.rules())
        except GateError as error:
            code = error.code
        else:
            code = "accepted twice"
        assert code in ("stale_head", "wrong_day")

    # --- what must hold -----------------------------------------------------------------------

    @invariant()
    def everything_holds(self) -> None:
        for case in self.threads:
            event(f"state {self.overview(case).case.present.state}")
            entries = self.file(case)
            self.check_ledger(case, entries)
            self.check_clock(case, [entry.signed.act for entry in entries])

    def check_ledger(self, case: CaseId, entries: list[LedgerEntry]) -> None:
        head = verify_chain([entry.signed for entry in entries])
        overview = self.overview(case)
        assert overview.case.head == head
        assert len(entries) >= self.lengths.get(case, 0)
        self.lengths[case] = len(entries)
        for entry in entries:
            act = entry.signed.act
            by_office = self.office.manifest.person_by_desk_key(bytes.fromhex(act.signer))
            needed = TABLE[(act.kind, act.source, act.target)]
            assert (by_office is not None) == (Actor.OFFICE in needed.actors) or (
                act.kind is ActKind.ASSIGN
            )
            if by_office is not None:
                assert by_office.id in self.audience[case]
                assert (entry.container is not None) == (act.kind is not ActKind.ASSIGN)
            if act.kind is ActKind.TRANSITION and act.target in CLOSINGS:
                assert entry.signed.countersigner not in (None, act.signer)
        assert any(source is overview.case.present.state for _, source, _ in TABLE)

    def check_clock(self, case: CaseId, acts: list[Act]) -> None:
        policy = self.office.rules().policy
        present = project(acts, policy)
        assert self.overview(case).case.present == present
        if present.state in OPEN:
            limit = schedule(acts, policy).overall_due
            assert limit is not None
            assert limit >= policy.calendar.add(acts[0].day, policy.overall)
            extended = [act.until for act in acts if act.until is not None]
            longest = policy.calendar.add(
                max([policy.calendar.add(acts[0].day, policy.overall), *extended]),
                policy.pause_max,
            )
            assert limit <= longest
        waiting = self.overview(case).proposal
        if waiting is not None:
            assert waiting.signed.act.prev == self.overview(case).case.head

    # --- helpers ------------------------------------------------------------------------------

    def attempt(
        self,
        case: CaseId,
        who: str,
        target: State | None,
        kind: ActKind,
        reason: str | None,
        **more: object,
    ) -> None:
        """Submit; the gate may refuse, and then nothing has changed."""
        looker = self.audience[case][0]
        submission = self.office.submission(
            case, who, target, kind, looker=looker, reason=reason, **more
        )
        before = self.file(case)
        person, rules = self.office.person(who), self.office.rules()
        try:
            self.office.office.submit(case, person, submission, rules)
        except GateError:
            assert self.file(case) == before

    def entitled(self, case: CaseId) -> str:
        audience = self.audience[case]
        return "pengawas" if "pengawas" in audience else audience[0]

    def file(self, case: CaseId) -> list[LedgerEntry]:
        return list(self.office.file(case, self.audience[case][0]).history)

    def overview(self, case: CaseId) -> Overview:
        return self.office.file(case, self.audience[case][0]).overview


CaseOfficeMachine.TestCase.settings = settings(
    max_examples=30,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestCaseOffice = pytest.mark.slow(CaseOfficeMachine.TestCase)
