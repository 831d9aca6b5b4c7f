# SPDX-License-Identifier: AGPL-3.0-or-later
"""What an investigator can do, as whole steps: open, decide, confirm, write, assign, fetch files.

Commands and pages both come here; nothing else signs. Each step that changes something

1. fetches the case again and verifies it (a decision is never signed on an old view);
2. seals the message and stores the office copy, so that the second person can read it;
3. signs the act on the verified head and posts it; the server's gate decides;
4. if the server went away meanwhile, looks whether the act arrived before saying anything.
"""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from case_mgmt.acts import CASE_ID, SignedAct, act_hash
from case_mgmt.desk.cards import seal_card
from case_mgmt.desk.composing import Author
from case_mgmt.desk.errors import ComposeError
from case_mgmt.desk.evidence import EvidenceFile
from case_mgmt.desk.signing import Decision, countersign, sign_decision
from case_mgmt.errors import REFUSALS, LifecycleError
from case_mgmt.lifecycle import Actor, rule_for
from case_mgmt.model import ActKind, PersonId, State
from case_mgmt.publishing import publishers
from crypto.encoding import b64
from crypto.errors import CryptoError
from crypto.private.keystore import Identity
from crypto.private.open_report import AttachmentOpener
from crypto.rng import Rng
from whistle.desk.casefile import CaseFile, PendingView, open_case_file
from whistle.desk.client import CaseClient, UnknownOutcomeError
from whistle.desk.errors import DeskError, GateRefusedError, ServerRefusedError, UsageError
from whistle.desk.keyring import SerialMemory
from whistle.desk.letters import Letter
from whistle.desk.records import CaseSummary, Queue, parse_case, parse_queue, parse_summary
from whistle.desk.trust import Organisation, OwnClock, verify_organisation

COMMITTED = "committed"
AWAITING_SECOND = "awaiting_second"
CONFIRMED = "confirmed"
RETURNED = "returned"
LOCAL_REFUSAL_STATUS = 422


@dataclass(frozen=True)
class Outcome:
    """What became of a step. `notice` is a text key the person should read, or None."""

    status: str
    summary: CaseSummary
    notice: str | None = None
    confirmed: PendingView | None = None
    """The closing that this person has just signed as the second one."""


@dataclass(frozen=True)
class Tools:
    """What a workbench needs besides the connection."""

    identity: Identity
    memory: SerialMemory
    clock: OwnClock
    rng: Rng


class Workbench:
    """One person at work on one case server."""

    def __init__(self, client: CaseClient, tools: Tools) -> None:
        self._client = client
        self._tools = tools
        self._identity = tools.identity

    @property
    def identity(self) -> Identity:
        """Whose workbench this is."""
        return self._identity

    @property
    def client(self) -> CaseClient:
        """The connection, for steps that are not about a case."""
        return self._client

    async def organisation(self) -> Organisation:
        """The verified organisation; its serial is remembered.

        Raises: KeysError, UnreachableError.
        """
        answer = await self._client.organisation()
        highest = self._tools.memory.highest()
        organisation = verify_organisation(answer, self._identity, highest, self._tools.clock)
        self._tools.memory.remember(organisation.manifest.serial)
        return organisation

    async def queue(self) -> Queue:
        """The person's cases."""
        return parse_queue(await self._client.queue())

    async def open(self, case: str, organisation: Organisation | None = None) -> CaseFile:
        """A case, fetched, opened and verified now."""
        record = parse_case(await self._client.case(case_number(case)))
        known = organisation or await self.organisation()
        opened = open_case_file(self._identity, known, record)
        await self._hand_over_card(opened)
        return opened

    async def _hand_over_card(self, opened: CaseFile) -> None:
        """Let the publishers count the case, once; a failure is made good at the next look."""
        people = publishers(opened.organisation.manifest)
        if not opened.record.wants_card or not people:
            return
        card = seal_card(self._author(opened), opened.thread, people)
        with contextlib.suppress(DeskError):
            await self._client.post_card(opened.record.summary.case, {"container": b64(card)})

    async def act(self, case: str, letter: Letter) -> Outcome:
        """A status change; the same closing proposed by a colleague is confirmed instead."""
        opened = await self.open(case)
        pending = opened.pending
        if letter.target is not None and pending is not None and pending.target is letter.target:
            if pending.is_mine:
                raise GateRefusedError("desk.error.second_needed")
            if letter.reason not in (None, pending.proposal.signed.act.reason):
                raise GateRefusedError("desk.error.reason_differs")
            outcome = await self._confirm(opened)
            if letter.text and not _same_words(letter.text, pending):
                return replace(outcome, notice="desk.notice.message_ignored")
            return outcome
        return await self._send(opened, letter)

    async def write(self, case: str, letter: Letter) -> Outcome:
        """An update or extension: visible words, status unchanged."""
        return await self._send(await self.open(case), letter)

    async def confirm(self, case: str, seen_act: str | None = None) -> Outcome:
        """The second signature under a closing; `seen_act` names the one that was read."""
        opened = await self.open(case)
        pending = opened.pending
        if seen_act is not None and (pending is None or pending.proposal.signed.hash != seen_act):
            raise GateRefusedError("desk.error.moved_on")
        return await self._confirm(opened)

    async def hand_back(self, case: str) -> Outcome:
        """Sends a proposal back, or takes the own one back."""
        opened = await self.open(case)
        if opened.pending is None:
            raise GateRefusedError("desk.error.nothing_pending")
        digest = act_hash(opened.pending.proposal.signed.act.encode())
        answer = await self._client.hand_back(opened.record.summary.case, {"act_hash": digest})
        return Outcome(RETURNED, parse_summary(answer["summary"]))

    async def assign(self, case: str, person: str) -> Outcome:
        """Gives the case to one of its recipients; no message, nothing visible."""
        opened = await self.open(case)
        decision = Decision(ActKind.ASSIGN, opened.state, assignee=PersonId(person))
        return await self._post(opened, self._sign(opened, decision, None), None)

    async def note(self, case: str, text: str) -> str:
        """Keeps a private note; gives the case's number."""
        opened = await self.open(case)
        author = self._author(opened)
        try:
            container = author.seal_note(
                opened.thread, opened.thread.report.body.lang, text, opened.thread.last_hash
            )
        except ComposeError as error:
            raise GateRefusedError(f"desk.compose.{error.code}") from error
        number = opened.record.summary.case
        await self._client.post_note(number, {"container": b64(container)})
        return number

    @contextlib.asynccontextmanager
    async def attachment(
        self, opened: CaseFile, file: EvidenceFile
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """The content of a file in pieces; right only if the iteration ends without an error."""
        case = opened.record.summary.case
        async with self._client.blob(case, file.ref.id) as pieces:
            yield _decrypted(pieces, AttachmentOpener(file.ref))

    async def _send(self, opened: CaseFile, letter: Letter) -> Outcome:
        if letter.seen_head not in (None, opened.history.head.prev):
            raise GateRefusedError("desk.error.moved_on")
        _require_verified(opened)
        target = letter.target or opened.state
        _check_table(opened, letter.kind, target, letter.reason)
        author = self._author(opened)
        draft = letter.draft(opened.thread.report.body.lang)
        try:
            sealed = author.seal_reply(opened.thread, draft, opened.thread.last_hash)
        except ComposeError as error:
            raise GateRefusedError(f"desk.compose.{error.code}") from error
        case = opened.record.summary.case
        await self._client.post_note(case, {"container": b64(sealed.office_copy)})
        decision = Decision(letter.kind, target, letter.reason, letter.until)
        signed = self._sign(opened, decision, sealed.container)
        return await self._post(opened, signed, sealed.container)

    async def _post(self, opened: CaseFile, signed: SignedAct, container: bytes | None) -> Outcome:
        case = opened.record.summary.case
        body = {
            "act": signed.act.to_object(),
            "signature": b64(signed.signature),
            "container": None if container is None else b64(container),
        }
        try:
            answer = await self._client.post_act(case, body)
        except UnknownOutcomeError:
            return await self._look_for(case, signed)
        return Outcome(str(answer["status"]), parse_summary(answer["summary"]))

    async def _look_for(self, case: str, signed: SignedAct) -> Outcome:
        """Whether an act whose answer was lost has arrived. Raises: UnknownOutcomeError."""
        record = parse_case(await self._client.case(case))
        if any(entry.signed.hash == signed.hash for entry in record.entries):
            return Outcome(COMMITTED, record.summary)
        if record.pending is not None and record.pending.signed.hash == signed.hash:
            return Outcome(AWAITING_SECOND, record.summary)
        raise UnknownOutcomeError("desk.error.not_arrived")

    async def _confirm(self, opened: CaseFile) -> Outcome:
        if opened.pending is None:
            raise GateRefusedError("desk.error.nothing_pending")
        _require_verified(opened)
        proposal = opened.pending.proposal
        try:
            signature = countersign(self._identity, proposal, opened.verified)
        except ComposeError as error:
            raise GateRefusedError(f"desk.compose.{error.code}") from error
        confirmation = {"act_hash": proposal.signed.hash, "countersignature": b64(signature)}
        answer = await self._client.confirm(opened.record.summary.case, confirmation)
        return Outcome(CONFIRMED, parse_summary(answer["summary"]), confirmed=opened.pending)

    def _sign(self, opened: CaseFile, decision: Decision, container: bytes | None) -> SignedAct:
        _require_verified(opened)
        head, today = opened.history.head, opened.organisation.today
        return sign_decision(self._identity, head, decision, container, today)

    def _author(self, opened: CaseFile) -> Author:
        return Author(self._identity, opened.organisation.today, self._tools.rng)


def case_number(text: str) -> str:
    """A case number as typed, in its one form. Raises: UsageError."""
    number = text.strip().upper()
    if CASE_ID.fullmatch(number) is None:
        raise UsageError("desk.error.case_number")
    return number


def _require_verified(opened: CaseFile) -> None:
    """SECURITY: nothing is signed on top of acts that do not verify (test_client.py)."""
    if not opened.history.is_verified:
        raise GateRefusedError("desk.error.history_broken")
    if opened.agreement.has_invented_act:
        raise GateRefusedError("desk.error.act_without_message")


def _check_table(opened: CaseFile, kind: ActKind, target: State, reason: str | None) -> None:
    """Refuses in the gate's own words what the gate would refuse, before anything is stored."""
    code: str | None = None
    try:
        rule = rule_for(kind, opened.state, target, Actor.OFFICE)
    except LifecycleError:
        code = "not_allowed"
    else:
        code = "reason_missing" if rule.reason and reason is None else None
    if opened.pending is not None:
        code = "proposal_pending"
    elif not opened.is_mine_to_decide:
        code = code or "unassigned"
    if code is not None:
        raise ServerRefusedError(code, REFUSALS[code], LOCAL_REFUSAL_STATUS)


def _same_words(text: str, pending: PendingView) -> bool:
    return pending.copy is not None and pending.copy.body.text.split() == text.split()


async def _decrypted(
    pieces: AsyncIterator[bytes], opener: AttachmentOpener
) -> AsyncIterator[bytes]:
    try:
        async for piece in pieces:
            plain = opener.update(piece)
            if plain:
                yield plain
        last = opener.final()
        if last:
            yield last
    except CryptoError as error:
        raise GateRefusedError("desk.error.file_damaged") from error
