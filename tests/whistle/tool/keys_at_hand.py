# SPDX-License-Identifier: AGPL-3.0-or-later
"""A test organisation as a reporter's tool sees it, and what its people do with a bundle."""

import io
from datetime import date, timedelta
from pathlib import Path

from crypto.bundle import BundleHead, head_length, parse_head
from crypto.private.open_report import open_attachment, open_message
from tests.support.org import Org, make_org
from whistle.texts import load_tool_texts
from whistle.tool.answers import Answers, check
from whistle.tool.keylist import KeyList, Pin, SerialMemory
from whistle.tool.source import Trust, from_folder

TODAY = date(2026, 4, 7)
ENGLISH = load_tool_texts("en")


def organisation(tmp_path: Path) -> Org:
    return make_org(tmp_path, TODAY)


def trust(org: Org, day: date = TODAY, remember: Path | None = None) -> Trust:
    return Trust(Pin(org.instance_id), SerialMemory(remember), day)


def keys_of(org: Org) -> KeyList:
    return from_folder(org.dir, trust(org))


def answers(keys: KeyList, **texts: str) -> Answers:
    return check({"story": "Biaya administrasi diminta lagi.", **texts}, keys.catalogue, ENGLISH)


def days(number: int) -> timedelta:
    return timedelta(days=number)


def split_bundle(data: bytes) -> tuple[BundleHead, bytes, list[bytes]]:
    """Take a bundle apart as docs/spec/offline.md says."""
    stream = io.BytesIO(data)
    head = parse_head(stream.read(head_length(stream.read(8))))
    container = stream.read(head.container)
    blobs = [stream.read(blob.size) for blob in head.blobs]
    assert stream.read() == b""
    return head, container, blobs


__all__ = ["open_attachment", "open_message"]
