# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is taken in a seizure, and the search in it: memory of a running process, and files.

Three kinds of things are looked for:

* canaries: texts that hold MARK twice. MARK in any encoding, anywhere, is a find, so a remnant of
  sixteen characters of any canary is one;
* secrets: bytes such as a receipt, a key or a cookie, in halves, as bytes, hexadecimal or base64;
* codes: three words of a receipt in a row, as text, or as a row of references to the word list's
  own strings, which is how Python holds a tuple of words.
"""

import base64
import os
import re
import secrets
import struct
import subprocess
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crypto.words import LANGUAGES, word_list

MARK = "KENARIEMAS"
LINE = 4 * 1024 * 1024
"""Bytes of an image on one line of grep's input; lines overlap by more than a pattern."""

OVERLAP = 256
HEADERS = (40, 48, 56)
"""Bytes before the text of a Python string object, in the versions of CPython we run on."""

_TRIPLE = re.compile(rb"[a-z]{3,10}(?:[^a-z]|</li>\s*<li>|%20){1,12}?[a-z]{3,10}"
                     rb"(?:[^a-z]|</li>\s*<li>|%20){1,12}?[a-z]{3,10}")  # fmt: skip
_WORD = re.compile(rb"(?<![a-z])[a-z]{3,10}")
_ALONE = re.compile(rb"([a-z]{3,10})\0")


def canary() -> str:
    """A new text that is nowhere else: 36 ASCII characters, MARK twice."""
    return f"{MARK}{secrets.token_hex(4)}{MARK}{secrets.token_hex(4)}"


@dataclass(frozen=True)
class Part:
    """A piece of what was seized: where it was, its bytes, its address if it is memory."""

    place: str
    content: bytes
    address: int | None = None


def memory_of(pid: int) -> Iterator[Part]:
    """All memory of a process but program text that cannot be written, as an image holds it.

    Raises:
        PermissionError: only root may read the memory of a hardened process.
    """
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines():
            area, rights, _offset, _device, inode, *name = line.split(maxsplit=5)
            start, end = (int(number, 16) for number in area.split("-"))
            if "r" not in rights or ("w" not in rights and inode != "0"):
                continue
            try:
                memory.seek(start)
                content = _read_all(memory.fileno(), end - start)
            except (OSError, OverflowError):  # [vvar] and the like: the kernel's, not readable
                continue
            yield Part(f"memory of {name[0] if name else 'no name'}", content, start)


def _read_all(descriptor: int, size: int) -> bytes:
    pieces = []
    while size > 0:
        piece = os.read(descriptor, size)
        if not piece:
            break
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def files_of(folder: Path) -> Iterator[Part]:
    """Every file below a folder, and every name."""
    for path in sorted(folder.rglob("*")):
        yield Part(f"name of {path.name}", os.fsencode(path.name))
        if path.is_file():
            yield Part(f"file {path.name}", path.read_bytes())


def encodings(text: bytes) -> Mapping[str, bytes]:
    """Name -> the bytes of a text in that encoding; Python holds text in 1, 2 or 4 bytes each."""
    wide = text.decode("latin-1")
    found = {
        "plain": text,
        "lower": text.lower(),
        "reversed": text[::-1],
        "2 bytes": wide.encode("utf-16-le"),
        "2 bytes, big": wide.encode("utf-16-be"),
        "4 bytes": wide.encode("utf-32-le"),
        "4 bytes, big": wide.encode("utf-32-be"),
        "hex": text.hex().encode(),
        "HEX": text.hex().upper().encode(),
    }
    for shift in range(3):
        # A base64 text of anything that holds this holds its middle characters unchanged.
        middle = base64.b64encode(b"\0" * shift + text).rstrip(b"=")[4 if shift else 0 : -2]
        found[f"base64+{shift}"] = middle
    return found


def canaries_in(part: Part) -> list[str]:
    """Remnants of canaries in a part."""
    return [
        f"{part.place}: a canary ({name})"
        for name, form in encodings(MARK.encode()).items()
        if form in part.content
    ]


def codes_in(part: Part, codes: Iterable[Sequence[str]]) -> list[str]:
    """Three words of a code in a row, as text."""
    known = {
        tuple(word.encode() for word in code[at : at + 3])
        for code in codes
        for at in range(len(code) - 2)
    }
    return [
        f"{part.place}: words of a code"
        for match in _TRIPLE.finditer(part.content)
        if tuple(_WORD.findall(match[0])) in known
    ]


def secrets_in(parts: Iterable[Part], wanted: Mapping[bytes, str], work: Path) -> list[str]:
    """Halves of secrets, by one pass of grep(1) over the hexadecimal form of everything."""
    names = {
        form.hex(): f"{name} ({kind})"
        for secret, name in wanted.items()
        for kind, form in _halves(secret)
    }
    patterns = work / "patterns"
    patterns.write_text("\n".join(names) + "\n", encoding="ascii")
    done = subprocess.run(
        ["grep", "-o", "-F", "-f", str(patterns)],
        input="\n".join(line for part in parts for line in _hex_lines(part)).encode(),
        capture_output=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    if done.returncode > 1:
        raise RuntimeError(done.stderr.decode())
    return sorted({names[hit] for hit in done.stdout.decode().split()})


def _halves(secret: bytes) -> Iterator[tuple[str, bytes]]:
    middle = len(secret) // 2
    for half in (secret[:middle], secret[middle:]):
        yield "bytes", half
        yield "hex", half.hex().encode()
    text = base64.urlsafe_b64encode(secret).rstrip(b"=")
    yield "base64", text[: len(text) // 2]
    yield "base64", text[len(text) // 2 : -1]


def _hex_lines(part: Part) -> Iterator[str]:
    for start in range(0, len(part.content), LINE):
        yield part.content[start : start + LINE + OVERLAP].hex()


def references_in(parts: Iterable[Part], codes: Iterable[Sequence[str]]) -> list[str]:
    """Three words of a code in a row, as references to the strings of the word lists."""
    memory = [part for part in parts if part.address is not None]
    words = _word_objects(memory)
    known = {tuple(code[at : at + 3]) for code in codes for at in range(len(code) - 2)}
    return [
        f"{part.place}: references to words of a code"
        for part in memory
        for row in _rows(part.content, words)
        for at in range(len(row) - 2)
        if tuple(row[at : at + 3]) in known
    ]


def _word_objects(memory: Iterable[Part]) -> dict[int, str]:
    """Address -> word, for every string object that is a word of our lists."""
    wanted = {word for language in LANGUAGES for word in word_list(language).words}
    found: dict[int, str] = {}
    for part in memory:
        for match in _ALONE.finditer(part.content):
            word = match[1].decode()
            if word not in wanted:
                continue
            for header in HEADERS:
                start = match.start(1) - header
                if start >= 0 and part.content[start + 16 : start + 24] == struct.pack(
                    "<q", len(word)
                ):
                    found[(part.address or 0) + start] = word
    return found


def _rows(content: bytes, words: Mapping[int, str]) -> Iterator[list[str]]:
    """Runs of three and more references to words."""
    row: list[str] = []
    for number in array("Q", content[: len(content) // 8 * 8]):
        word = words.get(number)
        if word is not None:
            row.append(word)
            continue
        if len(row) >= 3:
            yield row
        if row:
            row = []
