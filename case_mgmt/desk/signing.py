# SPDX-License-Identifier: AGPL-3.0-or-later
"""Signs decisions: acts of this desk, and the second signature under a colleague's closing.

- An act attaches to the head this desk has verified, never to one a server names.
- The second person signs only after reading: the proposal must carry a valid signature by a person
  who handles cases today, belong to the verified head, and its message must be the one whose office
  copy this desk has opened (steps 1 to 7 of `read_proposal`).
- Two signatures are two people: whoever changed keys in between is still the same person (step 8).
"""

from dataclasses import dataclass
from datetime import date

from case_mgmt.acts import Act, SignedAct, countersign_act, message_hash, sign_act, verify_act
from case_mgmt.desk.errors import ComposeError
from case_mgmt.desk.history import Head, signatory
from case_mgmt.desk.office import OfficeCopy, OfficeFile
from case_mgmt.model import ActKind, DeviceKey, PersonId, State
from crypto.errors import AuthenticationError
from crypto.manifest import Manifest, Person
from crypto.private.keystore import Identity


@dataclass(frozen=True)
class Decision:
    """What was decided; the target of all kinds but transitions is the present state."""

    kind: ActKind
    target: State
    reason: str | None = None
    until: date | None = None
    assignee: PersonId | None = None


@dataclass(frozen=True)
class Proposal:
    """A closing that waits for a second person."""

    signed: SignedAct
    container: bytes


def sign_decision(
    identity: Identity, head: Head, decision: Decision, container: bytes | None, day: date
) -> SignedAct:
    """The signed act that attaches `decision` to `head`."""
    act = Act(
        case=head.case,
        seq=head.next_seq,
        prev=head.prev,
        kind=decision.kind,
        source=head.state,
        target=decision.target,
        reason=decision.reason,
        message=None if container is None else message_hash(container),
        day=day,
        signer=DeviceKey(identity.device_public.hex()),
        until=decision.until,
        assignee=decision.assignee,
    )
    return SignedAct(act, sign_act(identity.device_seed, act))


@dataclass(frozen=True)
class Verified:
    """What this desk has established about a case before it looks at a proposal."""

    manifest: Manifest
    head: Head
    office: OfficeFile
    today: date


def read_proposal(proposal: Proposal, known: Verified) -> OfficeCopy:
    """The message the reporter would read, if the whole proposal holds. Raises: ComposeError."""
    act, head = proposal.signed.act, known.head
    # 1. it attaches to the verified head
    if (act.case, act.seq, act.prev, act.source) != (
        head.case,
        head.next_seq,
        head.prev,
        head.state,
    ):
        raise ComposeError("act_mismatch")
    # 2. it is of today: two people sign on one day, and none in the past
    if act.day != known.today:
        raise ComposeError("proposal_lapsed")
    # 3. its signer signed it
    try:
        verify_act(act, proposal.signed.signature)
    except AuthenticationError as error:
        raise ComposeError("act_mismatch") from error
    # 4. who signed it handles cases today, under that very key
    proposer = known.manifest.person_by_desk_key(bytes.fromhex(act.signer))
    if proposer is None or not proposer.opens_reports:
        raise ComposeError("proposer_left")
    # 5. it names this message
    if act.message != message_hash(proposal.container):
        raise ComposeError("act_mismatch")
    # 6. the message can be read here: same payload, so same words
    copy = known.office.copy_of(proposal.container)
    if copy is None or copy.author is None or copy.author.hex() != act.signer:
        raise ComposeError("copy_missing")
    # 7. what the message tells the reporter is what the act does
    if (copy.body.status, copy.body.reason) != (act.target.value, act.reason):
        raise ComposeError("act_mismatch")
    return copy


def check_proposal(proposal: Proposal, known: Verified, second: Person) -> OfficeCopy:
    """The same, if `second` may also sign it. Raises: ComposeError."""
    # 8. whoever proposed is another person, whichever key was used
    first = signatory(known.manifest, bytes.fromhex(proposal.signed.act.signer))
    if first is not None and first.id == second.id:
        raise ComposeError("second_person")
    return read_proposal(proposal, known)


def countersign(identity: Identity, proposal: Proposal, known: Verified) -> bytes:
    """The second person's signature. Raises: ComposeError."""
    second = known.manifest.person_by_desk_key(identity.device_public)
    if second is None or not second.opens_reports:
        raise ComposeError("not_a_recipient")
    check_proposal(proposal, known, second)
    return countersign_act(identity.device_seed, proposal.signed.act)
