# SPDX-License-Identifier: AGPL-3.0-or-later
"""Searches bytes for unique strings in every encoding in which they might have leaked."""

import base64
import binascii
import html
import json
import urllib.parse
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path


def encodings(canary: str) -> Mapping[str, bytes]:
    """Name -> the bytes of one canary in that encoding; base64 at each of its three alignments."""
    raw = canary.encode()
    forms = {
        "plain": raw,
        "upper": canary.upper().encode(),
        "utf-16-le": canary.encode("utf-16-le"),
        "utf-16-be": canary.encode("utf-16-be"),
        "hex": binascii.hexlify(raw),
        "HEX": binascii.hexlify(raw).upper(),
        "url": urllib.parse.quote(canary, safe="").encode(),
        "form": urllib.parse.quote_plus(canary).encode(),
        "json": json.dumps(canary)[1:-1].encode(),
        "html": html.escape(canary).encode(),
        "reversed": raw[::-1],
    }
    for shift in range(3):
        # A base64 text of anything that contains the canary holds its middle characters unchanged.
        standard = base64.b64encode(b"\0" * shift + raw).rstrip(b"=")
        middle = standard[4 if shift else 0 : -2]
        forms[f"base64+{shift}"] = middle
        forms[f"base64url+{shift}"] = middle.translate(bytes.maketrans(b"+/", b"-_"))
    return forms


def find(canaries: Iterable[str], data: bytes) -> list[str]:
    """Names of the canaries (and encodings) that occur in `data`, also if it was deflated."""
    views = {"": data}
    for bits, name in ((15, "zlib:"), (31, "gzip:")):
        try:
            views[name] = zlib.decompress(data, bits)
        except zlib.error:
            continue
    return [
        f"{view}{name} of {canary[:6]}…"
        for canary in canaries
        for name, form in encodings(canary).items()
        for view, content in views.items()
        if form in content
    ]


def find_in_files(canaries: Iterable[str], files: Iterable[Path]) -> list[str]:
    """The same over files; the result names the file."""
    wanted = list(canaries)
    found: list[str] = []
    for path in files:
        found += [f"{path.name}: {hit}" for hit in find(wanted, path.read_bytes())]
        found += [f"name of {path.name}: {hit}" for hit in find(wanted, path.name.encode())]
    return found
