# SPDX-License-Identifier: AGPL-3.0-or-later
"""Builds chained, signed histories of one case for tests of the clock, the gate and the ledger."""

import hashlib
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from case_mgmt.acts import Act, SignedAct, countersign_act, sign_act
from case_mgmt.model import NO_ACT, ActKind, CaseId, DeviceKey, State
from crypto.signing import public_from_seed

CASE = CaseId("WH-0123ABCD")


def seed(name: str) -> bytes:
    """The same 32 bytes for a name that tests.support.org uses."""
    return hashlib.sha256(b"whistle test seed " + name.encode()).digest()


def key(name: str) -> DeviceKey:
    """The public half."""
    return DeviceKey(public_from_seed(seed(name)).hex())


OFFICER = "device penyidik-1"
SERVICE = "service cases"


@dataclass
class History:
    """A case that grows; every act is signed and linked."""

    case: CaseId = CASE
    items: list[SignedAct] = field(default_factory=list)

    @property
    def acts(self) -> tuple[Act, ...]:
        return tuple(item.act for item in self.items)

    @property
    def state(self) -> State | None:
        return self.items[-1].act.target if self.items else None

    def next(self, kind: ActKind, target: State, day: date, signer: str, **more: Any) -> Act:
        """The next act, not yet part of the history."""
        return Act(
            case=self.case,
            seq=len(self.items) + 1,
            prev=self.items[-1].hash if self.items else NO_ACT,
            kind=kind,
            source=self.state,
            target=target,
            day=day,
            signer=key(signer),
            **more,
        )

    def add(
        self,
        kind: ActKind,
        target: State,
        day: date,
        *,
        signer: str = OFFICER,
        second: str | None = None,
        **more: Any,
    ) -> "History":
        act = self.next(kind, target, day, signer, **more)
        self.items.append(
            SignedAct(
                act,
                sign_act(seed(signer), act),
                key(second) if second else None,
                countersign_act(seed(second), act) if second else None,
            )
        )
        return self

    def received(self, day: date) -> "History":
        return self.add(ActKind.RECEIVED, State.RECEIVED, day, signer=SERVICE)

    def move(self, target: State, day: date, **more: Any) -> "History":
        return self.add(ActKind.TRANSITION, target, day, message="ab" * 32, **more)

    def event(self, kind: ActKind, day: date) -> "History":
        """A reporter's act."""
        target = {
            ActKind.FOLLOW_UP: self.state,
            ActKind.CONTEST: State.REOPENED,
            ActKind.WITHDRAW: State.WITHDRAWN,
        }[kind]
        assert target is not None
        return self.add(kind, target, day, signer=SERVICE)

    def update(self, day: date) -> "History":
        assert self.state is not None
        return self.add(ActKind.UPDATE, self.state, day, message="ab" * 32)

    def extend(self, day: date, until: date) -> "History":
        assert self.state is not None
        return self.add(
            ActKind.EXTEND,
            self.state,
            day,
            message="ab" * 32,
            until=until,
            reason="awaiting_documents",
        )
