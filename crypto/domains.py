# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every label that separates one use of a key or hash from another (docs/spec/envelope.md, 3).

Invariants: all labels are distinct ASCII, start with `whistle/v1/`, and contain no zero byte,
so that a label followed by 0x00 is never a prefix of another one.
"""

from enum import StrEnum
from typing import Final

SPECIFICATION: Final = "1.0"  # version of docs/spec/envelope.md and docs/spec/receipt.md


class Domain(StrEnum):
    """Labels of signatures, hashes, associated data and key derivations."""

    # signatures
    MANIFEST = "whistle/v1/manifest"
    FRAME_SIGNATURE = "whistle/v1/frame-sig"
    REQUEST = "whistle/v1/req"
    ACT_SIGNATURE = "whistle/v1/act-sig"
    ACT_COUNTERSIGNATURE = "whistle/v1/act-countersig"
    PROMISE = "whistle/v1/promise"
    STATISTICS = "whistle/v1/statistics"
    REPORTER_AUTH = "whistle/v1/auth"
    BUNDLE = "whistle/v1/bundle"
    SITE = "whistle/v1/site"
    RELEASE = "whistle/v1/release"
    BACKUP = "whistle/v1/backup"
    HANDOVER = "whistle/v1/handover"
    HANDOVER_ACCEPTED = "whistle/v1/handover-accepted"

    # hashes
    FRAME_HASH = "whistle/v1/frame"
    RECIPIENTS = "whistle/v1/recipients"
    RECIPIENT_FINGERPRINT = "whistle/v1/recipient-fp"
    INSTANCE_FINGERPRINT = "whistle/v1/instance-fp"
    ACT = "whistle/v1/act"
    COMMITMENT = "whistle/v1/log-commitment"
    FOLLOW_UP = "whistle/v1/log-follow-up"
    INSTANCE = "whistle/v1/instance"
    RECEIPT_CHECK = "whistle/v1/receipt-check"

    # associated data
    NOTICE = "whistle/v1/notice"
    OWN_COPY = "whistle/v1/own-copy"

    # key derivation from a receipt
    LOOKUP = "whistle/v1/lookup"
    AUTH = "whistle/v1/auth-ed25519"
    SIGN = "whistle/v1/sign-ed25519"
    REPLY = "whistle/v1/reply-xwing"
    STATE = "whistle/v1/state"
    MAILBOX = "whistle/v1/mailbox"
    LOG = "whistle/v1/log"
