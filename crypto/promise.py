# SPDX-License-Identifier: AGPL-3.0-or-later
"""The signed promise a reporter gets at submission: "we hold a report, received that day".

Invariants: 140 bytes, always; the commitment hides the receipt (it hashes a secret that follows
from it) and binds to it, so that whoever holds the receipt can prove which promise is theirs and
nobody else can tell whose it is.  It names the day by which the report must be in the public log:
after that day, its absence is proof of dropping that names no one.

Source: docs/spec/receipt.md section 7; RFC 6962 section 3 (maximum merge delay).
"""

import hashlib
import struct
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from crypto.domains import Domain
from crypto.encoding import day_from_number, day_number, label
from crypto.errors import MalformedError
from crypto.receipt import ReceiptKeys
from crypto.signing import SIGNATURE, sign, verify

MAGIC: Final = b"WHP2"
MAX_MERGE_DAYS: Final = 182
"""Days for which reports may wait for others to hide among."""
PUBLISH_DAYS: Final = 7
"""Days after the end of its week by which a batch must be public."""
MAX_LOG_DAYS: Final = MAX_MERGE_DAYS + 2 * PUBLISH_DAYS
"""Days from arrival to `latest`: the wait, the end of that week, and its publication."""
_FIELDS: Final = struct.Struct(">4s32s32sII")
PROMISE_LENGTH: Final = _FIELDS.size + SIGNATURE


@dataclass(frozen=True)
class Promise:
    """What was promised; only `verify_promise` should make one from bytes."""

    instance_id: bytes
    commitment: bytes
    day: date
    """The day of arrival."""
    latest: date
    """The day by which the report must be in the public log."""


def commitment(keys: ReceiptKeys) -> bytes:
    """Return the 32-byte value that stands for this report in public."""
    return commitment_of(keys.log_secret)


def commitment_of(log_secret: bytes) -> bytes:
    """Return the 32-byte value that hides, and binds to, this log secret."""
    return hashlib.sha256(label(Domain.COMMITMENT, log_secret)).digest()


def make_promise(seed: bytes, instance_id: bytes, keys: ReceiptKeys, day: date) -> bytes:
    """Sign, with the intake's service key, that this report arrived on this day."""
    return sign_promise(seed, instance_id, commitment(keys), day)


def sign_promise(seed: bytes, instance_id: bytes, committed: bytes, day: date) -> bytes:
    """Sign for a commitment that the reporter's own client has made."""
    latest = day + timedelta(days=MAX_LOG_DAYS)
    fields = _FIELDS.pack(MAGIC, instance_id, committed, day_number(day), day_number(latest))
    return fields + sign(seed, Domain.PROMISE, fields)


def verify_promise(public: bytes, data: bytes) -> Promise:
    """Verify a promise by the intake's service key; whose it is, the caller compares."""
    if len(data) != PROMISE_LENGTH or not data.startswith(MAGIC):
        raise MalformedError("not a promise")
    verify(public, data[_FIELDS.size :], Domain.PROMISE, data[: _FIELDS.size])
    _magic, instance_id, committed, day, latest = _FIELDS.unpack_from(data)
    return Promise(instance_id, committed, day_from_number(day), day_from_number(latest))
