# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reports and messages that were sealed before they came here: checked, stored, answered.

What is checked of a report before it is stored, whoever sends it:
(1) it is not stored already: the same one again gets the same answer, another one is a conflict;
(2) the container is a sealed frame; (3) it has one stanza for each recipient named, and these are
people of the manifest; (4) dossier and blobs have sizes that sealed things have.
The signature is the caller's business: clients and bundles sign different things.

Invariants: an answer means durable; a report and its blobs are stored in one transaction.
"""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date

from crypto.promise import sign_promise
from crypto.rng import Rng
from whistle import limits
from whistle.errors import ConflictError, FullError
from whistle.intake.blobs import BlobFolder
from whistle.intake.organisation import Organisation
from whistle.intake.problems import ProblemError
from whistle.intake.records import (
    Blob,
    Claim,
    Intent,
    Mode,
    NewThread,
    OwnMessage,
    Record,
)
from whistle.intake.replies import first_due
from whistle.intake.sealed_form import (
    require_blob_file,
    require_blob_size,
    require_container,
    require_dossier,
    require_own_copy,
)
from whistle.intake.store import Store


@dataclass(frozen=True, repr=False)
class Submission:
    """A sealed report; `commitment` stands for it in the signed promise."""

    mode: Mode
    lookup_id: bytes
    auth_public: bytes
    mailbox_key: bytes
    dossier: bytes
    recipients: tuple[str, ...]
    container: bytes
    blobs: tuple[Blob, ...]
    commitment: bytes | None

    @property
    def fingerprint(self) -> bytes:
        """Recognises the same submission sent again."""
        content = hashlib.sha256(self.container).digest()
        parts = (self.lookup_id, self.auth_public, self.mailbox_key, content)
        return hashlib.sha256(b"".join(parts) + (self.commitment or b"")).digest()


@dataclass(frozen=True, repr=False)
class Addition:
    """A sealed later message with the reporter's own copy of it."""

    lookup_id: bytes
    intent: Intent
    recipients: tuple[str, ...] | None
    container: bytes
    message_id: bytes
    box: bytes
    claims: tuple[Claim, ...]


@dataclass(frozen=True)
class Answered:
    """What a client gets for a stored report."""

    day: date
    due: date | None
    promise: bytes | None


class Submissions:
    """The use cases behind the client interface and the page for sealed files."""

    def __init__(self, store: Store, folder: BlobFolder, seed: bytes, rng: Rng) -> None:
        self._store = store
        self._folder = folder
        self._seed = seed
        self._rng = rng

    def known(self, one: Submission, organisation: Organisation) -> Answered | None:
        """Return the answer to a report that is stored already (step 1).

        Raises:
            ProblemError: another report is stored under this receipt.
        """
        stored = self._store.submission(one.lookup_id)
        if stored is None:
            return None
        day, fingerprint = stored
        if fingerprint != one.fingerprint:
            raise ProblemError("conflict")
        return self._answer(one, organisation, day)

    def check(self, one: Submission, organisation: Organisation, max_file_bytes: int) -> None:
        """Check a report (steps 2 to 4). Raises ProblemError."""
        require_container(one.container, len(one.recipients))
        require_people(one.recipients, organisation)
        require_dossier(one.dossier)
        for blob in one.blobs:
            require_blob_size(blob.size, max_file_bytes)

    async def store(
        self,
        one: Submission,
        organisation: Organisation,
        today: date,
        keep: Callable[[NewThread, Record], Awaitable[bool]],
    ) -> Answered:
        """Store a checked report by `keep`, which says whether it did."""
        record = Record(
            id=self._rng(16),
            thread=one.lookup_id,
            kind="report",
            intent="message",
            day=today,
            recipients=one.recipients,
            mailbox_key=one.mailbox_key,
            container=one.container,
            blobs=one.blobs,
            commitment=one.commitment,
        )
        thread = NewThread(one.auth_public, one.dossier, one.mode, one.fingerprint)
        problem: ProblemError | None = None
        try:
            if await keep(thread, record):
                return self._answer(one, organisation, today)
        except ConflictError:
            problem = ProblemError("incomplete")
        except ProblemError as error:
            problem = error
        # Another connection may have stored the same meanwhile, and taken the files with it.
        known = self.known(one, organisation)
        if known is None:
            raise problem or ProblemError("conflict")
        return known

    async def store_with_uploads(
        self, one: Submission, claims: Sequence[Claim], organisation: Organisation, today: date
    ) -> Answered:
        """Store a checked report whose files have come as pieces."""

        async def keep(thread: NewThread, record: Record) -> bool:
            self._require_files(claims)
            return await self._store.add_report(thread, record, claims)

        return await self.store(one, organisation, today, keep)

    def check_addition(
        self, one: Addition, organisation: Organisation, max_file_bytes: int
    ) -> None:
        """Check a later message as a report is checked. Raises ProblemError."""
        count = None if one.recipients is None else len(one.recipients)
        require_container(one.container, count)
        require_people(one.recipients or (), organisation)
        require_own_copy(one.box)
        for claim in one.claims:
            require_blob_size(claim.blob.size, max_file_bytes)

    async def add(self, one: Addition, today: date) -> date:
        """Store a checked later message, or recognise it; return its day."""
        known = self._store.own_day(one.lookup_id, one.message_id)
        return known if known is not None else await self._add(one, today)

    async def _add(self, one: Addition, today: date) -> date:
        record = Record(
            id=self._rng(16),
            thread=one.lookup_id,
            kind="follow_up",
            intent=one.intent,
            day=today,
            recipients=one.recipients or (),
            mailbox_key=None,
            container=one.container,
            blobs=tuple(claim.blob for claim in one.claims),
        )
        own = OwnMessage(one.message_id, today, one.box)
        problem = ProblemError("incomplete")
        try:
            self._require_files(one.claims)
            await self._store.add_follow_up(record, own, one.claims, spare=limits.SPARE_OWN)
        except FullError:
            raise ProblemError("full") from None
        except ConflictError:
            pass  # incomplete, unless another connection has stored the same meanwhile
        except ProblemError as error:
            problem = error
        known = self._store.own_day(one.lookup_id, one.message_id)
        if known is None:
            raise problem
        return known

    def _require_files(self, claims: Sequence[Claim]) -> None:
        for claim in claims:
            upload = self._store.uploads.find(claim.blob.id)
            if upload is None or (upload.owner, upload.size) != (claim.owner, claim.blob.size):
                raise ProblemError("incomplete")
            if len(self._store.uploads.received(upload.id)) != upload.pieces:
                raise ProblemError("incomplete")
            require_blob_file(self._folder.path(claim.blob.id), claim.blob.size)

    def _answer(self, one: Submission, organisation: Organisation, day: date) -> Answered:
        instance_id = organisation.manifest.instance_id
        promise = None
        if one.commitment is not None:
            promise = sign_promise(self._seed, instance_id, one.commitment, day)
        return Answered(day, first_due(day, organisation.policy), promise)


def require_people(people: Sequence[str], organisation: Organisation) -> None:
    """Raise ProblemError unless all are people who open reports, each named once."""
    known = {person.id for person in organisation.manifest.recipients_for(None)}
    if len(set(people)) != len(people) or not known.issuperset(people):
        raise ProblemError("recipients")
