# SPDX-License-Identifier: AGPL-3.0-or-later
"""Published and own test vectors, and randomness that is the same in every run."""

import base64
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "vectors"
_CCTV_ENTRY = re.compile(r'^// \.\./testdata/(\w+)\nvar \w+ = __toBinary\("([^"]*)"\);', re.M)


def counting_rng(name: str = "rng") -> Any:
    """Return a generator of bytes that repeats in every run. NOT RANDOM: for tests only."""
    counter = 0

    def rng(length: int) -> bytes:
        nonlocal counter
        blocks = []
        for _ in range(-(-length // 32)):
            blocks.append(sha256(f"{name}/{counter}".encode()).digest())
            counter += 1
        return b"".join(blocks)[:length]

    return rng


def seed(name: str) -> bytes:
    """Return 32 fixed bytes for a name."""
    return sha256(f"seed/{name}".encode()).digest()


@cache
def own_vectors() -> dict[str, Any]:
    """Return vectors.json."""
    vectors: dict[str, Any] = json.loads((FOLDER / "vectors.json").read_text(encoding="utf-8"))
    return vectors


def npm_package(name: str) -> Path:
    """Return where an npm package is installed, or say how to install it."""
    folder = FOLDER / "node_modules" / name
    if not folder.is_dir():
        raise FileNotFoundError(f"npm package {name} is not installed: run `make setup`")
    return folder


@dataclass(frozen=True)
class CctvVector:
    """One C2SP CCTV age vector: what should happen, and the file."""

    name: str
    expect: str
    payload_sha256: str
    identities: tuple[str, ...]
    container: bytes


def cctv_vectors(*families: str) -> list[CctvVector]:
    """Return the age vectors whose names start with one of the families."""
    source = (npm_package("cctv-age") / "index.js").read_text(encoding="utf-8")
    return [
        _cctv_vector(name, base64.b64decode(data))
        for name, data in _CCTV_ENTRY.findall(source)
        if name.partition("_")[0] in families
    ]


def _cctv_vector(name: str, data: bytes) -> CctvVector:
    head, _, container = data.partition(b"\n\n")
    pairs = [line.split(": ", 1) for line in head.decode().split("\n")]
    values = dict(pairs)
    if values.get("compressed") == "zlib":
        container = zlib.decompress(container)
    identities = tuple(value for key, value in pairs if key == "identity")
    return CctvVector(name, values["expect"], values.get("payload", ""), identities, container)


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """Cut data into pieces of this size."""
    for start in range(0, len(data), size):
        yield data[start : start + size]
