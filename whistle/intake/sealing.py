# SPDX-License-Identifier: AGPL-3.0-or-later
"""From checked answers to a sealed, durable report: the use cases behind the two sending forms.

Order of a submission, each step only after the one before:

1. the receipt is derived from the form's token and content (`whistle.intake.tokens`), or drawn at
   random;
2. the answers become a signed frame, sealed to everybody but the staff of the accused offices;
3. the blobs get their names, durably;
4. thread, record and blob names are committed together; only then does a caller hear of success.

Invariants: the frame says ORIGIN arrival, so that nobody mistakes this mode for sealing in the
browser; a thread that exists already is never changed by a report, and its blobs are discarded;
once step 3 has begun, a caller that goes away does not interrupt it, nor touch its files
(`whistle.intake.attachments`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from crypto.body import FollowUpBody, ReportBody
from crypto.encoding import day_number
from crypto.envelope import seal_message
from crypto.frame import NO_PREVIOUS, Frame, FrameType, Origin, encode_frame
from crypto.mailbox import seal_own_copy
from crypto.promise import commitment
from crypto.receipt import Receipt, ReceiptKeys, derive, generate
from crypto.rng import Rng
from crypto.xwing import identity_to_age
from whistle.errors import RefusedError
from whistle.intake import forms, tokens
from whistle.intake.attachments import Attachments
from whistle.intake.dossier import open_dossier, seal_dossier
from whistle.intake.organisation import Audience, Organisation
from whistle.intake.records import Intent, NewThread, OwnMessage, Record, ThreadView
from whistle.intake.store import Store

FORM: Final = "report@1"


@dataclass(frozen=True, repr=False)
class Report:
    """A checked report form."""

    lang: str
    token: str
    answers: Mapping[str, str]
    excluded: frozenset[str]
    attachments: Attachments


@dataclass(frozen=True, repr=False)
class FollowUp:
    """A checked form of the status page; `seen` counts the notices its writer had read."""

    lang: str
    token: str
    intent: Intent
    text: str
    seen: int
    prev: bytes
    attachments: Attachments


@dataclass(frozen=True, repr=False)
class Accepted:
    """A stored report; `day` is the day of its first press."""

    receipt: Receipt
    keys: ReceiptKeys
    day: date


class Sealing:
    """Seals and stores; holds nothing of a report after its method has returned."""

    def __init__(self, store: Store, rng: Rng) -> None:
        self._store = store
        self._rng = rng
        self._secrets: dict[date, bytes] = {}

    async def submit(self, report: Report, organisation: Organisation, today: date) -> Accepted:
        """Store a report, or recognise it as stored before.

        Raises:
            RefusedError: nobody is left to read it.
        """
        audience = organisation.audience(report.excluded)
        if audience is None:
            raise RefusedError("bad_request")
        receipt = await self._receipt(report, today)
        keys = derive(receipt, organisation.manifest.instance_id)
        known = self._store.thread_day(keys.lookup_id)
        if known is not None:
            return Accepted(receipt, keys, known)
        record = self._seal_report(report, audience, keys, organisation, today)
        dossier = seal_dossier(keys.state_key, keys.lookup_id, report.excluded, self._rng)
        thread = NewThread(keys.auth_public, dossier)
        await report.attachments.settle(lambda: self._store.add_report(thread, record))
        return Accepted(receipt, keys, self._store.thread_day(keys.lookup_id) or today)

    async def add(
        self,
        follow_up: FollowUp,
        keys: ReceiptKeys,
        thread: ThreadView,
        organisation: Organisation,
        today: date,
    ) -> None:
        """Store a later message, or recognise it as stored before."""
        content = forms.canonical(
            follow_up.intent, {"text": follow_up.text}, follow_up.attachments.fingerprints
        )
        message_id = tokens.message_id(keys.state_key, follow_up.token, content, self._rng)
        if self._store.has_own_message(keys.lookup_id, message_id):
            return
        excluded = open_dossier(keys.state_key, keys.lookup_id, thread.dossier)
        audience = organisation.audience(excluded)
        if audience is None:
            raise RefusedError("busy")
        record = self._seal_follow_up(
            follow_up, message_id, keys, (audience, organisation.manifest.instance_id), today
        )
        own = self._own_copy(follow_up, keys, message_id, today)
        await follow_up.attachments.settle(lambda: self._store.add_follow_up(record, own))

    async def forget_old_secrets(self, today: date) -> None:
        """Destroy day secrets that are no longer needed."""
        self._secrets = {day: secret for day, secret in self._secrets.items() if day >= today}
        await self._store.forget_secrets(today)

    async def _receipt(self, report: Report, today: date) -> Receipt:
        day = tokens.token_day(report.token, today)
        if day is None:
            return generate(self._rng)
        secret = self._secrets.get(day)
        if secret is None:
            secret = self._secrets[day] = await self._store.day_secret(day, self._rng)
        content = forms.canonical("report", report.answers, report.attachments.fingerprints)
        return Receipt(tokens.receipt_bytes(secret, report.token, content))

    def _seal_report(
        self,
        report: Report,
        audience: Audience,
        keys: ReceiptKeys,
        organisation: Organisation,
        today: date,
    ) -> Record:
        body = ReportBody(
            lang=report.lang,
            form=FORM,
            fields=report.answers,
            reply_identity=identity_to_age(keys.reply_seed),
            attachments=report.attachments.references,
        )
        frame = Frame(
            type=FrameType.REPORT,
            origin=Origin.ARRIVAL,
            instance_id=organisation.manifest.instance_id,
            thread_id=keys.lookup_id,
            message_id=self._rng(16),
            prev=NO_PREVIOUS,
            recipients_digest=audience.digest,
            day=day_number(today),
            body=body.encode(),
        )
        return self._record(frame, audience, keys, report.attachments, today)

    def _seal_follow_up(
        self,
        follow_up: FollowUp,
        message_id: bytes,
        keys: ReceiptKeys,
        place: tuple[Audience, bytes],
        today: date,
    ) -> Record:
        audience, instance_id = place
        body = FollowUpBody(
            lang=follow_up.lang,
            intent=follow_up.intent,
            text=follow_up.text,
            attachments=follow_up.attachments.references,
        )
        frame = Frame(
            type=FrameType.FOLLOW_UP,
            origin=Origin.ARRIVAL,
            instance_id=instance_id,
            thread_id=keys.lookup_id,
            message_id=message_id,
            prev=follow_up.prev,
            recipients_digest=audience.digest,
            day=day_number(today),
            body=body.encode(),
        )
        return self._record(frame, audience, keys, follow_up.attachments, today, follow_up.intent)

    def _record(
        self,
        frame: Frame,
        audience: Audience,
        keys: ReceiptKeys,
        attachments: Attachments,
        today: date,
        intent: Intent = "message",
    ) -> Record:
        is_report = frame.type is FrameType.REPORT
        sealed = encode_frame(frame, keys.sign_seed)
        return Record(
            id=self._rng(16),
            thread=keys.lookup_id,
            kind="report" if is_report else "follow_up",
            intent=intent,
            day=today,
            recipients=audience.people,
            mailbox_key=keys.mailbox_key if is_report else None,
            container=seal_message(sealed, audience.recipients, self._rng),
            blobs=attachments.blobs,
            commitment=commitment(keys) if is_report else None,
        )

    def _own_copy(
        self, follow_up: FollowUp, keys: ReceiptKeys, message_id: bytes, today: date
    ) -> OwnMessage:
        text = json.dumps(
            {
                "intent": follow_up.intent,
                "text": follow_up.text,
                "files": len(follow_up.attachments.blobs),
                "names": [one.name for one in follow_up.attachments.references],
                "seen": follow_up.seen,
            },
            ensure_ascii=False,
        )
        box = seal_own_copy(keys.state_key, keys.lookup_id, message_id, text, self._rng)
        return OwnMessage(message_id, today, box)
