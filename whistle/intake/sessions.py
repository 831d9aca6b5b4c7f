# SPDX-License-Identifier: AGPL-3.0-or-later
"""Keeps a reporter's receipt at hand for a quarter of an hour, sealed under what only the cookie
holds.

The cookie is 32 random bytes: the first half finds the entry (by its SHA-256), the second half
opens it. Invariants:

* the memory of the server alone gives no receipt, the cookie alone gives no receipt, neither is
  ever stored;
* an entry ends 15 minutes after its last use, when it is left, or when too many newer ones push it
  out: newer ones of the same thread first, so that one code cannot end everybody's sessions. Which
  entries are of one thread is known by a MAC under a key of this process;
* a request under way keeps its session (`during`), however long its upload takes;
* the shape of a cookie says nothing: an unknown code gets one too, with nothing behind it.
"""

import contextlib
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from crypto.encoding import b64, unb64
from crypto.errors import MalformedError
from crypto.rng import Rng
from whistle.clock import Monotonic
from whistle.limits import MAX_SESSIONS, MAX_SESSIONS_PER_THREAD, SESSION_IDLE

COOKIE: Final = "session"
_HALF: Final = 16
_NONCE: Final = b"\0" * 12  # each key seals once


@dataclass
class _Entry:
    sealed: bytes
    until: float
    thread: bytes
    requests: int = 0  # under way


class Sessions:
    """The open sessions of this process."""

    def __init__(self, rng: Rng, monotonic: Monotonic) -> None:
        self._rng = rng
        self._now = monotonic
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._threads: dict[bytes, list[bytes]] = {}
        self._mac_key = rng(32)

    def __len__(self) -> int:
        return len(self._entries)

    def create(self, receipt: bytes, thread: bytes) -> str:
        """Open a session of a thread; return the cookie's value."""
        self._expire()
        value = self.blank()
        place, cipher = _parse(value) or _unreachable()
        sealed = cipher.encrypt(_NONCE, receipt, None)
        mac = hmac.digest(self._mac_key, thread, "sha256")
        siblings = self._threads.get(mac, ())
        if len(siblings) >= MAX_SESSIONS_PER_THREAD:
            self._end(min(siblings, key=lambda one: self._entries[one].until))
        self._entries[place] = _Entry(sealed, self._now() + SESSION_IDLE, mac)
        self._threads.setdefault(mac, []).append(place)
        while len(self._entries) > MAX_SESSIONS:
            self._end(next(iter(self._entries)))
        return value

    def blank(self) -> str:
        """Return a cookie value with nothing behind it."""
        return b64(self._rng(2 * _HALF))

    def receipt(self, value: str | None) -> bytes | None:
        """Return the receipt of a live session and prolong it, or None."""
        parsed = _parse(value)
        if parsed is None:
            return None
        place, cipher = parsed
        entry = self._entries.get(place)
        if entry is None:
            return None
        now = self._now()
        if entry.until <= now and not entry.requests:
            self._end(place)
            return None
        try:
            receipt = cipher.decrypt(_NONCE, entry.sealed, None)
        except InvalidTag:
            return None
        entry.until = now + SESSION_IDLE
        self._entries.move_to_end(place)
        return receipt

    @contextlib.contextmanager
    def during(self, value: str | None) -> Iterator[None]:
        """Keep a live session while the block runs, and prolong it at the end."""
        parsed = _parse(value)
        entry = None
        if parsed is not None and self.receipt(value) is not None:
            entry = self._entries[parsed[0]]
            entry.requests += 1
        try:
            yield
        finally:
            if entry is not None:
                self.receipt(value)  # unless it was left meanwhile
                entry.requests -= 1

    def leave(self, value: str | None) -> None:
        """End a session; only who could open it can."""
        parsed = _parse(value)
        if parsed is not None and self.receipt(value) is not None:
            self._end(parsed[0])

    def _end(self, place: bytes) -> None:
        thread = self._entries.pop(place).thread
        siblings = self._threads[thread]
        siblings.remove(place)
        if not siblings:
            del self._threads[thread]

    def _expire(self) -> None:
        """Entries are ordered by last use, so the expired ones are in front."""
        now = self._now()
        while self._entries:
            place, entry = next(iter(self._entries.items()))
            if entry.until > now:
                return
            if entry.requests:  # in use: as good as used now
                entry.until = now + SESSION_IDLE
                self._entries.move_to_end(place)
            else:
                self._end(place)


def _parse(value: str | None) -> tuple[bytes, ChaCha20Poly1305] | None:
    if not value:
        return None
    try:
        raw = unb64(value)
    except MalformedError:
        return None
    if len(raw) != 2 * _HALF:
        return None
    place = hashlib.sha256(b"whistle/v1/session-place\0" + raw[:_HALF]).digest()
    key = hashlib.sha256(b"whistle/v1/session-key\0" + raw[_HALF:]).digest()
    return place, ChaCha20Poly1305(key)


def _unreachable() -> tuple[bytes, ChaCha20Poly1305]:
    raise RuntimeError("a fresh cookie value parses")
