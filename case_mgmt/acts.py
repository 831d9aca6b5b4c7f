# SPDX-License-Identifier: AGPL-3.0-or-later
"""An act: one signed step in the life of a case, linked to the one before it.

Invariants
* One meaning, one encoding: `Act.parse` accepts only bytes that `Act.encode` would give.
* The hash covers every field; the signature covers the hash in its own domain, and a
  countersignature lies in another domain, so neither can stand in for the other.
* `verify_chain` holds for every prefix of a case's history.

Not checked here: whether the step is allowed (gate.py) or who the signer is (manifest).

Specification: docs/spec/acts.md, sections 3 and 4.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final

from case_mgmt.errors import ActFormatError
from case_mgmt.model import NO_ACT, ActHash, ActKind, CaseId, DeviceKey, PersonId, State
from crypto.domains import Domain
from crypto.encoding import canonical_json, label, parse_day, parse_json
from crypto.errors import AuthenticationError, MalformedError
from crypto.rng import Rng
from crypto.signing import sign, verify

MAX_ACT_BYTES: Final = 4096
MAX_UNTIL_DAYS: Final = 1000
"""How far after its own day an act may extend; policies allow far less."""
MAX_SEQ: Final = 2**31 - 1
FIRST_SEQ: Final = 1

_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CASE_ID: Final = re.compile(rf"WH-[{_CROCKFORD}]{{8}}")
_HEX_32: Final = re.compile(r"[0-9a-f]{64}")
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,47}")
_PERSON: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True, kw_only=True)
class Act:
    """The content of one act; `source` and `target` are `from` and `to` in JSON."""

    case: CaseId
    seq: int
    prev: ActHash
    kind: ActKind
    source: State | None
    target: State
    reason: str | None = None
    message: str | None = None
    """SHA-256 of the sealed message to the reporter, 64 hexadecimal digits."""
    day: date
    signer: DeviceKey
    until: date | None = None
    assignee: PersonId | None = None

    def to_object(self) -> dict[str, Any]:
        """The JSON object of the act."""
        return {
            "v": 1,
            "case": self.case,
            "seq": self.seq,
            "prev": self.prev,
            "kind": self.kind.value,
            "from": None if self.source is None else self.source.value,
            "to": self.target.value,
            "reason": self.reason,
            "message": self.message,
            "day": self.day.isoformat(),
            "signer": self.signer,
            "until": None if self.until is None else self.until.isoformat(),
            "assignee": self.assignee,
        }

    def encode(self) -> bytes:
        """The canonical bytes that are hashed and signed."""
        return canonical_json(self.to_object())

    @classmethod
    def parse(cls, data: bytes) -> "Act":
        """The act of these bytes.  Raises ActFormatError unless they are its one encoding."""
        try:
            obj = parse_json(data, max_bytes=MAX_ACT_BYTES)
        except MalformedError as error:
            raise ActFormatError("an act is strict JSON") from error
        act = cls.from_object(obj)
        if act.encode() != data:
            raise ActFormatError("an act is canonical JSON")
        return act

    @classmethod
    def from_object(cls, obj: Any) -> "Act":
        """The act of a parsed JSON object.  Raises ActFormatError."""
        if not isinstance(obj, dict) or set(obj) != _KEYS or obj["v"] != 1 or obj["v"] is True:
            raise ActFormatError("an act has exactly the fields of version 1")
        try:
            day = parse_day(obj["day"])
            return cls(
                case=CaseId(_match(obj["case"], CASE_ID)),
                seq=_seq(obj["seq"]),
                prev=ActHash(_match(obj["prev"], _HEX_32)),
                kind=ActKind(_match(obj["kind"], _CODE)),
                source=None if obj["from"] is None else State(_match(obj["from"], _CODE)),
                target=State(_match(obj["to"], _CODE)),
                reason=_optional(obj["reason"], _CODE),
                message=_optional(obj["message"], _HEX_32),
                day=day,
                signer=DeviceKey(_match(obj["signer"], _HEX_32)),
                until=None if obj["until"] is None else _until(obj["until"], day),
                assignee=_person(obj["assignee"]),
            )
        except (ValueError, MalformedError) as error:
            raise ActFormatError("a field of the act is malformed") from error


def _until(value: object, day: date) -> date:
    """An extension's last day, near enough to the act for every calendar to count on from there."""
    until = parse_day(value)
    if (until - day).days > MAX_UNTIL_DAYS:
        raise ValueError("beyond any policy")
    return until


_NAMES: Final = {"source": "from", "target": "to"}
_KEYS: Final = {"v"} | {_NAMES.get(field.name, field.name) for field in fields(Act)}


@dataclass(frozen=True)
class SignedAct:
    """An act as the ledger keeps it."""

    act: Act
    signature: bytes
    countersigner: DeviceKey | None = None
    countersignature: bytes | None = None

    @property
    def hash(self) -> ActHash:
        """The hash the next act names as its predecessor."""
        return act_hash(self.act.encode())


def act_hash(data: bytes) -> ActHash:
    """The hash of the canonical bytes of an act."""
    return ActHash(hashlib.sha256(label(Domain.ACT, data)).hexdigest())


def message_hash(container: bytes) -> str:
    """What an act names as its message."""
    return hashlib.sha256(container).hexdigest()


def sign_act(seed: bytes, act: Act) -> bytes:
    """The signer's 64-byte signature."""
    return sign(seed, Domain.ACT_SIGNATURE, _hash_bytes(act))


def countersign_act(seed: bytes, act: Act) -> bytes:
    """The second person's 64-byte signature."""
    return sign(seed, Domain.ACT_COUNTERSIGNATURE, _hash_bytes(act))


def verify_act(act: Act, signature: bytes) -> None:
    """Check the signature against the key the act names.  Raises AuthenticationError."""
    verify(bytes.fromhex(act.signer), signature, Domain.ACT_SIGNATURE, _hash_bytes(act))


def verify_countersignature(act: Act, signer: DeviceKey, signature: bytes) -> None:
    """Check the second person's signature.  Raises AuthenticationError."""
    verify(bytes.fromhex(signer), signature, Domain.ACT_COUNTERSIGNATURE, _hash_bytes(act))


def verify_chain(history: Iterable[SignedAct]) -> ActHash:
    """Check numbers, links, order of days and signatures of one case; give the head.

    Raises ActFormatError for a broken chain and AuthenticationError for a wrong signature.
    """
    head, case, day, state = NO_ACT, None, date.min, None
    for seq, item in enumerate(history, FIRST_SEQ):
        act = item.act
        linked = act.seq == seq and act.prev == head and act.source == state
        if not linked or act.day < day or case not in (None, act.case):
            raise ActFormatError("the acts of a case form one chain")
        verify_act(act, item.signature)
        _verify_second(item)
        head, case, day, state = item.hash, act.case, act.day, act.target
    return head


def new_case_id(rng: Rng) -> CaseId:
    """A random case id."""
    number = int.from_bytes(rng(5))
    return CaseId("WH-" + "".join(_CROCKFORD[number >> 5 * place & 31] for place in range(8)))


def _verify_second(item: SignedAct) -> None:
    if item.countersigner is None and item.countersignature is None:
        return
    if item.countersigner is None or item.countersignature is None:
        raise AuthenticationError("half a countersignature")
    if item.countersigner == item.act.signer:
        raise AuthenticationError("the second signature is by the first signer")
    verify_countersignature(item.act, item.countersigner, item.countersignature)


def _hash_bytes(act: Act) -> bytes:
    return bytes.fromhex(act_hash(act.encode()))


def _match(value: Any, pattern: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError("not of the expected form")
    return value


def _optional(value: Any, pattern: re.Pattern[str]) -> str | None:
    return None if value is None else _match(value, pattern)


def _person(value: Any) -> PersonId | None:
    return None if value is None else PersonId(_match(value, _PERSON))


def _seq(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not FIRST_SEQ <= value <= MAX_SEQ:
        raise ValueError("not a sequence number")
    return value
