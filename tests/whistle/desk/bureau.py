# SPDX-License-Identifier: AGPL-3.0-or-later
"""A real case server in the test process, and reporters who send to it without an intake.

async with running_bureau(tmp_path) as bureau:
    reporter = Reporter(bureau)
    case = reporter.report(story="…", files=[("a.jpg", b"…")])
    bureau.url, bureau.keystores["penyidik-1"], bureau.passphrase_file
"""

import contextlib
import functools
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from case_mgmt.model import BlobId, CaseId, PersonId, RecordId, ThreadId
from case_mgmt.records import Record
from case_mgmt.store.ports import Blob
from crypto.attachment import AttachmentSealer
from crypto.body import AttachmentRef, FollowUpBody, ReportBody
from crypto.encoding import day_number
from crypto.envelope import seal_message
from crypto.frame import (
    NO_PREVIOUS,
    Frame,
    FrameType,
    Origin,
    encode_frame,
    frame_hash,
    recipients_digest,
)
from crypto.mailbox import open_reply
from crypto.private.keystore import Identity, seal_keystore
from crypto.receipt import ReceiptKeys, derive, generate
from crypto.rng import system_rng
from crypto.xwing import identity_to_age
from tests.support.org import Org, make_org
from whistle.cases.app import create_app
from whistle.cases.services import CasesServices, CasesSettings
from whistle.cases.wiring import build_services
from whistle.clock import unix_now
from whistle.http import serve

PASSPHRASE = "satu dua tiga empat lima"
CHEAP = {"opslimit": 1, "memlimit": 64 * 1024 * 1024}
TODAY = date(2026, 4, 7)
UNITS = ("unit", "exclude_unit")
ALWAYS_VALID = {"not_before": "2020-01-01", "not_after": "2040-01-01"}
"""The desk's own clock is the real one, the case server's is the test's."""


@dataclass
class Bureau:
    """A running case server and everybody's keystores."""

    org: Org
    services: CasesServices
    folder: Path
    days: list[date]
    port: int = 0
    keystores: dict[str, Path] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def passphrase_file(self) -> Path:
        return self.folder / "people" / "passphrase.txt"

    @property
    def today(self) -> date:
        return self.days[0]

    def pass_days(self, days: int) -> None:
        self.days[0] += timedelta(days=days)

    def words(self, person: str) -> list[str]:
        """The flags of a case command for one person."""
        return [
            "--keystore", str(self.keystores[person]), "--server", self.url,
            "--passphrase-file", str(self.passphrase_file),
        ]  # fmt: skip

    def assignee(self, case: str) -> str:
        """Who the case was given to."""
        with self.services.store.reading() as unit:
            found = unit.case(CaseId(case))
        assert found is not None
        assert found.present.assignee is not None
        return str(found.present.assignee)

    def history(self, case: str) -> list[Any]:
        """The acts as stored, with their containers."""
        with self.services.store.reading() as unit:
            return list(unit.acts(CaseId(case)))


@dataclass
class Reporter:
    """Somebody with a receipt; hostile variations through keyword arguments."""

    bureau: Bureau
    keys: ReceiptKeys = field(init=False)
    hashes: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.keys = derive(generate(system_rng), self.bureau.org.instance_id)

    @property
    def thread(self) -> ThreadId:
        return ThreadId(self.keys.lookup_id.hex())

    def people(self, excluded: Sequence[str] = ()) -> list[PersonId]:
        return [
            PersonId(each["id"])
            for each in self.bureau.org.manifest["people"]
            if each["unit"] not in excluded
        ]

    def frame(self, kind: FrameType, body: bytes, people: Sequence[str], **changes: Any) -> Frame:
        """A frame as the intake would write it."""
        recipients = [self.bureau.org.identities[each].recipient for each in people]
        frame = Frame(
            type=kind,
            origin=Origin.ARRIVAL,
            instance_id=self.bureau.org.instance_id,
            thread_id=self.keys.lookup_id,
            message_id=system_rng(16),
            prev=NO_PREVIOUS,
            recipients_digest=recipients_digest(recipients),
            day=day_number(self.bureau.today),
            body=body,
        )
        return replace(frame, **changes)

    def seal(
        self, frame: Frame, people: Sequence[str], seed: bytes | None = None, *, signed: bool = True
    ) -> bytes:
        """The container of a frame."""
        raw = encode_frame(frame, (seed or self.keys.sign_seed) if signed else None)
        self.hashes.append(frame_hash(raw))
        recipients = [self.bureau.org.identities[each].recipient for each in people]
        return seal_message(raw, recipients, system_rng)

    def report(
        self,
        fields: Mapping[str, str] | None = None,
        files: Sequence[tuple[str, bytes]] = (),
        lang: str = "id",
        **changes: Any,
    ) -> str:
        """Sends a report; its case number."""
        fields = dict(fields or {"story": "Dimintai biaya administrasi empat kali."})
        refs = [self._attach(name, content) for name, content in files]
        body = ReportBody(
            lang=lang,
            form="report@1",
            fields=fields,
            reply_identity=identity_to_age(self.keys.reply_seed),
            attachments=tuple(refs),
        )
        people = self.people([fields.get(unit, "") for unit in UNITS])
        frame = self.frame(FrameType.REPORT, body.encode(), people, **changes)
        return self.deliver(frame, refs, "report")

    def add(
        self,
        text: str,
        files: Sequence[tuple[str, bytes]] = (),
        intent: Any = "message",
        **changes: Any,
    ) -> str:
        """Sends a later message."""
        refs = [self._attach(name, content) for name, content in files]
        body = FollowUpBody("id", intent, text, tuple(refs))
        frame = self.frame(FrameType.FOLLOW_UP, body.encode(), self.people(), **changes)
        return self.deliver(frame, refs, "follow_up", intent)

    def deliver(
        self,
        frame: Frame,
        refs: Sequence[AttachmentRef] = (),
        kind: Any = "report",
        intent: Any = "message",
        container: bytes | None = None,
    ) -> str:
        """Hands a record to the case server, as the puller does."""
        people = self.people()
        if frame.type is FrameType.REPORT:
            fields = ReportBody.parse(frame.body).fields
            people = self.people([fields.get(unit, "") for unit in UNITS])
        services = self.bureau.services
        record = Record(
            id=RecordId(system_rng(16).hex()),
            kind=kind,
            thread=self.thread,
            intent=intent,
            day=self.bureau.today,
            recipients=tuple(people),
            mailbox_key=self.keys.mailbox_key if kind == "report" else None,
            container=container or self.seal(frame, people),
            blobs=tuple(
                Blob(BlobId(ref.id), services.blobs.path(BlobId(ref.id)).stat().st_size)
                for ref in refs
            ),
        )
        return str(services.office.take_in(record, services.rules()))

    def read(self, container: bytes) -> tuple[Frame, bytes]:
        """Opens a reply with the receipt."""
        return open_reply(self.keys, container, self.bureau.org.instance_id)

    def _attach(self, name: str, content: bytes) -> AttachmentRef:
        sealer = AttachmentSealer(system_rng)
        sealed = sealer.update(content)
        tail, ref = sealer.final("x", "application/octet-stream")
        ref = replace(ref, name=name)
        path = self.bureau.services.blobs.path(BlobId(ref.id))
        path.write_bytes(sealed + tail)
        return ref


@functools.cache
def sealed(identity: Identity) -> bytes:
    """A person's keystore file, the same bytes each time (see conftest.py)."""
    return seal_keystore(identity, PASSPHRASE, system_rng, **CHEAP)


@contextlib.contextmanager
def built_bureau(
    folder: Path,
    today: date = TODAY,
    prepare: Callable[[Org, Path], None] | None = None,
    **changes: Any,
) -> Iterator[Bureau]:
    """The case server's services, not served; `prepare` sees organisation and state before."""
    org = make_org(folder, today, **{**ALWAYS_VALID, **changes})
    state = org.write_state(folder / "cases", "cases")
    if prepare is not None:
        prepare(org, state)
    days = [today]
    settings = CasesSettings(
        org.dir, state, feed_socket=folder / "no-feed.sock", poll_seconds=3600.0
    )
    services = build_services(settings, lambda: days[0], unix_now, system_rng)
    bureau = Bureau(org, services, folder, days)
    people = folder / "people"
    people.mkdir(exist_ok=True)
    bureau.passphrase_file.write_text(PASSPHRASE + "\n")
    for person, identity in org.identities.items():
        path = people / f"{person}.keystore"
        path.write_bytes(sealed(identity))
        path.chmod(0o600)
        bureau.keystores[person] = path
    try:
        yield bureau
    finally:
        services.close()


@contextlib.asynccontextmanager
async def running_bureau(
    folder: Path, today: date = TODAY, **changes: Any
) -> AsyncIterator[Bureau]:
    """The case server on a free port of loopback."""
    with built_bureau(folder, today, **changes) as bureau:
        app = create_app(bureau.services)
        async with serve.listening(app, tcp=("127.0.0.1", 0)) as listening:
            assert listening.port is not None
            bureau.port = listening.port
            yield bureau
