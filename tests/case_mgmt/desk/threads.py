# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sealed threads without any server, for tests of opening and composing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from case_mgmt.acts import Act, SignedAct, message_hash, sign_act
from case_mgmt.desk.composing import Author
from case_mgmt.desk.history import Entry
from case_mgmt.desk.opening import Lens, OpenedThread, StoredMessage, open_thread
from case_mgmt.model import NO_ACT, ActKind, CaseId, DeviceKey, State
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
from crypto.manifest import Manifest, verify_manifest
from crypto.receipt import ReceiptKeys, derive, generate
from crypto.rng import system_rng
from crypto.signing import public_from_seed
from crypto.xwing import identity_to_age
from tests.support.org import Org, make_org

DAY = date(2026, 4, 7)
CASE = CaseId("WH-0123ABCD")
PEOPLE = ("penyidik-1", "penyidik-2", "pengawas")


@dataclass
class Thread:
    """A reporter's sealed messages, built one by one; keyword arguments change the frame."""

    org: Org
    manifest: Manifest
    keys: ReceiptKeys
    stored: list[StoredMessage] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)

    def lens(self, person: str = "penyidik-1", **changes: Any) -> Lens:
        values = {
            "seed": self.org.identities[person].recipient_seed,
            "manifest": self.manifest,
            "thread": self.keys.lookup_id,
        }
        return Lens(**{**values, **changes})

    def open(self, person: str = "penyidik-1", **more: Any) -> OpenedThread:
        return open_thread(self.lens(person), self.stored, **more)

    def codes(self, person: str = "penyidik-1", **more: Any) -> list[str]:
        return [remark.code for remark in self.open(person, **more).remarks]

    def author(self, person: str = "penyidik-1") -> Author:
        return Author(self.org.identities[person], DAY, system_rng)

    def report(
        self, fields: Mapping[str, str] | None = None, names: Sequence[str] = (), **changes: Any
    ) -> None:
        refs = tuple(attachment(name) for name in names)
        identity = changes.pop("reply_identity", identity_to_age(self.keys.reply_seed))
        body = ReportBody("id", "report@1", fields or {"story": "Cerita."}, identity, refs)
        self.add("report", FrameType.REPORT, body.encode(), refs, **changes)

    def follow_up(self, text: str = "Lanjutan.", names: Sequence[str] = (), **changes: Any) -> None:
        refs = tuple(attachment(name) for name in names)
        body = FollowUpBody("id", "message", text, refs)
        self.add("follow_up", FrameType.FOLLOW_UP, body.encode(), refs, **changes)

    def add(
        self,
        kind: Any,
        frame_type: FrameType,
        body: bytes,
        refs: Sequence[AttachmentRef] = (),
        **changes: Any,
    ) -> None:
        seed = changes.pop("sign_seed", self.keys.sign_seed)
        people = changes.pop("people", PEOPLE)
        blobs = changes.pop("blobs", {ref.id: ref.padded for ref in refs})
        recipients = [self.org.identities[person].recipient for person in people]
        frame = Frame(
            type=frame_type,
            origin=Origin.ARRIVAL,
            instance_id=self.org.instance_id,
            thread_id=self.keys.lookup_id,
            message_id=system_rng(16),
            prev=NO_PREVIOUS,
            recipients_digest=recipients_digest(recipients),
            day=day_number(DAY),
            body=body,
        )
        raw = encode_frame(replace(frame, **changes), seed)
        self.hashes.append(frame_hash(raw))
        container = seal_message(raw, recipients, system_rng)
        self.stored.append(StoredMessage(str(len(self.stored)), kind, DAY, container, blobs))


def attachment(name: str) -> AttachmentRef:
    sealer = AttachmentSealer(system_rng)
    sealer.update(b"isi")
    return replace(sealer.final("x", "image/jpeg")[1], name=name)


def make_thread(tmp_path: Path) -> Thread:
    """An organisation and an empty thread."""
    org = make_org(tmp_path, DAY)
    return Thread(org, manifest_of(org), derive(generate(system_rng), org.instance_id))


def remanifest(
    org: Org, people: Mapping[str, Mapping[str, Any] | None], **changes: Any
) -> Manifest:
    """The next manifest: None removes a person, a mapping changes one."""
    listed = [
        {**person, **(people.get(person["id"]) or {})}
        for person in org.manifest["people"]
        if people.get(person["id"], {}) is not None
    ]
    org.rewrite(people=listed, serial=org.manifest["serial"] + 1, **changes)
    return manifest_of(org)


def manifest_of(org: Org) -> Manifest:
    """The organisation's manifest as it lies in its folder."""
    data, signature = ((org.dir / name).read_bytes() for name in ("manifest.json", "manifest.sig"))
    return verify_manifest(data, signature, org.instance_id, DAY)


@dataclass
class Chain:
    """Signed acts of one case, extended by whoever is asked to sign."""

    org: Org
    entries: list[Entry] = field(default_factory=list)

    def seed(self, signer: str) -> bytes:
        if signer in self.org.service_seeds:
            return self.org.service_seeds[signer]
        return self.org.identities[signer].device_seed

    def add(
        self, signer: str, kind: ActKind, target: State, container: bytes | None = None, **more: Any
    ) -> SignedAct:
        last = self.entries[-1].signed if self.entries else None
        values: dict[str, Any] = {
            "case": CASE,
            "seq": 1 if last is None else last.act.seq + 1,
            "prev": NO_ACT if last is None else last.hash,
            "kind": kind,
            "source": None if last is None else last.act.target,
            "target": target,
            "message": None if container is None else message_hash(container),
            "day": DAY,
            "signer": DeviceKey(public_from_seed(self.seed(signer)).hex()),
        }
        act = Act(**{**values, **more})
        signed = SignedAct(act, sign_act(self.seed(signer), act))
        self.entries.append(Entry(signed, container))
        return signed

    def received(self) -> None:
        self.add("cases", ActKind.RECEIVED, State.RECEIVED)
