# SPDX-License-Identifier: AGPL-3.0-or-later
"""What investigators find when they open everything the case server holds.

Opening fails on anything half: a container that does not open, an attachment that is missing, cut
short, or not what its message says.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crypto.body import AttachmentRef, FollowUpBody, ReportBody
from crypto.frame import FrameType
from crypto.private.open_report import open_attachment, open_message
from tests.support.org import Org

RECORDS = """SELECT cases.thread, records.kind, records.container, records.serial
  FROM records JOIN cases ON cases.id = records.case_id ORDER BY records.serial"""
BLOBS = """SELECT blobs.id FROM blobs JOIN records ON records.id = blobs.record_id
  WHERE records.serial = ?"""


@dataclass
class Opened:
    """One case: the story, and the SHA-256 of every file that came with any message."""

    story: str = ""
    files: list[str] = field(default_factory=list)


def open_desk(connection: Any, blobs: Path, org: Org) -> dict[str, Opened]:
    """Open every record; return the cases by thread."""
    found: dict[str, Opened] = {}
    for thread, kind, container, serial in connection.execute(RECORDS).fetchall():
        case = found.setdefault(thread, Opened())
        body = _body(org, bytes.fromhex(thread), container)
        if isinstance(body, ReportBody):
            if kind != "report" or case.story:
                raise AssertionError("a report where a message was announced")
            case.story = body.fields["story"]
        case.files += _files(blobs, body.attachments)
        named = {each.id for each in body.attachments}
        if named != {row[0] for row in connection.execute(BLOBS, (serial,))}:
            raise AssertionError("the record names other files than the message")
    return found


def _body(org: Org, thread: bytes, container: bytes) -> ReportBody | FollowUpBody:
    seed = org.identities["pengawas"].recipient_seed
    frame, _ = open_message(seed, container, org.instance_id, thread)
    if frame.type is FrameType.REPORT:
        return ReportBody.parse(frame.body)
    return FollowUpBody.parse(frame.body)


def _files(blobs: Path, references: Sequence[AttachmentRef]) -> list[str]:
    contents = [open_attachment(each, (blobs / each.id).read_bytes()) for each in references]
    return [hashlib.sha256(content).hexdigest() for content in contents]
