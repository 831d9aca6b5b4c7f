# SPDX-License-Identifier: AGPL-3.0-or-later
"""The files that are the same for every reader: stylesheet, scripts, word lists.

Invariants:

* a file's address holds its hash, so it never changes at one address and may be cached for ever;
* nothing here is made from what a reader sent, so packing it tells nobody anything.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Final

from whistle.assets import static_dir
from whistle.i18n import LANGUAGES

CSS: Final = "text/css; charset=utf-8"
HTML: Final = "text/html; charset=utf-8"
SCRIPT: Final = "text/javascript; charset=utf-8"
TEXT: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class StaticFile:
    """One file and its type."""

    path: str
    body: bytes
    type: str

    @cached_property
    def packed(self) -> bytes:
        """The same bytes for browsers that accept gzip."""
        return gzip.compress(self.body, 9, mtime=0)


@dataclass(frozen=True)
class Statics:
    """What pages refer to, by name."""

    style: StaticFile
    script: StaticFile
    worker: StaticFile
    words: Mapping[str, StaticFile]

    def all(self) -> tuple[StaticFile, ...]:
        """Everything there is to serve."""
        return (self.style, self.script, self.worker, *self.words.values())


def hashed(stem: str, ending: str, body: bytes, kind: str) -> StaticFile:
    """Give a file the address that follows from its content."""
    digest = hashlib.sha256(body).hexdigest()[:16]
    return StaticFile(f"/{stem}-{digest}.{ending}", body, kind)


def load() -> Statics:
    """Read the files of this installation."""
    folder = static_dir()
    lists = files("crypto") / "wordlists"
    return Statics(
        style=hashed("style", "css", (folder / "style.css").read_bytes(), CSS),
        script=hashed("browser", "js", (folder / "browser.js").read_bytes(), SCRIPT),
        worker=hashed("browser-worker", "js", (folder / "browser-worker.js").read_bytes(), SCRIPT),
        words={
            lang: hashed(f"words-{lang}", "txt", (lists / f"{lang}.txt").read_bytes(), TEXT)
            for lang in LANGUAGES
        },
    )
