# SPDX-License-Identifier: AGPL-3.0-or-later
"""Message containers: sealing a frame, and what a server checks without being able to open it.

`check_container` numbers its steps; a container that passes has, byte for byte, a length that
depends only on the number of recipients and the frame's bucket, and no room for anything else.

Source: docs/spec/envelope.md section 5.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from crypto.age import writer
from crypto.age.header import PAYLOAD_NONCE
from crypto.age.stanza import STANZA_LENGTH
from crypto.age.stream import plain_length
from crypto.errors import MalformedError
from crypto.padding import FRAME_SIZES
from crypto.rng import Rng
from crypto.xwing import Recipient

# 1,120 bytes are 1,494 base64 characters, the last with four zero bits; 32 bytes are 43, with two.
_CODE_32: Final = rb"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]"
_HEADER: Final = re.compile(
    rb"age-encryption\.org/v1\n"
    rb"(?:-> mlkem768x25519 [A-Za-z0-9+/]{1493}[AQgw]\n" + _CODE_32 + rb"\n){1,16}"
    rb"--- " + _CODE_32 + rb"\n"
)


@dataclass(frozen=True)
class ContainerInfo:
    """All that a container's outside tells."""

    recipients: int
    frame_size: int


def seal_message(frame: bytes, recipients: Sequence[Recipient], rng: Rng) -> bytes:
    """Seal an encoded frame to 1 to 16 recipients."""
    if len(frame) not in FRAME_SIZES:
        raise MalformedError("no frame has this size")
    return writer.seal_all(recipients, frame, rng)


def split(container: bytes) -> tuple[bytes, bytes]:
    """Return header and payload, which begins with its nonce."""
    end = _header_end(container)
    return container[:end], container[end:]


def check_container(container: bytes) -> ContainerInfo:
    """Check a container's syntax without any key.

    (1) The header holds 1 to 16 mlkem768x25519 stanzas in canonical form and nothing else.
    (2) The payload's length is that of a frame bucket.
    That the stanzas are for the right people and the content is a frame, only recipients can tell.
    """
    # Step 1 of the list above.
    end = _header_end(container)
    # Step 2 of the list above.
    size = plain_length(len(container) - end - PAYLOAD_NONCE)
    if size not in FRAME_SIZES:
        raise MalformedError("payload has no frame's length")
    return ContainerInfo((end - writer.HEADER_BASE) // STANZA_LENGTH, size)


def _header_end(container: bytes) -> int:
    match = _HEADER.match(container)
    if match is None:
        raise MalformedError("container header is not in the one permitted form")
    return match.end()
