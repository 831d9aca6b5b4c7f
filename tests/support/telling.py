# SPDX-License-Identifier: AGPL-3.0-or-later
"""Finds in bytes what tells on the computer that made them: its clock, its software, its names.

`telling(data)` names what it found. Text is searched for the words of this computer and for
times of day; containers (PNG, gzip, ZIP, PDF) are taken apart, because their clocks and makers hide
in binary fields. A new kind of file needs one entry in `CONTAINERS`.

The clock of the tests stands on days of their own choosing, so today's real date is a leak too.
"""

import datetime
import functools
import getpass
import io
import platform
import re
import socket
import ssl
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parents[2]
SOFTWARE = ("aiohttp", "uvloop", "jinja2", "cryptography", "sqlcipher3", "sqlalchemy", "hatchling")
PNG_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"bKGD", b"IDAT", b"IEND"})
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
PDF_KEYS = (b"/CreationDate", b"/ModDate", b"/Producer", b"/Creator", b"/Author", b"xmp:CreateDate")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_TIME: Final = re.compile(rb"(?<![\w:.-])(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?![\w:])")


@functools.cache
def words() -> Mapping[str, bytes]:
    """What this computer and its software are called, where a word is long enough to be one."""
    named = {
        "host": socket.gethostname(),
        "full host name": socket.getfqdn(),
        "user": getpass.getuser(),
        "home": f"{Path.home()}/",
        "checkout": str(ROOT),
        "temporary folder": tempfile.gettempdir() + "/",
        "interpreter": sys.executable,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "python in a header": f"Python/{sys.version_info[0]}.{sys.version_info[1]}",
        "implementation": platform.python_implementation(),
        "openssl": ssl.OPENSSL_VERSION,
    }
    named |= {f"version of {name}": f"{name}/{metadata.version(name)}" for name in SOFTWARE}
    kept = {what: word for what, word in named.items() if len(word) >= 5}
    return {what: word.lower().encode() for what, word in kept.items()}


def clocks(now: float) -> Mapping[str, bytes]:
    """This moment in the notations in which programs write it."""
    there = datetime.datetime.fromtimestamp(now, datetime.UTC)
    here = datetime.datetime.fromtimestamp(now)
    days = {there.date(), here.date()}
    found = {f"date {day}": day.isoformat() for day in days}
    found |= {f"web date {day}": f"{day:%d} {MONTHS[day.month - 1]} {day.year}" for day in days}
    found |= {f"packed date {day}": f"{day:%Y%m%d}" for day in days}
    found["seconds since 1970"] = str(int(now))[:7]  # this and the next few hours
    return {what: word.lower().encode() for what, word in found.items()}


def telling(data: bytes, *, times: bool = True) -> list[str]:
    """What these bytes tell; `times` False where times of day are part of the content."""
    lower = data.lower()
    found = [what for what, word in words().items() if _stands_alone(word, lower)]
    found += [what for what, word in clocks(time.time()).items() if _stands_alone(word, lower)]
    if times:
        found += [f"time {one.group().decode()}" for one in _TIME.finditer(data)]
    for magic, look in CONTAINERS.items():
        if data.startswith(magic):
            found += look(data)
    return found


def _stands_alone(word: bytes, data: bytes) -> bool:
    """Whether a word is there and not only as a part of base64 or of a longer number."""
    return re.search(rb"(?<![\w])" + re.escape(word), data) is not None


def _png(data: bytes) -> Iterator[str]:
    at = 8
    while at + 8 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        if kind not in PNG_CHUNKS:
            yield f"PNG chunk {kind!r}"
        at += 12 + length


def _gzip(data: bytes) -> Iterator[str]:
    if data[4:8] != bytes(4):
        yield "gzip time"
    if data[3] & 0b11000:
        yield "gzip name or comment"


def _zip(data: bytes) -> Iterator[str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            if entry.date_time != ZIP_EPOCH:
                yield f"ZIP time of {entry.filename}"
            if entry.extra or entry.comment:
                yield f"ZIP extra field of {entry.filename}"


def _pdf(data: bytes) -> Iterator[str]:
    yield from (f"PDF {key.decode()}" for key in PDF_KEYS if key in data)


CONTAINERS: Final[Mapping[bytes, Callable[[bytes], Iterator[str]]]] = {
    b"\x89PNG\r\n\x1a\n": _png,
    b"\x1f\x8b": _gzip,
    b"PK\x03\x04": _zip,
    b"%PDF-": _pdf,
}
