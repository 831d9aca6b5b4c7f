# SPDX-License-Identifier: AGPL-3.0-or-later
"""The payload of an age file: ChaCha20-Poly1305 in 64 KiB chunks (STREAM).

Invariants:
- the nonce of chunk n is n as 11 bytes, then 1 for the last chunk and 0 for all others;
- the last chunk is empty only when the whole plaintext is empty;
- nothing follows the last chunk: a chunk is the last one exactly when the input ends after it;
- sealing and opening hold at most one chunk besides what they are handed.

Source: C2SP age, section "Payload".
"""

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from crypto.errors import AuthenticationError, MalformedError

CHUNK: Final = 65536
TAG: Final = 16
SEALED_CHUNK: Final = CHUNK + TAG

Data = bytes | bytearray | memoryview


def sealed_length(plain: int) -> int:
    """Return how many bytes a plaintext of `plain` bytes takes when sealed."""
    return plain + TAG * max(1, -(-plain // CHUNK))


def plain_length(sealed: int) -> int:
    """Return the plaintext length of a sealed payload."""
    chunks = -(-sealed // SEALED_CHUNK)
    last = sealed - (chunks - 1) * SEALED_CHUNK
    if sealed < TAG or last < TAG or (last == TAG and chunks > 1):
        raise MalformedError("no payload has this length")
    return sealed - TAG * chunks


class _Chunks:
    """The key and the chunk counter of one direction of one payload."""

    def __init__(self, key: bytes) -> None:
        self._aead = ChaCha20Poly1305(key)
        self.counter = 0
        self._finished = False

    def require_open(self) -> None:
        """Raise if the last chunk is already behind us."""
        if self._finished:
            raise MalformedError("the payload has already ended")

    def _nonce(self, *, last: bool) -> bytes:
        self.require_open()
        self._finished = last
        nonce = self.counter.to_bytes(11, "big") + (b"\x01" if last else b"\x00")
        self.counter += 1
        return nonce

    def seal(self, chunk: Data, *, last: bool) -> bytes:
        """Seal one chunk."""
        return self._aead.encrypt(self._nonce(last=last), chunk, None)

    def open(self, chunk: Data, *, last: bool) -> bytes:
        """Open one chunk."""
        try:
            return self._aead.decrypt(self._nonce(last=last), chunk, None)
        except InvalidTag as error:
            raise AuthenticationError("payload does not match its key") from error


class StreamSealer:
    """Seal a payload as it arrives."""

    def __init__(self, key: bytes) -> None:
        self._chunks = _Chunks(key)
        self._pending = bytearray(CHUNK)
        self._fill = 0

    def update(self, data: Data) -> bytes:
        """Take plaintext, return whatever chunks are complete."""
        self._chunks.require_open()
        view = memoryview(data).cast("B")
        room = CHUNK - self._fill
        if len(view) <= room:
            self._keep(view)
            return b""
        sealed: list[bytes] = []
        if self._fill:
            self._keep(view[:room])
            sealed.append(self._chunks.seal(memoryview(self._pending), last=False))
            self._fill = 0
            view = view[room:]
        while len(view) > CHUNK:
            sealed.append(self._chunks.seal(view[:CHUNK], last=False))
            view = view[CHUNK:]
        self._keep(view)
        return b"".join(sealed)

    def final(self) -> bytes:
        """Return the last chunk; afterwards the sealer refuses to work."""
        sealed = self._chunks.seal(memoryview(self._pending)[: self._fill], last=True)
        self._pending[:] = bytes(CHUNK)
        return sealed

    def _keep(self, view: memoryview) -> None:
        self._pending[self._fill : self._fill + len(view)] = view
        self._fill += len(view)


class StreamOpener:
    """Open a payload as it arrives; what `update` returns is authentic but maybe incomplete."""

    def __init__(self, key: bytes) -> None:
        self._chunks = _Chunks(key)
        self._pending = bytearray()

    def update(self, data: Data) -> bytes:
        """Take sealed bytes, return the plaintext of chunks that are known not to be the last."""
        self._chunks.require_open()
        self._pending += data
        opened: list[bytes] = []
        while len(self._pending) > SEALED_CHUNK:
            opened.append(self._chunks.open(self._pending[:SEALED_CHUNK], last=False))
            del self._pending[:SEALED_CHUNK]
        return b"".join(opened)

    def final(self) -> bytes:
        """Return the last chunk's plaintext; only now is the payload known to be complete."""
        if len(self._pending) < TAG:
            raise MalformedError("payload is cut short")
        if len(self._pending) == TAG and self._chunks.counter:
            raise MalformedError("last chunk of a payload is empty")
        return self._chunks.open(self._pending, last=True)


def seal_all(key: bytes, data: Data) -> bytes:
    """Seal a whole payload at once, without holding it twice."""
    view = memoryview(data).cast("B")
    chunks = _Chunks(key)
    last = max(0, -(-len(view) // CHUNK) - 1) * CHUNK
    sealed = [
        chunks.seal(view[at : at + CHUNK], last=at == last) for at in range(0, last + 1, CHUNK)
    ]
    return b"".join(sealed)


def open_all(key: bytes, sealed: Data) -> bytes:
    """Open a whole payload; nothing is returned unless all of it is authentic and complete."""
    plain_length(memoryview(sealed).nbytes)
    opener = StreamOpener(key)
    return opener.update(sealed) + opener.final()
