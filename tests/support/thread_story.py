# SPDX-License-Identifier: AGPL-3.0-or-later
"""Threads as an intake would hand them out, without one: honest, and as a lying office makes them.

Nothing is drawn but from a counter, so that every run asks the same.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from case_mgmt.acts import Act, SignedAct, act_hash, countersign_act, message_hash, sign_act
from case_mgmt.model import ActKind, DeviceKey, State
from case_mgmt.notices import notice_for
from case_mgmt.policy import Policy, parse_policy
from crypto.body import ReplyBody
from crypto.domains import Domain
from crypto.encoding import b64, canonical_json, day_number, label
from crypto.envelope import seal_message
from crypto.frame import NO_PREVIOUS, Frame, FrameType, Origin, encode_frame, recipients_digest
from crypto.mailbox import NOTICE_SIZES, seal_own_copy
from crypto.manifest import Manifest, verify_manifest
from crypto.padding import bucket
from crypto.receipt import Receipt, ReceiptKeys, derive
from crypto.signing import public_from_seed, sign
from crypto.xwing import recipient_from_seed
from tests.support.history import OFFICER, SERVICE, History, key, seed
from tests.support.org import make_org
from tests.support.vectors import counting_rng
from whistle.intake.records import OwnMessage, ThreadView
from whistle.intake.replies import Office
from whistle.intake.standing import Signers

ARRIVAL = date(2026, 4, 7)
SECOND = "device pengawas"
GONE = "device penyidik-lama"
OLD_KEY = "device old penyidik-1"
OLD_SERVICE = "service old"
STRANGER = "device nobody"
MESSAGE_ACTS = frozenset({ActKind.TRANSITION, ActKind.UPDATE, ActKind.EXTEND})
RECEIPT = Receipt(seed("thread receipt")[:16])


@dataclass(frozen=True)
class Published:
    """What an organisation has published, and what follows from it."""

    manifest_bytes: bytes
    signature: bytes
    policy_bytes: bytes
    instance_id: bytes
    manifest: Manifest
    policy: Policy
    keys: ReceiptKeys

    @property
    def office(self) -> Office:
        return Office(self.instance_id, Signers.of(self.manifest), self.policy)


@cache
def published() -> Published:
    """One organisation, with a person and a service key that are former."""
    with TemporaryDirectory() as folder:
        org = make_org(Path(folder), ARRIVAL, serial=2, former=[
            {"id": "penyidik-1", "desk": key(OLD_KEY), "until_serial": 1},
            {"id": "penyidik-lama", "desk": key(GONE), "until_serial": 1},
        ], former_services=[
            {"id": "cases", "key": key(OLD_SERVICE), "until_serial": 1},
            {"id": "intake", "key": key("service intake old"), "until_serial": 1},
        ])  # fmt: skip
        names = ("manifest.json", "manifest.sig", "policy.json")
        data, signature, policy = ((org.dir / name).read_bytes() for name in names)
    return Published(
        manifest_bytes=data,
        signature=signature,
        policy_bytes=policy,
        instance_id=org.instance_id,
        manifest=verify_manifest(data, signature, org.instance_id, ARRIVAL),
        policy=parse_policy(policy),
        keys=derive(RECEIPT, org.instance_id),
    )


@dataclass
class Story:
    """A thread that grows; what goes into the mailbox need not be what happened."""

    name: str
    day: date = ARRIVAL
    today: date = ARRIVAL
    history: History = field(default_factory=History)
    boxes: list[tuple[int, bytes]] = field(default_factory=list)
    own: list[OwnMessage] = field(default_factory=list)
    last_reply: bytes = b""

    def __post_init__(self) -> None:
        self.rng = counting_rng(self.name)

    # --- what happens -------------------------------------------------------------------------

    def pass_days(self, days: int) -> "Story":
        """Let days go by, for everybody."""
        self.day += timedelta(days=days)
        self.today = self.day
        return self

    def received(self, **more: Any) -> "Story":
        """The first notice."""
        return self.act(ActKind.RECEIVED, State.RECEIVED, **more)

    def move(self, target: State, **more: Any) -> "Story":
        """A step of the office."""
        return self.act(ActKind.TRANSITION, target, **more)

    def stay(self, kind: ActKind, **more: Any) -> "Story":
        """An act that leaves the code as it is."""
        state = self.history.state
        if state is None:
            raise ValueError("nothing has happened yet")
        return self.act(kind, state, **more)

    def act(self, kind: ActKind, target: State, **more: Any) -> "Story":
        """Add an act and its notice; `notice` alters the notice's facts, `reply` its message."""
        told: Mapping[str, Any] = more.pop("notice", {})
        reply: bytes | None = more.pop("reply", None)
        signer = more.setdefault("signer", OFFICER if kind in MESSAGE_ACTS else SERVICE)
        if kind in MESSAGE_ACTS and "message" not in more:
            reply = reply or self.reply(f"{kind} {target}", signer, target)
            more["message"] = message_hash(reply)
        self.history.add(kind, target, self.day, **more)
        return self.tell(reply, **told)

    def tell(self, reply: bytes | None, seq: int = 0, **facts: Any) -> "Story":
        """Put the notice of the last act into the mailbox."""
        meta = self.meta()
        meta.update(facts)
        return self.put(canonical_json(meta), reply, seq)

    def meta(self) -> dict[str, Any]:
        """The facts of the last act."""
        history = self.history
        return notice_for(history.items[-1], history.acts, published().policy, None).meta

    def put(self, meta: bytes, reply: bytes | None = None, seq: int = 0) -> "Story":
        """Seal any bytes as the facts of a notice."""
        place, keys = seq or len(self.history.items), published().keys
        content = struct.pack(">II", len(meta), len(reply or b"")) + meta + (reply or b"")
        plain = content.ljust(bucket(len(content), NOTICE_SIZES), b"\0")
        where = label(Domain.NOTICE, keys.lookup_id, struct.pack(">I", place))
        nonce = self.rng(12)
        box = nonce + ChaCha20Poly1305(keys.mailbox_key).encrypt(nonce, plain, where)
        self.boxes.append((place, box))
        return self

    def change(self, signer: str, second: str | None = None, **changes: Any) -> "Story":
        """Alter the last act, sign it again and tell that instead."""
        self.history.items[-1] = resigned(self.history.items[-1], signer, second, **changes)
        del self.boxes[-1]
        return self

    def raw(self, **changes: Any) -> "Story":
        """Tell the last act with members that no `Act` can have, validly signed; `...`: without."""
        members = {**self.history.items[-1].act.to_object(), **changes}
        members = {name: value for name, value in members.items() if value is not ...}
        covered = bytes.fromhex(act_hash(canonical_json(members)))
        signature = b64(sign(seed(OFFICER), Domain.ACT_SIGNATURE, covered))
        del self.boxes[-1]
        meta = {**self.meta(), "act": members, "signature": signature}
        return self.put(canonical_json(meta), self.last_reply)

    def wrote(self, intent: str, text: str = "Dari pelapor.", **changes: Any) -> "Story":
        """Keep the reporter's own copy of a message; `copy` replaces its text altogether."""
        whole = changes.pop("copy", None)
        copy = {"intent": intent, "text": text, "files": 0, "seen": len(self.boxes), **changes}
        content = whole or canonical_json(copy).decode()
        keys, message = published().keys, self.rng(16)
        box = seal_own_copy(keys.state_key, keys.lookup_id, message, content, self.rng)
        self.own.append(OwnMessage(message, self.day, box))
        return self

    def reply(
        self, text: str, signer: str, target: State, body: bytes | None = None, **frame: Any
    ) -> bytes:
        """A message to the reporter; `body` and `frame` make it another than it should be."""
        open_to = recipient_from_seed(frame.pop("seed", published().keys.reply_seed))
        day = self.day.isoformat()
        said = ReplyBody(lang="id", status=target.value, reason=None, text=text, day=day)
        made = Frame(
            type=FrameType.REPLY,
            origin=Origin.DESK,
            instance_id=published().instance_id,
            thread_id=published().keys.lookup_id,
            message_id=self.rng(16),
            prev=NO_PREVIOUS,
            recipients_digest=recipients_digest([open_to]),
            day=day_number(self.day),
            body=said.encode() if body is None else body,
            sender=public_from_seed(seed(signer)),
        )
        whole = replace(made, **frame)
        data = encode_frame(whole, seed(signer) if whole.sender is not None else None)
        self.last_reply = seal_message(data, [open_to], self.rng)
        return self.last_reply

    # --- what is handed out ---------------------------------------------------------------------

    @property
    def view(self) -> ThreadView:
        """As the intake's own pages get it."""
        boxes = tuple(sorted(self.boxes, key=lambda box: box[0]))
        return ThreadView(ARRIVAL, b"", boxes, tuple(self.own))

    @property
    def answer(self) -> dict[str, Any]:
        """As a client gets it."""
        return {
            "day": ARRIVAL.isoformat(),
            "boxes": [{"seq": seq, "box": b64(box)} for seq, box in self.boxes],
            "own": [
                {"id": one.message_id.hex(), "day": one.day.isoformat(), "box": b64(one.box)}
                for one in self.own
            ],
        }


def resigned(item: SignedAct, signer: str, second: str | None, **changes: Any) -> SignedAct:
    """Another act, signed as if it were the true one."""
    act: Act = replace(item.act, **{"signer": key(signer), **changes})
    if second is None:
        return SignedAct(act, sign_act(seed(signer), act))
    proof = countersign_act(seed(second), act)
    return SignedAct(act, sign_act(seed(signer), act), DeviceKey(key(second)), proof)
