# SPDX-License-Identifier: AGPL-3.0-or-later
"""A case office with real keys, a real manifest and a real encrypted store, without a network.

Containers are well-formed but sealed to nobody in particular: the office could not tell.
"""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from case_mgmt.acts import Act, countersign_act, message_hash, sign_act
from case_mgmt.gate import Rulebook, Submission
from case_mgmt.ledger import ServiceKey
from case_mgmt.model import (
    ActKind,
    BlobId,
    CaseId,
    DeviceKey,
    PersonId,
    RecordId,
    State,
    ThreadId,
)
from case_mgmt.policy import parse_policy
from case_mgmt.records import Intent, Record
from case_mgmt.service import CaseFile, CaseOffice, Overview, Status
from case_mgmt.store.ports import Blob
from case_mgmt.store.sqlcipher import SqlCipherStore, open_store
from crypto.encoding import b64
from crypto.envelope import seal_message
from crypto.manifest import Manifest, Person, verify_manifest
from crypto.rng import system_rng
from crypto.signing import public_from_seed
from crypto.xwing import Recipient, recipient_from_seed
from tests.support.org import Org, make_org, seed

TODAY = date(2026, 4, 7)
DB_KEY = "5a" * 32
MAILBOX_KEY = bytes(range(32))
EVERYBODY = ("penyidik-1", "penyidik-2", "pengawas")
PEOPLE = (
    ("penyidik-1", "investigator", "inspektorat-1"),
    ("penyidik-2", "investigator", "inspektorat-2"),
    ("pengawas", "supervisor", "inspektorat-pengaduan"),
    ("pemeriksa", "auditor", "inspektorat-pengaduan"),
    ("penerbit", "publisher", "diskominfo"),
)
"""The demo people with an auditor, who may see the ledger, and a publisher; both see no case."""


@functools.cache
def anybody(number: int) -> Recipient:
    """A key of nobody in particular."""
    return recipient_from_seed(seed(f"anybody {number}"))


@functools.cache
def container(recipients: int, size: int = 4096) -> bytes:
    """A well-formed container for so many recipients; the same bytes each time."""
    return seal_message(bytes(size), [anybody(n) for n in range(recipients)], system_rng)


def a_reply() -> bytes:
    """A well-formed visible message; other bytes each time."""
    return seal_message(bytes(4096), [anybody(0)], system_rng)


def a_report(
    number: int, day: date = TODAY, recipients: tuple[str, ...] = EVERYBODY, blobs: int = 0
) -> Record:
    """The report of thread `number`."""
    return Record(
        id=RecordId(f"{number:032x}"),
        kind="report",
        thread=ThreadId(f"{number:032x}"),
        intent="message",
        day=day,
        recipients=tuple(PersonId(person) for person in recipients),
        mailbox_key=MAILBOX_KEY,
        container=container(3),
        blobs=tuple(Blob(BlobId(f"{number:016x}{n:016x}"), 100 + n) for n in range(blobs)),
    )


def feed_item() -> dict[str, Any]:
    """A report as the feed lists it."""
    return {
        "id": "0a" * 16,
        "kind": "report",
        "thread": "0b" * 16,
        "intent": "message",
        "day": "2026-04-07",
        "recipients": ["penyidik-1", "pengawas"],
        "mailbox_key": MAILBOX_KEY.hex(),
        "container": b64(container(3)),
        "blobs": [{"id": "0d" * 16, "size": 70_000}],
        "commitment": None,
    }


def a_message(thread: int, number: int, day: date = TODAY, intent: Intent = "message") -> Record:
    """A later message of thread `thread`; `number` tells them apart."""
    return Record(
        id=RecordId(f"{number:031x}f"),
        kind="follow_up",
        thread=ThreadId(f"{thread:032x}"),
        intent=intent,
        day=day,
        recipients=(),
        mailbox_key=None,
        container=container(3),
        blobs=(),
    )


@dataclass
class Office:
    """The use cases with a calendar that tests move."""

    org: Org
    store: SqlCipherStore
    office: CaseOffice
    manifest: Manifest
    day: date = TODAY
    messages: int = 0

    def rules(self) -> Rulebook:
        policy = parse_policy((self.org.dir / "policy.json").read_bytes())
        return Rulebook(self.manifest, policy, self.day)

    def person(self, identifier: str) -> Person:
        return next(each for each in self.manifest.people if each.id == identifier)

    def staff(self, **changes: dict[str, Any] | None) -> None:
        """Put a newer manifest into force; None removes a person, `_` in a name stands for `-`."""
        wanted = {name.replace("_", "-"): change for name, change in changes.items()}
        people = [
            {**each, **(wanted.get(each["id"]) or {})}
            for each in self.org.manifest["people"]
            if wanted.get(each["id"], {}) is not None
        ]
        self.org.rewrite(people=people, serial=self.org.manifest["serial"] + 1)
        self.manifest = load_manifest(self.org)

    def org_service_key(self) -> DeviceKey:
        return DeviceKey(self.manifest.services["cases"].hex())

    def arrive(self, number: int = 1, **more: Any) -> CaseId:
        report = a_report(number, more.pop("day", self.day), **more)
        return self.office.take_in(report, self.rules())

    def event(self, thread: int, intent: Intent, day: date | None = None) -> CaseId:
        self.messages += 1
        record = a_message(thread, self.messages, day or self.day, intent)
        return self.office.take_in(record, self.rules())

    def pass_days(self, days: int) -> None:
        self.day += timedelta(days=days)

    def file(self, case: CaseId, who: str = "pengawas") -> CaseFile:
        return self.office.show(case, self.person(who), self.rules())

    def assignee(self, case: CaseId) -> str:
        assignee = self.file(case).overview.case.present.assignee
        assert assignee is not None
        return assignee

    def submission(
        self,
        case: CaseId,
        who: str,
        target: State | None = None,
        kind: ActKind = ActKind.TRANSITION,
        *,
        message: bytes | None = b"",
        **more: Any,
    ) -> Submission:
        """A signed act that attaches to the present head; message b"" means a fitting one."""
        current = self.file(case, more.pop("looker", "pengawas")).overview.case
        sealed = a_reply() if message == b"" else message
        identity = self.org.identities[who]
        act = Act(
            case=case,
            seq=more.pop("seq", current.next_seq),
            prev=more.pop("prev", current.head),
            kind=kind,
            source=more.pop("source", current.present.state),
            target=target or current.present.state,
            message=None if sealed is None else message_hash(sealed),
            day=more.pop("day", self.day),
            signer=DeviceKey(public_from_seed(identity.device_seed).hex()),
            **more,
        )
        return Submission(act, sign_act(identity.device_seed, act), sealed)

    def submit(
        self, case: CaseId, who: str, target: State | None = None, **more: Any
    ) -> tuple[Status, Overview]:
        submission = self.submission(case, who, target, **more)
        return self.office.submit(case, self.person(who), submission, self.rules())

    def confirm(self, case: CaseId, who: str) -> Overview:
        proposal = self.file(case).overview.proposal
        assert proposal is not None
        signature = self.countersign(proposal.signed.act, who)
        return self.office.confirm(case, self.person(who), proposal.hash, signature, self.rules())

    def countersign(self, act: Act, who: str) -> bytes:
        return countersign_act(self.org.identities[who].device_seed, act)

    def close(self, case: CaseId, target: State = State.UPHELD_FIXED, **more: Any) -> None:
        """Both persons at once."""
        first = self.assignee(case)
        second = "pengawas" if first != "pengawas" else "penyidik-1"
        self.submit(case, first, target, **more)
        self.confirm(case, second)


def load_manifest(org: Org) -> Manifest:
    """The manifest that lies in the folder."""
    data, signature = ((org.dir / f"manifest.{end}").read_bytes() for end in ("json", "sig"))
    return verify_manifest(data, signature, org.instance_id, TODAY)


@contextmanager
def an_office(folder: Path) -> Iterator[Office]:
    """An office in an empty folder."""
    org = make_org(folder, TODAY, people=PEOPLE)
    store = open_store(folder / "cases.db", DB_KEY)
    manifest = load_manifest(org)
    key = ServiceKey(org.service_seeds["cases"])
    try:
        yield Office(org, store, CaseOffice(store, key, system_rng), manifest)
    finally:
        store.close()
