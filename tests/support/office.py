# SPDX-License-Identifier: AGPL-3.0-or-later
"""An office beside a running intake: collects over the feed, opens, answers.

No case server is needed.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from case_mgmt.acts import message_hash
from case_mgmt.model import ActKind, State
from case_mgmt.notices import notice_for
from case_mgmt.policy import parse_policy
from crypto.body import FollowUpBody, ReplyBody, ReportBody
from crypto.encoding import b64, day_number, unb64
from crypto.envelope import seal_message
from crypto.frame import NO_PREVIOUS, Frame, FrameType, Origin, encode_frame, recipients_digest
from crypto.mailbox import seal_notice
from crypto.private.open_report import open_message
from crypto.rng import system_rng
from crypto.signing import public_from_seed
from tests.support.history import SERVICE, History
from tests.support.intake import Intake

MESSAGE_ACTS = frozenset({ActKind.TRANSITION, ActKind.UPDATE, ActKind.EXTEND})


@dataclass
class Case:
    """One collected report."""

    record: dict[str, Any]
    frame: Frame
    body: ReportBody
    history: History = field(default_factory=History)

    @property
    def thread(self) -> bytes:
        return bytes.fromhex(self.record["thread"])


@dataclass
class Office:
    """Acts for the people of an organisation."""

    intake: Intake

    async def records(self) -> list[dict[str, Any]]:
        """List what waits."""
        answer = await self.intake.feed("GET", "/feed/v1/records?limit=100")
        assert answer.status == 200, answer.body
        listed: list[dict[str, Any]] = json.loads(answer.body)["records"]
        return listed

    def open(self, record: dict[str, Any], person: str = "pengawas") -> Frame:
        """Open a record as one of its recipients."""
        org = self.intake.org
        frame, _raw = open_message(
            org.identities[person].recipient_seed,
            unb64(record["container"]),
            org.instance_id,
            bytes.fromhex(record["thread"]),
        )
        return frame

    async def collect(self) -> list[Case]:
        """Open every waiting report."""
        cases = []
        for record in await self.records():
            if record["kind"] == "report":
                frame = self.open(record)
                cases.append(Case(record, frame, ReportBody.parse(frame.body)))
        return cases

    async def follow_ups(self) -> list[tuple[dict[str, Any], Frame, FollowUpBody]]:
        """Open every waiting later message."""
        found = []
        for record in await self.records():
            if record["kind"] == "follow_up":
                frame = self.open(record)
                found.append((record, frame, FollowUpBody.parse(frame.body)))
        return found

    async def act(
        self, case: Case, kind: ActKind, target: State, text: str = "", **more: Any
    ) -> int:
        """Add an act and push its notice; return the HTTP status of the push."""
        day = self.intake.calendar.day
        container = None
        if kind in MESSAGE_ACTS:
            container = self.reply(case, text, target.value)
            more["message"] = message_hash(container)
        else:
            more["signer"] = SERVICE
        case.history.add(kind, target, day, **more)
        policy = parse_policy((self.intake.org.dir / "policy.json").read_bytes())
        notice = notice_for(case.history.items[-1], case.history.acts, policy, container)
        seq = len(case.history.items)
        key = bytes.fromhex(case.record["mailbox_key"])
        box = seal_notice(key, case.thread, seq, notice, system_rng)
        return await self.push(case, seq, box)

    async def push(self, case: Case, seq: int, box: bytes) -> int:
        """Put a box into the mailbox."""
        entry = {"thread": case.record["thread"], "seq": seq, "box": b64(box)}
        return (await self.intake.feed("POST", "/feed/v1/mailbox", {"entries": [entry]})).status

    def reply(self, case: Case, text: str, status: str, person: str = "penyidik-1") -> bytes:
        """Seal a message to the reporter, as a desk does."""
        org = self.intake.org
        recipient = case.body.reply_recipient()
        day = self.intake.calendar.day
        body = ReplyBody(lang="id", status=status, reason=None, text=text, day=day.isoformat())
        seed = org.identities[person].device_seed
        frame = Frame(
            type=FrameType.REPLY,
            origin=Origin.DESK,
            instance_id=org.instance_id,
            thread_id=case.thread,
            message_id=system_rng(16),
            prev=NO_PREVIOUS,
            recipients_digest=recipients_digest([recipient]),
            day=day_number(day),
            body=body.encode(),
            sender=public_from_seed(seed),
        )
        return seal_message(encode_frame(frame, seed), [recipient], system_rng)
