# SPDX-License-Identifier: AGPL-3.0-or-later
"""Saves opened attachments: under safe names, never over another file, nothing left after a
failure.

A file appears under its name only after size and hash have been verified; before that it is a
private temporary file in the same folder.
"""

import contextlib
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from case_mgmt.desk.evidence import EvidenceFile, checksum_list, unique_name
from crypto.rng import Rng
from whistle.desk.errors import UsageError

CHECKSUMS = "SHA256SUMS"
PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


def prepare_folder(folder: Path) -> None:
    """Creates the folder if need be. Raises: UsageError."""
    try:
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError("desk.error.cannot_write", file=str(folder)) from error


async def save(folder: Path, file: EvidenceFile, pieces: AsyncIterator[bytes], rng: Rng) -> Path:
    """The path the file was saved under. Raises: UsageError, and whatever `pieces` raises."""
    return await _write(folder, file.name, pieces, rng)


async def save_as(folder: Path, name: str, pieces: AsyncIterator[bytes], rng: Rng) -> Path:
    """The same for what is no attachment itself; `name` is a safe name."""
    return await _write(folder, name, pieces, rng)


async def save_checksums(folder: Path, saved: Sequence[tuple[str, Path]], rng: Rng) -> Path | None:
    """The path of the list `sha256sum --check` reads, of hashes and files; none without files.

    Raises: UsageError.
    """
    if not saved:
        return None
    listed = checksum_list((path.name, digest) for digest, path in saved)
    return await _write(folder, CHECKSUMS, once(listed), rng)


async def once(data: bytes) -> AsyncIterator[bytes]:
    """Bytes that are at hand, as pieces."""
    yield data


async def _write(folder: Path, name: str, pieces: AsyncIterator[bytes], rng: Rng) -> Path:
    temporary = folder / f".whistle-{rng(8).hex()}.part"
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(temporary, flags, PRIVATE_FILE), "wb") as stream:
            async for piece in pieces:
                stream.write(piece)
            stream.flush()
            os.fsync(stream.fileno())
        return _place(temporary, folder, name)
    except OSError as error:
        raise UsageError("desk.error.cannot_write", file=str(folder)) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _place(temporary: Path, folder: Path, name: str) -> Path:
    """Reserves a free name, then moves the finished file onto it: nobody's file is overwritten."""
    taken = {entry.name.casefold() for entry in folder.iterdir()}
    while True:
        path = folder / unique_name(name, taken)
        try:
            path.touch(mode=PRIVATE_FILE, exist_ok=False)
        except FileExistsError:
            taken.add(path.name.casefold())
            continue
        return temporary.replace(path)
