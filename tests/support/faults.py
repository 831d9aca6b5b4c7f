# SPDX-License-Identifier: AGPL-3.0-or-later
"""Disks that fill up, turn read-only or lose bytes, and what a server's log says of it.

Real file systems: a tmpfs of a few megabytes, and an ext4 in a file that is told to have met an
error. Both need root; without it their tests are left out.
"""

import contextlib
import io
import json
import logging
import os
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import structlog

from whistle import logs

PAGE = 4096
needs_mounts = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")


def run(*words: str | Path) -> None:
    subprocess.run([str(word) for word in words], check=True, capture_output=True)


@contextlib.contextmanager
def small_disk(folder: Path, size: str = "8m") -> Iterator[Path]:
    """A disk of its own at `folder`."""
    folder.mkdir(mode=0o700, parents=True)
    run("mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", folder)
    try:
        yield folder
    finally:
        run("umount", "--lazy", folder)


def fill(folder: Path, leave: int = 0) -> Path:
    """Fills the disk up to `leave` bytes; returns the file that does it."""
    filler = folder / "filler"
    state = os.statvfs(folder)
    with filler.open("wb") as file:
        file.write(bytes(state.f_bavail * state.f_frsize - leave))
    return filler


@contextlib.contextmanager
def failing_disk(folder: Path) -> Iterator["FailingDisk"]:
    """An ext4 at `folder` that turns read-only at its first error."""
    image = folder.with_suffix(".img")
    folder.mkdir(mode=0o700, parents=True)
    with image.open("wb") as file:
        file.truncate(24 * 1024 * 1024)
    run("mkfs.ext4", "-q", image)
    disk = FailingDisk(folder, image)
    disk.mount()
    try:
        yield disk
    finally:
        disk.unmount()


class FailingDisk:
    """An ext4 in a file."""

    def __init__(self, folder: Path, image: Path) -> None:
        self.folder, self._image = folder, image

    def mount(self, options: str = "errors=remount-ro") -> None:
        run("mount", "-o", f"loop,{options}", self._image, self.folder)

    def unmount(self) -> None:
        run("umount", "--lazy", self.folder)

    def fail(self) -> None:
        """What the kernel does when it meets an error: no more writing."""
        source = subprocess.run(
            ["findmnt", "-n", "-o", "SOURCE", str(self.folder)],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        name = Path(source.stdout.strip()).name
        Path(f"/sys/fs/ext4/{name}/trigger_fs_error").write_text("1", encoding="ascii")

    def mend(self) -> None:
        """What an operator does: unmount, check, mount."""
        run("umount", self.folder)
        subprocess.run(["e2fsck", "-fy", str(self._image)], check=False, capture_output=True)
        self.mount()


def damage(path: Path, page: int) -> None:
    """Turns some bits within a page of a database."""
    with path.open("r+b") as file:
        file.seek(page * PAGE + 100)
        old = file.read(16)
        file.seek(page * PAGE + 100)
        file.write(bytes(byte ^ 0xFF for byte in old))


def damage_all_but_first(path: Path) -> None:
    """Turns some bits in every page but the first."""
    for page in range(1, path.stat().st_size // PAGE):
        damage(path, page)


def kinds(text: str) -> list[str]:
    """The kinds of all events of a log."""
    found = []
    for line in text.splitlines():
        with contextlib.suppress(ValueError):
            event = json.loads(line)
            if isinstance(event, dict) and "kind" in event:
                found.append(str(event["kind"]))
    return found


@contextlib.contextmanager
def listening_to_logs() -> Iterator[io.StringIO]:
    """What the servers of this process log."""
    stream = io.StringIO()
    logs.configure(lambda: date(2026, 4, 7), stream)
    try:
        yield stream
    finally:
        logging.disable(logging.NOTSET)
        structlog.configure(processors=[logs.be_silent])
