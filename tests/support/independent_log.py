# SPDX-License-Identifier: AGPL-3.0-or-later
"""A second reader of public logs, written from the specifications' text alone.

It shares no line with `crypto.tlog`: its own parsing (regular expressions over bytes), its own tree
(the recursive definition of RFC 6962), another Ed25519 (the `cryptography` package).  It only
reads; what it accepts or refuses must agree with what the project writes.

Sources: RFC 6962 section 2.1; C2SP signed-note, tlog-checkpoint, tlog-tiles, tlog-cosignature,
tlog-proof.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SIGNATURE_LINE = re.compile(rb"\xe2\x80\x94 ([^ +\n]+) ([A-Za-z0-9+/]+={0,2})\n")
NUMBER = re.compile(r"0|[1-9][0-9]*")


class BadLogError(Exception):
    """The log does not hold."""


class Head(NamedTuple):
    """What a log says about itself."""

    origin: str
    size: int
    root: bytes


class Key(NamedTuple):
    """A verifier key taken apart."""

    name: bytes
    key_id: bytes
    kind: int
    public: bytes


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def mth(entries: list[bytes]) -> bytes:
    """MTH(D[n]) word for word."""
    n = len(entries)
    if n == 0:
        return sha256(b"")
    if n == 1:
        return sha256(b"\x00" + entries[0])
    k = power_below(n)
    return sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:]))


def power_below(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def path(m: int, entries: list[bytes]) -> list[bytes]:
    """PATH(m, D[n]) word for word."""
    n = len(entries)
    if n == 1:
        return []
    k = power_below(n)
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def proof(m: int, entries: list[bytes]) -> list[bytes]:
    """PROOF(m, D[n]) word for word."""
    return subproof(m, entries, whole=True)


def subproof(m: int, entries: list[bytes], *, whole: bool) -> list[bytes]:
    n = len(entries)
    if m == n:
        return [] if whole else [mth(entries)]
    k = power_below(n)
    if m <= k:
        return [*subproof(m, entries[:k], whole=whole), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], whole=False), mth(entries[:k])]


def root_by_path(index: int, size: int, leaf: bytes, hashes: list[bytes]) -> bytes:
    """Follow an audit path upwards by the same recursion that makes it."""
    if size == 1:
        if hashes:
            raise BadLogError("path too long")
        return leaf
    if not hashes:
        raise BadLogError("path too short")
    k = power_below(size)
    if index < k:
        return sha256(b"\x01" + root_by_path(index, k, leaf, hashes[:-1]) + hashes[-1])
    return sha256(b"\x01" + hashes[-1] + root_by_path(index - k, size - k, leaf, hashes[:-1]))


def key(vkey: str) -> Key:
    name, identifier, encoded = vkey.encode().split(b"+", 2)
    raw = base64.b64decode(encoded, validate=True)
    wanted = sha256(name + b"\n" + raw)[:4]
    if wanted.hex().encode() != identifier:
        raise BadLogError("key id")
    return Key(name, wanted, raw[0], raw[1:])


def signed_by(note: bytes, vkey: str) -> tuple[bytes, int | None]:
    """The text and, for a cosignature, its time; or BadLogError."""
    cut = note.rindex(b"\n\n") + 1
    text, tail = note[:cut], note[cut + 1 :]
    if SIGNATURE_LINE.sub(b"", tail) or not tail:
        raise BadLogError("signature lines")
    known = key(vkey)
    for name, encoded in SIGNATURE_LINE.findall(tail):
        blob = base64.b64decode(encoded, validate=True)
        if name == known.name and blob[:4] == known.key_id:
            return text, check(known, blob[4:], text)
    raise BadLogError("no signature by this key")


def check(known: Key, signature: bytes, text: bytes) -> int | None:
    time = None
    if known.kind == 4:
        time = int.from_bytes(signature[:8], "big")
        text = b"cosignature/v1\ntime " + str(time).encode() + b"\n" + text
        signature = signature[8:]
    elif known.kind != 1:
        raise BadLogError("key type")
    try:
        Ed25519PublicKey.from_public_bytes(known.public).verify(signature, text)
    except InvalidSignature as error:
        raise BadLogError("signature") from error
    return time


def head(note: bytes, log: str) -> Head:
    """The checkpoint a log signed."""
    text, _ = signed_by(note, log)
    lines = text.decode().split("\n")
    if len(lines) < 4 or lines[-1] != "" or NUMBER.fullmatch(lines[1]) is None:
        raise BadLogError("checkpoint")
    root = base64.b64decode(lines[2], validate=True)
    if len(root) != 32 or lines[0].encode() != key(log).name:
        raise BadLogError("checkpoint")
    return Head(lines[0], int(lines[1]), root)


def file_name(kind: str, n: int, width: int) -> str:
    digits = str(n)
    while len(digits) % 3:
        digits = "0" + digits
    parts = re.findall("...", digits)
    name = "/".join(["x" + part for part in parts[:-1]] + parts[-1:])
    return f"tile/{kind}/{name}" + (f".p/{width}" if width < 256 else "")


def entries_of(files: Mapping[str, bytes], size: int) -> list[bytes]:
    """Every entry, out of the bundles."""
    found: list[bytes] = []
    for n in range((size + 255) // 256):
        width = min(256, size - 256 * n)
        data = files[file_name("entries", n, width)]
        for _ in range(width):
            length = int.from_bytes(data[:2], "big")
            found.append(data[2 : 2 + length])
            if len(found[-1]) != length:
                raise BadLogError("bundle cut short")
            data = data[2 + length :]
        if data:
            raise BadLogError("bundle too long")
    return found


def check_tiles(files: Mapping[str, bytes], entries: list[bytes]) -> None:
    """Every tile is the sequence of MTH(D[(n*256+i)*256^l : (n*256+i+1)*256^l])."""
    level, size = 0, len(entries)
    while size // 256**level:
        span = 256**level
        hashes = [mth(entries[i * span : (i + 1) * span]) for i in range(size // span)]
        for n in range((len(hashes) + 255) // 256):
            part = hashes[n * 256 : (n + 1) * 256]
            if files[file_name(str(level), n, len(part))] != b"".join(part):
                raise BadLogError("tile")
        level += 1


def read_log(files: Mapping[str, bytes], log: str, witnesses: list[str]) -> list[bytes]:
    """All entries of a log whose checkpoint every one of these witnesses cosigned."""
    note = files["checkpoint"]
    claimed = head(note, log)
    for each in witnesses:
        if signed_by(note, each)[1] is None:
            raise BadLogError("not a cosigner")
    entries = entries_of(files, claimed.size)
    if mth(entries) != claimed.root:
        raise BadLogError("root")
    check_tiles(files, entries)
    return entries


def check_proof_file(data: bytes, entry: bytes, log: str, witnesses: list[str]) -> Head:
    """The checkpoint under which this entry is proven to be in the log."""
    start, note = data.split(b"\n\n", 1)
    lines = start.decode().split("\n")
    if lines.pop(0) != "c2sp.org/tlog-proof@v1":
        raise BadLogError("proof file")
    if lines[0].startswith("extra "):
        lines.pop(0)
    index = int(lines.pop(0).removeprefix("index "))
    hashes = [base64.b64decode(line, validate=True) for line in lines]
    claimed = head(note, log)
    for each in witnesses:
        signed_by(note, each)
    if root_by_path(index, claimed.size, sha256(b"\x00" + entry), hashes) != claimed.root:
        raise BadLogError("proof")
    return claimed
