# SPDX-License-Identifier: AGPL-3.0-or-later
"""The log a release was counted from: its checkpoint, its witnesses, every entry, the rules.

Invariants
* The log's key is the one the manifest names; the quorum is that of the policy file the manifest
  names, and that of the reader's own policy where one is given.
* Entries are used only when entries, tiles and root agree.
* A broken rule does not stop the check: all of them are named.

Source: docs/spec/log.md sections 1 and 5, C2SP tlog-tiles, tlog-checkpoint, tlog-policy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from case_mgmt.publication.check import as_of, faults_in, leaves_of
from case_mgmt.publication.leaves import Leaf
from crypto.errors import MalformedError
from crypto.tlog.checkpoint import Checkpoint
from crypto.tlog.errors import LogFormatError, QuorumError, SignatureError, TileError
from crypto.tlog.policy import Accepted, Policy, parse_policy
from crypto.tlog.tiles import read_entries
from crypto.tlog.tree import leaf_hash
from whistle.verify.faults import RULE_FAULTS, Fault, FaultError, Found
from whistle.verify.organisation import LOG_POLICY, LOG_SERVICE, Organisation

CHECKPOINT: Final = "log/checkpoint"
MAX_SHOWN: Final = 20
"""Broken rules that one verdict names, of each kind."""
_TILE_FAULTS: Final = {
    "missing": Fault.TILE_MISSING,
    "truncated": Fault.TILE_TRUNCATED,
}

Read = Callable[[str], bytes | None]
"""From a path below the folder to a file's bytes, or None."""


@dataclass(frozen=True)
class PublicLog:
    """A verified log."""

    instance_id: bytes
    checkpoint: Checkpoint
    note: str
    """The signed checkpoint."""
    witnesses: tuple[str, ...]
    """Those that cosigned, by the names of the policy."""
    entries: tuple[bytes, ...]
    leaves: tuple[Leaf, ...]

    @property
    def hashes(self) -> list[bytes]:
        """The leaf hashes."""
        return [leaf_hash(entry) for entry in self.entries]

    @property
    def as_of(self) -> date:
        """The last day it covers."""
        return as_of(self.leaves)


def policy_of(organisation: Organisation) -> Policy:
    """The organisation's log policy.  Raises FaultError: it names another key than the manifest."""
    try:
        policy = parse_policy(organisation.log_policy)
    except LogFormatError as error:
        raise FaultError(Fault.POLICY_REPLACED, LOG_POLICY) from error
    key = organisation.manifest.services.get(LOG_SERVICE)
    if not policy.logs or any(each.key.public != key for each in policy.logs):
        raise FaultError(Fault.LOG_KEY_OTHER, LOG_POLICY)
    return policy


def accept_checkpoint(note: bytes, policy: Policy, instance_id: bytes) -> Accepted:
    """Verify the log's signature and the quorum.  Raises FaultError."""
    try:
        accepted = policy.require(note)
    except SignatureError as error:
        ours = error.fault == "absent" or error.name in {each.key.name for each in policy.logs}
        fault = Fault.CHECKPOINT_FORGED if ours else Fault.COSIGNATURE_FORGED
        raise FaultError(fault, error.name) from error
    except QuorumError as error:
        raise FaultError(Fault.QUORUM_MISSING, ", ".join(error.missing)) from error
    except LogFormatError as error:
        raise FaultError(Fault.CHECKPOINT_FORGED, CHECKPOINT) from error
    if accepted.checkpoint.origin != origin_of(instance_id):
        raise FaultError(Fault.CHECKPOINT_OTHER, CHECKPOINT)
    return accepted


def read_log(read: Read, accepted: Accepted, instance_id: bytes) -> PublicLog:
    """Read every entry and check it against tiles and root.  Raises FaultError."""
    try:
        entries = read_entries(lambda path: read(f"log/{path}"), accepted.checkpoint)
        leaves = leaves_of(entries)
    except TileError as error:
        fault = _TILE_FAULTS.get(error.fault, Fault.LOG_ALTERED)
        raise FaultError(fault, f"log/{error.path}") from error
    except MalformedError as error:
        raise FaultError(Fault.LEAF_UNKNOWN, str(error)) from error
    if not leaves:
        raise FaultError(Fault.OPENING_WRONG, "0")
    witnesses = tuple(each.name for each in accepted.witnesses)
    note = (read(CHECKPOINT) or b"").decode("utf-8")
    return PublicLog(instance_id, accepted.checkpoint, note, witnesses, tuple(entries), leaves)


def origin_of(instance_id: bytes) -> str:
    """The name under which an organisation's log signs."""
    return f"whistle/{instance_id.hex()}"


def broken_rules(log: PublicLog) -> list[Found]:
    """Every rule of the log that its leaves break, each kind a limited number of times."""
    found: list[Found] = []
    for each in faults_in(log.leaves):
        fault = RULE_FAULTS[each.rule]
        if sum(other.fault is fault for other in found) < MAX_SHOWN:
            found.append(Found(fault, str(each.index)))
    return found
