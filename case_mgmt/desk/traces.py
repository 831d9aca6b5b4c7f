# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sorts the names of metadata into what they give away, so that it can be said in plain words.

Only names are looked at, never values: a value is what a clean copy is meant to be without.
The first group whose word occurs in a name wins; the order is from the most to the least telling.
"""

from collections.abc import Iterable
from typing import Final, Literal

Trace = Literal["place", "person", "device", "time", "thumbnail", "words", "other"]

_WORDS: Final[tuple[tuple[Trace, tuple[str, ...]], ...]] = (
    ("place", ("gps", "location", "latitude", "longitude", "city", "country", "altitude")),
    ("thumbnail", ("thumbnail", "preview")),
    (
        "person",
        (
            "author", "artist", "creator", "by-line", "byline", "owner", "company", "copyright",
            "manager", "modifiedby", "lastmodified", "contact", "rsid",
        ),
    ),
    ("time", ("date", "time", "created", "modified")),
    (
        "device",
        (
            "make", "model", "serial", "software", "lens", "camera", "producer", "application",
            "generator", "encoder", "device", "host", "firmware", "processing",
        ),
    ),
    (
        "words",
        ("comment", "description", "title", "subject", "keyword", "caption", "text", "note"),
    ),
)  # fmt: skip
_STRUCTURE: Final = frozenset(
    {"timescale", "handlerdescription", "handlertype", "handlervendorid", "compressorid"}
)
"""Parts of every video file that sound like more (ISO/IEC 14496-12)."""
TRACES: Final[tuple[Trace, ...]] = (*(trace for trace, _ in _WORDS), "other")


def trace_of(name: str) -> Trace:
    """What a metadata name gives away."""
    folded = name.casefold()
    if folded in _STRUCTURE:
        return "other"
    for trace, words in _WORDS:
        if any(word in folded for word in words):
            return trace
    return "other"


def traces_of(names: Iterable[str]) -> tuple[Trace, ...]:
    """Each group that occurs, once, in the order of TRACES."""
    found = {trace_of(name) for name in names}
    return tuple(trace for trace in TRACES if trace in found)
