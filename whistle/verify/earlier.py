# SPDX-License-Identifier: AGPL-3.0-or-later
"""A release beside those that somebody kept: does the log only grow, is each release the same?

Invariants
* Whoever holds an earlier release holds its whole log, so the comparison is entry by entry and says
  what was done, not only that the roots differ.
* Two roots for one size, both signed, prove a split view to anybody.

Source: RFC 6962 section 2.1.2, docs/spec/log.md section 6, docs/spec/verify.md section 5.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from case_mgmt.publication.leaves import Kind, Leaf
from case_mgmt.publication.weeks import is_opening
from crypto.tlog.checkpoint import Checkpoint
from crypto.tlog.tree import Tree
from whistle.verify.faults import Fault, Found
from whistle.verify.folder import Release
from whistle.verify.publiclog import PublicLog

LOGGED_WITHIN: Final = timedelta(days=21)
"""After its last counted day: a release is signed, then its digest waits for a week's end."""
_DROPPED: Final = {
    Kind.REPORT: Fault.REPORT_DROPPED,
    Kind.FOLLOW_UP: Fault.FOLLOW_UP_DROPPED,
    Kind.RELEASE: Fault.RELEASE_REPLACED,
}


def compare_logs(old: Sequence[bytes], new: Sequence[bytes]) -> list[Found]:
    """What was done to the entries of an earlier log; nothing if the new one continues it."""
    shared = min(len(old), len(new))
    place = next((at for at in range(shared) if old[at] != new[at]), None)
    if place is None:
        return [Found(Fault.LOG_SHRUNK, str(len(new)))] if len(new) < len(old) else []
    if len(old) == len(new):
        return [Found(Fault.SPLIT_VIEW, str(place))]
    still = Counter(new)
    lost = [at for at, entry in enumerate(old) if not still[entry]]
    if lost:
        return [Found(_DROPPED[Leaf.parse(old[lost[0]]).kind], str(lost[0]))]
    moved = _is_moved(old, new)
    return [Found(Fault.LEAVES_MOVED if moved else Fault.LEAF_INSERTED, str(place))]


def compare_checkpoint(seen: Checkpoint, log: PublicLog) -> list[Found]:
    """Whether a checkpoint seen elsewhere is of the same log."""
    if seen.size > len(log.entries):
        return [Found(Fault.LOG_SHRUNK, str(log.checkpoint.size))]
    same = Tree(log.hashes[: seen.size]).root() == seen.root
    return [] if same else [Found(Fault.SPLIT_VIEW, str(seen.size))]


def compare_releases(
    release: Release, earlier: Sequence[Release], leaves: Sequence[Leaf]
) -> list[Found]:
    """Whether each earlier release is the one that the log, and later releases, know."""
    everyone = [*earlier, release]
    logged = _digests(leaves)
    found = [*_same_name(everyone), *_links(everyone)]
    for each in earlier:
        due = release.head.as_of - each.head.as_of >= LOGGED_WITHIN
        if due and each.sha256 not in logged:
            is_chained = any(_names(other, each) for other in everyone)
            fault = Fault.RELEASE_UNLOGGED if is_chained else Fault.RELEASE_REPLACED
            found.append(Found(fault, each.head.id))
    known = {each.sha256 for each in everyone}
    if _is_whole(everyone):
        found += [Found(Fault.RELEASE_HIDDEN, digest[:16]) for digest in sorted(logged - known)]
    return list(dict.fromkeys(found))


def _digests(leaves: Sequence[Leaf]) -> set[str]:
    return {
        leaf.commitment.hex()
        for leaf in leaves
        if leaf.kind is Kind.RELEASE and not is_opening(leaf)
    }


def _same_name(releases: Sequence[Release]) -> list[Found]:
    by_name: dict[str, str] = {}
    return [
        Found(Fault.RELEASE_REPLACED, each.head.id)
        for each in releases
        if by_name.setdefault(each.head.id, each.sha256) != each.sha256
    ]


def _links(releases: Sequence[Release]) -> list[Found]:
    """Releases that one of these names as the one before, under another digest."""
    return [
        Found(Fault.RELEASE_REPLACED, each.head.id)
        for later in releases
        for each in releases
        if later.head.previous is not None
        and later.head.previous.id == each.head.id
        and later.head.previous.sha256 != each.sha256
    ]


def _names(later: Release, each: Release) -> bool:
    return later.head.previous is not None and later.head.previous.sha256 == each.sha256


def _is_whole(releases: Sequence[Release]) -> bool:
    """Whether these are all releases from the first one on."""
    known = {each.sha256 for each in releases}
    previous = [each.head.previous for each in releases]
    return None in previous and all(each is None or each.sha256 in known for each in previous)


def _is_moved(old: Sequence[bytes], new: Sequence[bytes]) -> bool:
    """Whether the old entries stand in another order than they did."""
    rest = iter(new)
    return not all(entry in rest for entry in old)
