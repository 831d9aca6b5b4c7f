# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which acts a reporter's page believes, and how much.

The case server knows the key of every mailbox, so a notice proves nothing by having opened. What
counts is the act in it (docs/spec/acts.md, section 4, and docs/spec/receipt.md, sections 8 and 9):

1. it is the act of this place, not dated before what is known nor in the future;
2. it follows on the entry before it, if that one is believed;
3. the transition table has this step for this signer: a person of the manifest, or the service;
4. its signature, and for a closing the countersignature of another person;
5. the message that the step needs is there (that it opens, `whistle.intake.replies` checks).

Acts between two notices of which the reporter is not told are assignments, so numbers may leave
gaps; code and days must continue across them.

Invariants: an act by a key that the manifest names neither as present nor as former is not
believed, whatever else holds; a former key is told apart from a present one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from typing import Final

from case_mgmt.acts import FIRST_SEQ, SignedAct, verify_act, verify_countersignature
from case_mgmt.errors import ActFormatError
from case_mgmt.lifecycle import TABLE, Actor, Rule
from case_mgmt.model import NO_ACT, DeviceKey
from crypto.errors import AuthenticationError
from crypto.manifest import Manifest

CASES_SERVICE: Final = "cases"
SERVICE_HOLDER: Final = "service:cases"  # no person's id has a colon
_CLOCKS_DIFFER: Final = timedelta(days=1)  # two servers around midnight

_OFFICE: Final = frozenset({Actor.OFFICE})
_SERVICE: Final = frozenset({Actor.SERVICE, Actor.REPORTER})
_ANYBODY: Final = _OFFICE | _SERVICE


class Standing(IntEnum):
    """Where the keys of a valid act stand; the weakest of its signers counts."""

    UNKNOWN = 0
    FORMER = 1
    LISTED = 2


@dataclass(frozen=True)
class Signers:
    """Whose key is whose, at present and formerly: a person's id, or `SERVICE_HOLDER`."""

    listed: Mapping[DeviceKey, str]
    former: Mapping[DeviceKey, str]

    @classmethod
    def of(cls, manifest: Manifest) -> "Signers":
        """Return every key that may sign acts under this manifest, or once might."""
        listed = {_key(person.desk_public): person.id for person in manifest.people}
        if CASES_SERVICE in manifest.services:
            listed[_key(manifest.services[CASES_SERVICE])] = SERVICE_HOLDER
        former = {_key(one.public): one.id for one in manifest.former}
        for one in manifest.former_services:
            if one.id == CASES_SERVICE:
                former[_key(one.public)] = SERVICE_HOLDER
        return cls(listed, former)

    def look_up(self, key: DeviceKey) -> tuple[str | None, Standing]:
        """Return who holds a key, if that is known, and where it stands."""
        if key in self.listed:
            return self.listed[key], Standing.LISTED
        if key in self.former:
            return self.former[key], Standing.FORMER
        return None, Standing.UNKNOWN


@dataclass(frozen=True)
class Place:
    """Where an act stands: its number, the last act believed, and whether that is its neighbour.

    `before` is None at the beginning; `arrival` is the intake's own knowledge.
    """

    seq: int
    before: SignedAct | None
    is_neighbour: bool
    arrival: date
    today: date


def judge(signed: SignedAct, place: Place, signers: Signers) -> Standing:
    """Return how far an act is to be believed.

    Raises:
        ActFormatError: it does not belong in this place.
        AuthenticationError: it is not signed as its step demands.
    """
    # Step 1 of the list above.
    _require_place(signed, place)
    # Step 2 of the list above.
    if place.before is not None:
        _require_link(signed, place.before, place)
    # Step 3 of the list above.
    holder, standing = signers.look_up(signed.act.signer)
    rule = _rule(signed, holder)
    # Step 4 of the list above.
    verify_act(signed.act, signed.signature)
    second = _second(signed, rule, holder, signers)
    # Step 5 of the list above.
    if rule.message and signed.act.message is None:
        raise ActFormatError("this step carries a message")
    return min(standing, second)


def _require_place(signed: SignedAct, place: Place) -> None:
    act = signed.act
    if act.seq != place.seq:
        raise ActFormatError("the act of another place")
    if not place.arrival <= act.day <= place.today + _CLOCKS_DIFFER:
        raise ActFormatError("dated before the report or in the future")
    is_first = act.seq == FIRST_SEQ
    if is_first != (act.source is None) or is_first != (act.prev == NO_ACT):
        raise ActFormatError("the first act, and no other, follows on nothing")


def _require_link(signed: SignedAct, before: SignedAct, place: Place) -> None:
    act, last = signed.act, before.act
    if act.case != last.case or act.day < last.day:
        raise ActFormatError("the act of another case, or dated before the last one")
    if not place.is_neighbour:
        return
    if act.source != last.target:
        raise ActFormatError("the act does not begin where the last one ended")
    if act.seq == last.seq + 1 and act.prev != before.hash:
        raise ActFormatError("the act follows on another one")


def _rule(signed: SignedAct, holder: str | None) -> Rule:
    act = signed.act
    rule = TABLE.get((act.kind, act.source, act.target))
    if rule is None or rule.actors.isdisjoint(_actors(holder)):
        raise ActFormatError("the table has no such step for this signer")
    return rule


def _actors(holder: str | None) -> frozenset[Actor]:
    """SECURITY: the service key may sign only what arrival and reporter cause
    (tests/whistle/intake/test_standing.py::test_the_service_cannot_act_for_the_office)."""
    if holder is None:
        return _ANYBODY
    return _SERVICE if holder == SERVICE_HOLDER else _OFFICE


def _key(public: bytes) -> DeviceKey:
    return DeviceKey(public.hex())


def _second(signed: SignedAct, rule: Rule, first: str | None, signers: Signers) -> Standing:
    """Check the countersignature; a step that needs none and has none stands by its signer."""
    key, signature = signed.countersigner, signed.countersignature
    if key is None or signature is None:
        if rule.second or key is not None or signature is not None:
            raise AuthenticationError("a second signature is missing")
        return Standing.LISTED
    holder, standing = signers.look_up(key)
    if key == signed.act.signer or holder == SERVICE_HOLDER:
        raise AuthenticationError("the second signature is not by another person")
    if holder is not None and holder == first:
        raise AuthenticationError("both signatures are by one person")
    verify_countersignature(signed.act, key, signature)
    return standing
