# SPDX-License-Identifier: AGPL-3.0-or-later
"""A reporter whose own device seals: docs/spec/client-api.md over HTTP, nothing else."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import aiohttp

from crypto.attachment import AttachmentSealer
from crypto.body import AttachmentRef, FollowUpBody, ReportBody
from crypto.bundle import BundleBlob, BundleHead, sign_bundle
from crypto.encoding import b64, day_number, unb64
from crypto.envelope import seal_message
from crypto.frame import NO_PREVIOUS, Frame, FrameType, Origin, encode_frame, recipients_digest
from crypto.mailbox import seal_own_copy
from crypto.promise import commitment
from crypto.receipt import Receipt, ReceiptKeys, derive, generate
from crypto.rng import system_rng
from crypto.xwing import Recipient, identity_to_age, recipient_from_seed
from tests.support.org import Org
from whistle.intake.dossier import seal_dossier
from whistle.intake.reporter_keys import Action, sign_action
from whistle.limits import PIECE

DAY = date(2026, 4, 7)


@dataclass(frozen=True)
class SealedFile:
    """One attachment, sealed, with the key of its upload."""

    data: bytes
    reference: AttachmentRef
    key: bytes = field(default_factory=lambda: system_rng(32))

    @property
    def id(self) -> str:
        return self.reference.id

    @property
    def pieces(self) -> list[bytes]:
        return [self.data[at : at + PIECE] for at in range(0, len(self.data), PIECE)]

    @property
    def headers(self) -> dict[str, str]:
        return {"Whistle-Upload": b64(self.key), "Whistle-Size": str(len(self.data))}

    @property
    def claim(self) -> dict[str, Any]:
        return {"id": self.id, "size": len(self.data), "upload": b64(self.key)}


def seal_file(content: bytes, name: str = "foto.jpg", kind: str = "image/jpeg") -> SealedFile:
    """Seal one attachment."""
    sealer = AttachmentSealer(system_rng)
    head = sealer.update(content)
    tail, reference = sealer.final(name, kind)
    return SealedFile(head + tail, reference)


@dataclass
class Sealer:
    """Makes sealed reports and messages of one receipt for one organisation."""

    org: Org
    receipt: Receipt = field(default_factory=lambda: generate(system_rng))
    origin: Origin = Origin.BROWSER

    @property
    def keys(self) -> ReceiptKeys:
        return derive(self.receipt, self.org.instance_id)

    @property
    def people(self) -> list[str]:
        return list(self.org.identities)

    def container(self, kind: FrameType, body: bytes, message_id: bytes) -> bytes:
        recipients = self._recipients()
        frame = Frame(
            type=kind, origin=self.origin, instance_id=self.org.instance_id,
            thread_id=self.keys.lookup_id, message_id=message_id, prev=NO_PREVIOUS,
            recipients_digest=recipients_digest(recipients), day=day_number(DAY), body=body,
        )  # fmt: skip
        return seal_message(encode_frame(frame, self.keys.sign_seed), recipients, system_rng)

    def report(self, story: str, files: Sequence[SealedFile] = ()) -> dict[str, Any]:
        """Everything of POST /api/v1/reports but nonce and signature."""
        keys = self.keys
        body = ReportBody(
            lang="id", form="report@1", fields={"story": story},
            reply_identity=identity_to_age(keys.reply_seed),
            attachments=tuple(one.reference for one in files),
        )  # fmt: skip
        return {
            "lookup_id": keys.lookup_id.hex(),
            "auth_public": keys.auth_public.hex(),
            "mailbox_key": keys.mailbox_key.hex(),
            "commitment": commitment(keys).hex(),
            "dossier": b64(seal_dossier(keys.state_key, keys.lookup_id, frozenset(), system_rng)),
            "recipients": self.people,
            "container": b64(self.container(FrameType.REPORT, body.encode(), system_rng(16))),
            "blobs": [one.claim for one in files],
        }

    def message(
        self, text: str, files: Sequence[SealedFile] = (), intent: Any = "message"
    ) -> dict[str, Any]:
        """Everything of POST /api/v1/threads/append but nonce and signature."""
        keys, message_id = self.keys, system_rng(16)
        body = FollowUpBody("id", intent, text, tuple(one.reference for one in files))
        own = json.dumps({"intent": intent, "text": text, "files": len(files), "seen": 0})
        box = seal_own_copy(keys.state_key, keys.lookup_id, message_id, own, system_rng)
        return {
            "lookup_id": keys.lookup_id.hex(),
            "intent": intent,
            "recipients": self.people,
            "container": b64(self.container(FrameType.FOLLOW_UP, body.encode(), message_id)),
            "own": {"id": message_id.hex(), "box": b64(box)},
            "blobs": [one.claim for one in files],
        }

    def signed(self, nonce: str, action: Action) -> dict[str, str]:
        """The members that prove who asks."""
        keys = self.keys
        signature = sign_action(
            keys.auth_seed, self.org.instance_id, bytes.fromhex(nonce), action, keys.lookup_id
        )
        return {"lookup_id": keys.lookup_id.hex(), "nonce": nonce, "signature": b64(signature)}

    def bundle(self, story: str, files: Sequence[SealedFile] = ()) -> bytes:
        """A report as a file."""
        keys, value = self.keys, self.report(story, files)
        container = unb64(value["container"])
        head = BundleHead(
            lookup_id=keys.lookup_id, auth_public=keys.auth_public,
            signature=sign_bundle(
                keys.auth_seed, self.org.instance_id, keys.lookup_id, container
            ),
            mailbox_key=keys.mailbox_key, commitment=commitment(keys),
            dossier=unb64(value["dossier"]), recipients=tuple(value["recipients"]),
            container=len(container),
            blobs=tuple(BundleBlob(one.id, len(one.data)) for one in files),
        )  # fmt: skip
        return head.encode() + container + b"".join(one.data for one in files)

    def _recipients(self) -> list[Recipient]:
        return [recipient_from_seed(one.recipient_seed) for one in self.org.identities.values()]


class SealedClient:
    """Speaks the client interface."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))

    async def __aenter__(self) -> "SealedClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def call(
        self, method: str, path: str, value: Any = None, **headers: str
    ) -> tuple[int, Any]:
        """Send JSON (or bytes); return status and answer."""
        raw = value if value is None or isinstance(value, bytes) else json.dumps(value).encode()
        data = None if raw is None else io.BytesIO(raw)
        async with self._session.request(
            method, self._base + path, data=data, headers=headers
        ) as answer:
            return answer.status, await answer.json(content_type="application/json")

    async def nonce(self) -> str:
        return str((await self.call("GET", "/api/v1/nonce"))[1]["nonce"])

    async def put(self, file: SealedFile, number: int, data: bytes | None = None) -> int:
        """Send one piece; return the status."""
        piece = file.pieces[number] if data is None else data
        path = f"/api/v1/blobs/{file.id}/{number}"
        return (await self.call("PUT", path, piece, **file.headers))[0]

    async def upload(self, file: SealedFile) -> None:
        """Send what is missing of a file."""
        _, state = await self.call("GET", f"/api/v1/blobs/{file.id}", **file.headers)
        for number in range(len(file.pieces)):
            if number not in state["received"]:
                status = await self.put(file, number)
                if status != 200:
                    raise RuntimeError(f"piece {number}: {status}")

    async def post(
        self, path: str, sealer: Sealer, value: dict[str, Any], action: Action = Action.APPEND
    ) -> tuple[int, Any]:
        """Sign and send."""
        proof = sealer.signed(await self.nonce(), action)
        return await self.call("POST", path, {**proof, **value})

    async def report(self, sealer: Sealer, value: dict[str, Any]) -> tuple[int, Any]:
        return await self.post("/api/v1/reports", sealer, value)

    async def append(self, sealer: Sealer, value: dict[str, Any]) -> tuple[int, Any]:
        return await self.post("/api/v1/threads/append", sealer, value)

    async def read(self, sealer: Sealer) -> tuple[int, Any]:
        return await self.post("/api/v1/threads/read", sealer, {}, Action.READ)
