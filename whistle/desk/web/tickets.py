# SPDX-License-Identifier: AGPL-3.0-or-later
"""The one-time token and the session's secret, and the file that keeps them over a restart.

- Without a file both live as long as the process.
- With one, a desk that is started again after a crash answers the same address if nobody has used
  it yet, and otherwise the browser that did. The keys stay locked all the same.
- The file is private to its user and replaced as a whole. Deleting it before a start makes a new
  address and ends the session.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crypto.encoding import canonical_json, parse_json, unhex
from crypto.errors import CryptoError
from crypto.rng import Rng
from whistle.desk.errors import KeysError
from whistle.desk.keyring import is_private, write_new

TOKEN_BYTES: Final = 24
MAX_BYTES: Final = 1024


@dataclass(frozen=True, repr=False)
class Ticket:
    """What opens the desk: a token that works once, and the secret of the session it opens."""

    token: str
    secret: str
    used: bool

    @classmethod
    def new(cls, rng: Rng) -> "Ticket":
        """A ticket nobody has used."""
        return cls(rng(TOKEN_BYTES).hex(), rng(TOKEN_BYTES).hex(), used=False)


class TicketFile:
    """A ticket on disk."""

    def __init__(self, path: Path, rng: Rng) -> None:
        self._path = path
        self._rng = rng

    def load(self) -> Ticket:
        """The ticket kept; a new one, kept at once, when there is none. Raises: KeysError."""
        try:
            data = self._path.read_bytes()
            private = is_private(self._path)
        except FileNotFoundError:
            ticket = Ticket.new(self._rng)
            self.save(ticket)
            return ticket
        except OSError as error:
            raise KeysError("desk.error.cannot_read", file=str(self._path)) from error
        if not private:
            raise KeysError("desk.error.token_file", file=str(self._path))
        try:
            return _parse(data)
        except (CryptoError, LookupError, TypeError) as error:
            raise KeysError("desk.error.token_file", file=str(self._path)) from error

    def save(self, ticket: Ticket) -> None:
        """Keeps the ticket. Raises: KeysError."""
        temporary = self._path.with_name(f"{self._path.name}.{self._rng(8).hex()}.new")
        values = {"v": 1, "token": ticket.token, "secret": ticket.secret, "used": ticket.used}
        write_new(temporary, canonical_json(values))
        try:
            temporary.replace(self._path)
        except OSError as error:
            raise KeysError("desk.error.cannot_write", file=str(self._path)) from error


def _parse(data: bytes) -> Ticket:
    source = parse_json(data, max_bytes=MAX_BYTES)
    used = source["used"]
    if source["v"] != 1 or not isinstance(used, bool):
        raise TypeError("not a ticket")
    token, secret = (unhex(source[name], TOKEN_BYTES).hex() for name in ("token", "secret"))
    return Ticket(token, secret, used)
