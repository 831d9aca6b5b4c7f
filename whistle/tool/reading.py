# SPDX-License-Identifier: AGPL-3.0-or-later
"""Fetches a thread with a receipt code, opens it here, and checks who signed each step.

Invariants:

* the code never leaves this process: only `lookup_id` and a signature do;
* every visible act is checked: its place, its signature by a person of the key list (or by the
  case server, for what arrival and reporter cause), a second person's signature on a closing, its
  link to the act before where both are visible, and that its message is by the same signer;
* what does not hold is named beside the act and makes the whole answer unverified.

Source: docs/spec/receipt.md, docs/spec/acts.md.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from case_mgmt.acts import (
    Act,
    SignedAct,
    message_hash,
    verify_act,
    verify_countersignature,
)
from case_mgmt.errors import ActFormatError
from case_mgmt.model import CLOSINGS, ActKind, DeviceKey
from crypto.encoding import parse_day, unb64, unhex
from crypto.errors import AuthenticationError, CryptoError
from crypto.mailbox import Notice, open_notice, open_reply
from crypto.manifest import Manifest
from crypto.receipt import Receipt, ReceiptKeys, derive
from whistle.intake.records import OwnMessage, ThreadView
from whistle.intake.replies import History, Office, read_thread
from whistle.intake.standing import CASES_SERVICE, SERVICE_HOLDER, Signers
from whistle.tool.errors import NetworkError, ToolError
from whistle.tool.keylist import KeyList
from whistle.tool.network import Site
from whistle.tool.sending import ACTION_READ, prove

_SERVICE_KINDS: Final = frozenset(
    {ActKind.RECEIVED, ActKind.FOLLOW_UP, ActKind.CONTEST, ActKind.WITHDRAW, ActKind.ASSIGN}
)


@dataclass(frozen=True)
class CheckedAct:
    """One visible act: who signed it, and what does not hold (nothing: verified)."""

    seq: int
    act: Act | None
    signer: str
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Reading:
    """What a code shows."""

    history: History
    acts: tuple[CheckedAct, ...]

    @property
    def is_verified(self) -> bool:
        """Whether every act holds."""
        return not any(act.problems for act in self.acts)


async def read(site: Site, receipt: Receipt, keys: KeyList, today: date) -> Reading:
    """Fetch and open everything of a thread. Raises: NetworkError; ToolError: unknown code."""
    own = derive(receipt, keys.instance_id)
    proof = await prove(site, own, keys.instance_id, ACTION_READ)
    thread = parse_thread(await site.json("POST", "/api/v1/threads/read", proof))
    office = Office(keys.instance_id, Signers.of(keys.manifest), keys.policy)
    history = read_thread(thread, own, office, today)
    return Reading(history, check_acts(thread, own, keys.manifest))


def parse_thread(answer: dict[str, Any]) -> ThreadView:
    """Read the intake's answer. Raises: ToolError: no such thread; NetworkError: nonsense."""
    if answer.get("day") is None:
        raise ToolError("tool.unknown_code")
    try:
        return ThreadView(
            day=parse_day(answer["day"]),
            dossier=b"",
            boxes=tuple((int(each["seq"]), unb64(each["box"])) for each in answer["boxes"]),
            own=tuple(
                OwnMessage(unhex(each["id"], 16), parse_day(each["day"]), unb64(each["box"]))
                for each in answer["own"]
            ),
        )
    except (CryptoError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise NetworkError("tool.answer") from error


def check_acts(thread: ThreadView, keys: ReceiptKeys, manifest: Manifest) -> tuple[CheckedAct, ...]:
    """Check every notice of a thread, in order of their places."""
    checked: list[CheckedAct] = []
    before: SignedAct | None = None
    for seq, box in sorted(thread.boxes):
        try:
            notice = open_notice(keys.mailbox_key, keys.lookup_id, seq, box)
            signed = _signed(notice)
        except (CryptoError, ActFormatError, TypeError, ValueError):
            checked.append(CheckedAct(seq, None, "", ("unreadable",)))
            continue
        problems = [
            *_place_problems(seq, signed, before),
            *_signer_problems(signed, manifest),
            *_second_problems(signed, manifest),
            *_message_problems(notice, signed.act, keys, manifest.instance_id),
        ]
        checked.append(CheckedAct(seq, signed.act, _name(signed.act, manifest), tuple(problems)))
        before = signed
    return tuple(checked)


def _signed(notice: Notice) -> SignedAct:
    second = notice.meta.get("countersigner")
    countersignature = notice.meta.get("countersignature")
    return SignedAct(
        Act.from_object(notice.meta.get("act")),
        unb64(str(notice.meta.get("signature"))),
        None if second is None else DeviceKey(unhex(second, 32).hex()),
        None if countersignature is None else unb64(str(countersignature)),
    )


def _place_problems(seq: int, signed: SignedAct, before: SignedAct | None) -> list[str]:
    act = signed.act
    if act.seq != seq or (before is None and seq == 1 and act.kind is not ActKind.RECEIVED):
        return ["place"]
    if before is None:
        return []
    gone_back = act.day < before.act.day or act.case != before.act.case
    adjacent = act.seq == before.act.seq + 1
    broken = adjacent and (act.prev != before.hash or act.source != before.act.target)
    return ["place"] if gone_back or broken else []


def _signer_problems(signed: SignedAct, manifest: Manifest) -> list[str]:
    act = signed.act
    problems = []
    try:
        verify_act(act, signed.signature)
    except AuthenticationError:
        problems.append("signature")
    holder, _standing = Signers.of(manifest).look_up(act.signer)
    if act.kind in _SERVICE_KINDS:
        allowed = holder == SERVICE_HOLDER or act.kind is ActKind.ASSIGN
    else:
        allowed = holder not in {None, SERVICE_HOLDER}
    return problems if allowed else [*problems, "signer"]


def _second_problems(signed: SignedAct, manifest: Manifest) -> list[str]:
    act = signed.act
    closing = act.kind is ActKind.TRANSITION and act.target in CLOSINGS
    if signed.countersigner is None or signed.countersignature is None:
        half = (signed.countersigner is None) != (signed.countersignature is None)
        return ["second"] if closing or half else []
    signers = Signers.of(manifest)
    second, _standing = signers.look_up(signed.countersigner)
    if second in {None, SERVICE_HOLDER, signers.look_up(act.signer)[0]}:
        return ["second"]
    try:
        verify_countersignature(act, signed.countersigner, signed.countersignature)
    except AuthenticationError:
        return ["second"]
    return []


def _message_problems(notice: Notice, act: Act, keys: ReceiptKeys, instance_id: bytes) -> list[str]:
    if notice.container is None:
        return ["message"] if act.message is not None else []
    if act.message != message_hash(notice.container):
        return ["message"]
    try:
        frame, _raw = open_reply(keys, notice.container, instance_id)
    except CryptoError:
        return ["message"]
    same = frame.sender is not None and frame.sender.hex() == act.signer
    return [] if same else ["message"]


def _name(act: Act, manifest: Manifest) -> str:
    person = manifest.person_by_desk_key(bytes.fromhex(act.signer))
    if person is not None:
        return person.name
    holder, _standing = Signers.of(manifest).look_up(act.signer)
    return CASES_SERVICE if holder == SERVICE_HOLDER else holder or ""
