# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which sizes exist: fixed buckets for messages, Padmé for attachments.

Sources: docs/spec/envelope.md sections 6 and 9; Nikitin et al., "Reducing Metadata Leakage from
Encrypted Files and Communication with PURBs" (2019), for Padmé.
"""

from collections.abc import Sequence
from typing import Final

from crypto.errors import MalformedError

FRAME_HEADER: Final = 240  # bytes before the body
FRAME_SIZES: Final = (4096, 16384, 65536, 262144, 1048576)  # whole frames, bytes
MAX_BODY: Final = FRAME_SIZES[-1] - FRAME_HEADER
ATTACHMENT_FLOOR: Final = 65536  # no attachment looks smaller than this, bytes


def bucket(length: int, sizes: Sequence[int]) -> int:
    """Return the smallest of the ascending `sizes` that holds `length` bytes."""
    for size in sizes:
        if length <= size:
            return size
    raise MalformedError("content is too long for the largest size")


def frame_size(body_length: int) -> int:
    """Return the size of the frame that carries a body of this length."""
    return bucket(FRAME_HEADER + body_length, FRAME_SIZES)


def is_zero_from(data: bytes, start: int) -> bool:
    """Answer whether everything from `start` on is zero bytes."""
    return data.count(0, start) == len(data) - start


def padme(length: int, floor: int = ATTACHMENT_FLOOR) -> int:
    """Return the padded length: never below `floor`; above 64 KiB at most 1/32 longer."""
    if length <= floor:
        return floor
    exponent = length.bit_length() - 1
    zero_bits = exponent - exponent.bit_length()
    mask = (1 << zero_bits) - 1
    return (length + mask) & ~mask
