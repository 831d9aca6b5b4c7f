# SPDX-License-Identifier: AGPL-3.0-or-later
"""Read the one kind of container a server process may read: a reply sealed to a receipt.

What decides who can open what:
- a reply has exactly one stanza, made for the reply key that follows from a receipt;
- `open_single` takes a `ReplySeed`, a type only `crypto.receipt` makes, and refuses a container
  with more than one stanza, so handing it a report sealed to investigators cannot work;
- trying an identity on many stanzas is `crypto.private.age_open`, which servers never load
  (tests/crypto/test_private_boundary.py).

Order of work: parse the header, unwrap, verify the header MAC, then the payload; nothing is
released before the last chunk has verified.

Source: C2SP age; docs/spec/envelope.md section 5.
"""

from typing import NewType

from crypto.age import stanza, stream
from crypto.age.header import PAYLOAD_NONCE, parse_header, payload_key
from crypto.errors import MalformedError

ReplySeed = NewType("ReplySeed", bytes)


def open_single(seed: ReplySeed, container: bytes) -> bytes:
    """Return the plaintext of a container with exactly one stanza, made for this seed."""
    header = parse_header(container)
    if len(header.stanzas) != 1:
        raise MalformedError("a reply has exactly one recipient")
    file_key = stanza.unwrap(seed, header.stanzas[0])
    header.verify_mac(file_key)
    start = header.length + PAYLOAD_NONCE
    nonce = container[header.length : start]
    if len(nonce) != PAYLOAD_NONCE:
        raise MalformedError("payload is cut short")
    return stream.open_all(payload_key(file_key, nonce), memoryview(container)[start:])
