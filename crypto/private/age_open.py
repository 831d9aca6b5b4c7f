# SPDX-License-Identifier: AGPL-3.0-or-later
"""Open any age container with a recipient's identity: the desk's reader.

This is the code that tries an identity on every stanza, hence the code that can open a report.
Only the desk and tests import it; no server process loads it.

Invariants:
- stanzas of other types are ignored, as age requires of readers;
- the header MAC is verified before any payload byte is used;
- `open_all` returns nothing unless the whole container is authentic and complete; `Opener` releases
  authentic chunks early, so its caller deletes what it wrote if `final` raises.

Source: C2SP age; docs/spec/envelope.md section 5.
"""

from typing import NewType

from crypto.age import stanza, stream
from crypto.age.header import PAYLOAD_NONCE, Header, parse_header, payload_key, try_parse_header
from crypto.age.stream import Data
from crypto.errors import AuthenticationError, MalformedError

IdentitySeed = NewType("IdentitySeed", bytes)


def unwrap_file_key(seed: bytes, header: Header) -> bytes:
    """Return the file key that some stanza holds for this seed, with the header MAC verified."""
    for each in header.stanzas:
        if not stanza.is_ours(each):
            continue
        try:
            file_key = stanza.unwrap(seed, each)
        except AuthenticationError:
            continue
        header.verify_mac(file_key)
        return file_key
    raise AuthenticationError("no stanza is for this key")


class Opener:
    """Open a container as it arrives."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._head = bytearray()
        self._stream: stream.StreamOpener | None = None

    def update(self, data: Data) -> bytes:
        """Take container bytes, return authentic plaintext (perhaps none yet)."""
        if self._stream is not None:
            return self._stream.update(data)
        self._head += data
        head = bytes(self._head)
        header = try_parse_header(head)
        if header is None or len(head) < header.length + PAYLOAD_NONCE:
            return b""
        file_key = unwrap_file_key(self._seed, header)
        start = header.length + PAYLOAD_NONCE
        self._stream = stream.StreamOpener(payload_key(file_key, head[header.length : start]))
        self._head.clear()
        return self._stream.update(head[start:])

    def final(self) -> bytes:
        """Return the end of the plaintext; only now is it known to be complete."""
        if self._stream is None:
            raise MalformedError("container is cut short")
        return self._stream.final()


def open_all(seed: bytes, container: bytes) -> bytes:
    """Return the whole plaintext of a container."""
    header = parse_header(container)
    file_key = unwrap_file_key(seed, header)
    start = header.length + PAYLOAD_NONCE
    nonce = container[header.length : start]
    if len(nonce) != PAYLOAD_NONCE:
        raise MalformedError("payload is cut short")
    return stream.open_all(payload_key(file_key, nonce), memoryview(container)[start:])
