# SPDX-License-Identifier: AGPL-3.0-or-later
"""From a folder of backups to a state directory that servers start from; for restore and drill.

Order: choose the backup, let `whistle-desk` open it into a folder of its own, verify who made it,
prove it, and only then put it into place.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from whistle.backup.errors import BackupError
from whistle.backup.placing import choose, place, room
from whistle.backup.proving import opened, prove
from whistle.backup.shelf import Shelf
from whistle.backup.taking import alone
from whistle.commands.errors import CommandError
from whistle.commands.founding import call_desk
from whistle.commands.server_options import hold_state
from whistle.layout import Layout

START_TIMEOUT = 120.0
"""Seconds until both servers must answer in a drill."""

STOP_TIMEOUT = 30.0
POLL = 0.1
OPENED = "opened"
_INSTANCE_DIGITS = 64


@dataclass(frozen=True)
class Request:
    """Which backup to put where, and what opens it."""

    source: Path
    layout: Layout
    identity: Path
    passphrase_file: Path | None
    instance: str
    number: int | None
    at_least: int

    @classmethod
    def of(cls, args: argparse.Namespace, layout: Layout) -> "Request":
        """From the flags of `backup.add_opening_arguments`.  Raises: CommandError."""
        instance = args.instance.strip().lower()
        if len(instance) != _INSTANCE_DIGITS or not set(instance) <= set("0123456789abcdef"):
            message = "--instance: the instance id has 64 hexadecimal digits"
            raise CommandError(message)
        return cls(
            source=args.source,
            layout=layout,
            identity=args.identity,
            passphrase_file=args.passphrase_file,
            instance=instance,
            number=args.number,
            at_least=args.at_least,
        )


def revive(request: Request) -> list[str]:
    """Puts the backup into place; what was proved, as sentences.  Raises: CommandError."""
    try:
        shelf = Shelf(request.source)
        found = choose(shelf, request.number, request.at_least)
        with room(request.layout) as folder:
            flags: list[str | Path] = []
            if request.passphrase_file is not None:
                flags = ["--passphrase-file", request.passphrase_file]
            content = call_desk(
                "backup", "open", "--backups", request.source,
                "--number", str(found.content.number), "--identity", request.identity,
                "--out", folder / OPENED, *flags,
            )  # fmt: skip
            one = opened(folder / OPENED, found, content["tallies"], request.instance)
            said = prove(one)
            place(one, request.layout)
    except BackupError as error:
        raise CommandError(str(error)) from error
    heading = (
        f"backup {found.content.number} of {found.content.day.isoformat()}, "
        f"manifest {one.manifest.serial}: {content['files']} files"
    )
    return [heading, *said]


def try_start(layout: Layout) -> str:
    """Starts both servers on this computer only, waits until they answer, stops them.

    Raises: CommandError.
    """
    ready = layout.state.parent / "ready.json"
    output = layout.state.parent / "output.txt"
    command = [
        sys.executable, "-P", "-m", "whistle", "run", "--state", str(layout.state), "--no-tor",
        "--reporter-port", "0", "--desk-port", "0", "--ready-file", str(ready),
    ]  # fmt: skip
    with output.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603
    deadline = time.monotonic() + START_TIMEOUT
    try:
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                text = output.read_text(encoding="utf-8", errors="replace")[-2000:]
                message = f"the servers do not start from this backup:\n{text}"
                raise CommandError(message)
            time.sleep(POLL)
        json.loads(ready.read_text(encoding="utf-8"))
    finally:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return "intake and case server start from it and answer"


@contextlib.contextmanager
def stopped(layout: Layout) -> Iterator[None]:
    """No server, backup or rotation works here meanwhile.  Raises: CommandError, SourceError."""
    with contextlib.ExitStack() as held:
        for folder in (layout.state, layout.intake, layout.cases):
            if folder.is_dir():
                held.enter_context(hold_state(folder))
        held.enter_context(alone(layout))
        yield
