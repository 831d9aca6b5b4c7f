# SPDX-License-Identifier: AGPL-3.0-or-later
"""The header of an age v1 file: strict parsing, writing, and the keys that follow from it.

Invariants:
- a header is accepted only in its single canonical form, so parse-then-write gives the same bytes;
- whoever reads verifies the header's MAC (`verify_mac`) before touching any payload.

Source: C2SP age, sections "Header" and "Payload".
"""

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from crypto import kdf
from crypto.encoding import b64_standard, unb64_standard
from crypto.errors import AuthenticationError, MalformedError

VERSION_LINE: Final = b"age-encryption.org/v1\n"
MAC_PREFIX: Final = b"--- "
MAC_LENGTH: Final = 32
FILE_KEY: Final = 16
PAYLOAD_NONCE: Final = 16
MAX_HEADER: Final = 131072  # bytes a reader collects before it gives up
MAX_STANZAS: Final = 64  # stanzas a reader looks at

_COLUMNS: Final = 64
_STANZA_PREFIX: Final = b"-> "
_ARGUMENT: Final = re.compile(rb"[\x21-\x7e]+")
_MAC_LINE: Final = re.compile(rb"--- ([A-Za-z0-9+/]{43})")


@dataclass(frozen=True)
class Stanza:
    """One recipient's share: arguments (the first is the type) and a body."""

    arguments: tuple[bytes, ...]
    body: bytes

    def encode(self) -> bytes:
        """Return the stanza's lines."""
        text = b64_standard(self.body)
        lines = [text[at : at + _COLUMNS] for at in range(0, len(text) + 1, _COLUMNS)]
        return b"-> " + b" ".join(self.arguments) + b"\n" + b"\n".join(lines) + b"\n"


@dataclass(frozen=True)
class Header:
    """A parsed header; nothing in it is authentic before `verify_mac` has returned."""

    stanzas: tuple[Stanza, ...]
    mac: bytes
    covered: bytes  # what the MAC covers: everything up to and including "---"
    length: int

    def verify_mac(self, file_key: bytes) -> None:
        """Raise `AuthenticationError` unless the header was written with this file key."""
        if not hmac.compare_digest(self.mac, _mac(file_key, self.covered)):
            raise AuthenticationError("header MAC does not match")


def build_header(stanzas: Iterable[bytes], file_key: bytes) -> bytes:
    """Return a whole header around stanzas that are already encoded."""
    covered = VERSION_LINE + b"".join(stanzas) + MAC_PREFIX[:3]
    return covered + b" " + b64_standard(_mac(file_key, covered)) + b"\n"


def parse_header(data: bytes) -> Header:
    """Parse the header at the start of a container; what follows it is not looked at."""
    header = try_parse_header(data)
    if header is None:
        raise MalformedError("age header is cut short")
    return header


def try_parse_header(data: bytes) -> Header | None:
    """Parse the header at the start of `data`; None when more bytes are needed to tell."""
    if data[: len(VERSION_LINE)] != VERSION_LINE[: len(data)]:
        raise MalformedError("not an age v1 file")
    end = data.find(b"\n" + MAC_PREFIX)
    line_end = data.find(b"\n", end + 1) if end >= 0 else -1
    if line_end < 0 or line_end > MAX_HEADER:
        if len(data) > MAX_HEADER:
            raise MalformedError("age header is too long")
        return None
    match = _MAC_LINE.fullmatch(data, end + 1, line_end)
    if match is None:
        raise MalformedError("age header MAC line is malformed")
    mac = unb64_standard(match[1])
    lines = data[len(VERSION_LINE) : end].split(b"\n") if end >= len(VERSION_LINE) else []
    return Header(
        stanzas=_parse_stanzas(lines),
        mac=mac,
        covered=data[: end + len(MAC_PREFIX)],
        length=line_end + 1,
    )


def payload_key(file_key: bytes, nonce: bytes) -> bytes:
    """Return the key of the payload's STREAM."""
    return kdf.hkdf(nonce, file_key, b"payload", 32)


def _mac(file_key: bytes, covered: bytes) -> bytes:
    return hmac.digest(kdf.hkdf(b"", file_key, b"header", 32), covered, "sha256")


def _parse_stanzas(lines: list[bytes]) -> tuple[Stanza, ...]:
    stanzas: list[Stanza] = []
    at = 0
    while at < len(lines):
        arguments = _parse_arguments(lines[at])
        body_end = at + 1
        while body_end < len(lines) and len(lines[body_end]) == _COLUMNS:
            body_end += 1
        if body_end == len(lines) or len(lines[body_end]) > _COLUMNS:
            raise MalformedError("age stanza body does not end in a short line")
        body = unb64_standard(b"".join(lines[at + 1 : body_end + 1]))
        stanzas.append(Stanza(arguments, body))
        at = body_end + 1
    if not 0 < len(stanzas) <= MAX_STANZAS:
        raise MalformedError("age header has no stanza or too many")
    return tuple(stanzas)


def _parse_arguments(line: bytes) -> tuple[bytes, ...]:
    if not line.startswith(_STANZA_PREFIX):
        raise MalformedError("age stanza does not start with an arrow")
    arguments = tuple(line[len(_STANZA_PREFIX) :].split(b" "))
    if not all(_ARGUMENT.fullmatch(argument) for argument in arguments):
        raise MalformedError("age stanza has a malformed argument")
    return arguments
