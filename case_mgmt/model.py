# SPDX-License-Identifier: AGPL-3.0-or-later
"""The words of the case office: identifiers, public codes, reason codes.

Invariants
* A public code is what the reporter reads; "overdue" is not one, it is computed (deadlines.py).
* Reason codes are closed lists with a version; a code once published keeps its meaning.

Specification: docs/spec/acts.md, sections 1 and 2.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NewType

CaseId = NewType("CaseId", str)
"""`WH-` and eight Crockford base-32 characters, drawn at random."""
PersonId = NewType("PersonId", str)
ThreadId = NewType("ThreadId", str)
"""The reporter's lookup id: 16 bytes in hexadecimal."""
RecordId = NewType("RecordId", str)
"""16 bytes in hexadecimal, chosen by the intake."""
BlobId = NewType("BlobId", str)
ActHash = NewType("ActHash", str)
"""SHA-256 of an act, 64 hexadecimal digits."""
DeviceKey = NewType("DeviceKey", str)
"""Ed25519 public key, 64 hexadecimal digits."""

NO_ACT: Final = ActHash("00" * 32)
"""What the first act of a case names as its predecessor."""


class State(StrEnum):
    """The public codes."""

    RECEIVED = "received"
    ASSESSING = "assessing"
    NEEDS_INFO = "needs_info"
    EXAMINING = "examining"
    REFERRED = "referred"
    UPHELD_ACTION = "upheld_action"
    UPHELD_FIXED = "upheld_fixed"
    INSUFFICIENT = "insufficient"
    OUTSIDE_MANDATE = "outside_mandate"
    JOINED = "joined"
    SET_ASIDE = "set_aside"
    REOPENED = "reopened"
    WITHDRAWN = "withdrawn"


CLOSINGS: Final = frozenset(
    {
        State.UPHELD_ACTION,
        State.UPHELD_FIXED,
        State.INSUFFICIENT,
        State.OUTSIDE_MANDATE,
        State.JOINED,
        State.SET_ASIDE,
    }
)
OPEN: Final = frozenset(State) - CLOSINGS - {State.WITHDRAWN}


class ActKind(StrEnum):
    """What an act does."""

    RECEIVED = "received"
    TRANSITION = "transition"
    UPDATE = "update"
    EXTEND = "extend"
    ASSIGN = "assign"
    FOLLOW_UP = "follow_up"
    CONTEST = "contest"
    WITHDRAW = "withdraw"


VISIBLE_KINDS: Final = frozenset(ActKind) - {ActKind.ASSIGN}
"""The kinds that become a notice in the reporter's mailbox."""


class Role(StrEnum):
    """Roles in the manifest that matter to a case."""

    INVESTIGATOR = "investigator"
    SUPERVISOR = "supervisor"


HANDLER_ROLES: Final = frozenset({Role.INVESTIGATOR.value, Role.SUPERVISOR.value})

AUDITOR: Final = "auditor"
"""The role that may see every act and no case."""

REASONS_VERSION: Final = "2026-2"

_BODIES: Final = (
    "kpk",
    "police",
    "prosecutor",
    "ombudsman",
    "provincial_inspectorate",
    "ministry_inspectorate",
    "court_supervision",
    "other_city",
    "consumer_agency",
    "labour_inspection",
    "other_body",
)

REASONS: Final[Mapping[State, tuple[str, ...]]] = MappingProxyType(
    {
        State.INSUFFICIENT: (
            "no_contact",
            "contradictory",
            "no_evidence_found",
            "not_identifiable",
            "evidence_lost",
            "lawful_fee",
        ),
        State.OUTSIDE_MANDATE: _BODIES,
        State.JOINED: ("same_event", "same_pattern", "sent_twice"),
        State.SET_ASIDE: ("no_content", "advertising", "flood", "test_message"),
        State.REFERRED: _BODIES,
    }
)
"""Reason codes by target; for `referred` a code is optional, for the closings obligatory."""

EXTENSION_REASONS: Final = (
    "awaiting_documents",
    "awaiting_witness",
    "awaiting_other_body",
    "expert_opinion",
    "many_incidents",
)
