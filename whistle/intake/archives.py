# SPDX-License-Identifier: AGPL-3.0-or-later
"""The whole log, and each release, as one file to download.

Invariants:

* one snapshot: the checkpoint is read first, then exactly the files of a log of its size, which
  never change, whatever arrives meanwhile; a release is complete or there is no archive of it;
* everybody is given the same bytes: nobody asks for a leaf.

Source: docs/spec/http.md section 2; C2SP tlog-tiles.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from case_mgmt.publication.names import LOG_POLICY
from crypto.encoding import parse_json
from crypto.errors import CryptoError, MalformedError
from crypto.tlog.checkpoint import parse_checkpoint
from crypto.tlog.note import split_note
from crypto.tlog.tiles import tile_paths
from whistle import limits
from whistle.intake.public_files import CHECKPOINT, RELEASE_LIST, PublicFolder
from whistle.tar import Archive, Member

LOG_FOLDER: Final = "whistle-log/"
INSTANCE: Final = "instance.id"
SIGNED: Final = ("manifest.json", "manifest.sig", "policy.json", LOG_POLICY)
"""The organisation's files that a log is verified with."""
RELEASE_SIGNATURES: Final = "release.sig"


def log_archive(
    folder: PublicFolder, files: Mapping[str, bytes], instance_id: bytes
) -> Archive | None:
    """The log as its newest checkpoint has it; None where there is no log.

    `files` are the organisation's, in force.
    """
    note = folder.read(CHECKPOINT)
    if note is None or any(name not in files for name in SIGNED):
        return None
    members = [Member.of(LOG_FOLDER + name, files[name]) for name in SIGNED]
    members.append(Member.of(LOG_FOLDER + INSTANCE, instance_id.hex().encode() + b"\n"))
    members.append(Member.of(LOG_FOLDER + CHECKPOINT, note))
    try:
        size = parse_checkpoint(split_note(note)[0]).size
    except CryptoError:
        return None
    stored = _stored(folder, "log/", tile_paths(size), LOG_FOLDER + "log/")
    return None if stored is None else _archive([*members, *stored])


def release_archive(folder: PublicFolder, release: str) -> Archive | None:
    """A release and nothing beside it; None where there is none that is complete."""
    base = f"releases/{release}/"
    listed = folder.read(base + RELEASE_LIST)
    if listed is None:
        return None
    try:
        names = _names(parse_json(listed, max_bytes=limits.MAX_PUBLIC_FILE))
    except MalformedError:
        return None
    names = {*names, RELEASE_LIST, RELEASE_SIGNATURES}
    stored = _stored(folder, base, names, f"{release}/")
    return None if stored is None else _archive(stored)


def _names(value: Any) -> set[str]:
    listed = value.get("files") if isinstance(value, dict) else None
    if not isinstance(listed, dict) or len(listed) > limits.MAX_RELEASE_FILES:
        raise MalformedError("not a list of files")
    return set(listed)


def _stored(
    folder: PublicFolder, base: str, paths: Iterable[str], prefix: str
) -> list[Member] | None:
    """Members for stored files; None if one is missing."""
    members = []
    for path in paths:
        place = folder.locate(base + path)
        if place is None:
            return None
        members.append(Member(prefix + path, place.stat().st_size, place))
    return members


def _archive(members: Iterable[Member]) -> Archive | None:
    try:
        return Archive(members)
    except ValueError:  # a name that has no room in a header: no release of ours has one
        return None
