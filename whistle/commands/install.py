# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle install`: puts units, AppArmor profiles, users and folders of a Debian server in place.

Invariants:

* without --apply nothing is changed: the plan is printed, file by file and command by command;
* a file that is there and differs is not overwritten unless --replace says so;
* with --root everything is written below that folder and no command is run.

The plan is data (`plan`), so that what is printed is what is done. docs/install.md is the guide.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from whistle import assets
from whistle.commands.errors import CommandError
from whistle.errors import ConfigError

PREFIX_MARK = "@PREFIX@"
FILE_MODE = 0o644
FOLDER_MODE = 0o755
PLACES: Sequence[tuple[str, str]] = (
    ("sysusers.d/whistle.conf", "etc/sysusers.d/whistle.conf"),
    ("tmpfiles.d/whistle.conf", "etc/tmpfiles.d/whistle.conf"),
    ("apparmor.d/whistle-intake", "etc/apparmor.d/whistle-intake"),
    ("apparmor.d/whistle-cases", "etc/apparmor.d/whistle-cases"),
    ("systemd/whistle-intake.service", "etc/systemd/system/whistle-intake.service"),
    ("systemd/whistle-cases.service", "etc/systemd/system/whistle-cases.service"),
    ("tor/whistle.torrc", "etc/whistle/torrc"),
)
"""Our file -> where it goes, below the root of the system."""

COMMANDS: Sequence[Sequence[str]] = (
    ("systemd-sysusers", "/etc/sysusers.d/whistle.conf"),
    ("systemd-tmpfiles", "--create", "/etc/tmpfiles.d/whistle.conf"),
    ("apparmor_parser", "--replace", "/etc/apparmor.d/whistle-intake"),
    ("apparmor_parser", "--replace", "/etc/apparmor.d/whistle-cases"),
    ("systemctl", "daemon-reload"),
)
NEXT = """Next, by hand (docs/install.md explains each):
  1. copy the signed files of the organisation into /etc/whistle/org
  2. copy service.key and db.key of each server into /var/lib/whistle-intake, /var/lib/whistle-cases
  3. compare /etc/whistle/torrc with /etc/tor/torrc, add the desks' keys, restart tor
  4. systemctl enable --now whistle-intake whistle-cases
  5. whistle doctor"""


@dataclass(frozen=True)
class Placement:
    """One file of the plan."""

    path: Path
    content: str

    @property
    def state(self) -> str:
        """Say what is there now: "new", "same" or "differs"."""
        try:
            present = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return "new"
        except (OSError, UnicodeDecodeError):
            return "differs"
        return "same" if present == self.content else "differs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `whistle install`."""
    parser.add_argument("--apply", action="store_true", help="do it; otherwise it is only shown")
    parser.add_argument("--replace", action="store_true", help="overwrite files that differ")
    parser.add_argument("--root", type=Path, default=Path("/"), help="write below this folder")
    parser.add_argument(
        "--prefix", type=Path, default=Path(sys.prefix),
        help="the virtual environment of whistle on the server",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Shows the plan, and carries it out with --apply."""
    root = args.root.absolute()
    placements = list(plan(root, args.prefix))
    commands = COMMANDS if root == Path("/") else ()
    differing = [one.path for one in placements if one.state == "differs"]
    for line in describe(placements, commands):
        print(line)
    if not args.apply:
        print("\nNothing was changed. The same with --apply does it.")
        return 0
    if differing and not args.replace:
        message = f"{differing[0]} is there and differs; look at it, then add --replace"
        raise CommandError(message)
    carry_out(placements, commands)
    print(f"\nDone.\n{NEXT}")
    return 0


def plan(root: Path, prefix: Path) -> Iterator[Placement]:
    """The files to write. Raises: CommandError - the prefix cannot be used in these files."""
    text = str(prefix)
    if not prefix.is_absolute() or not all(sign.isalnum() or sign in "/._-+" for sign in text):
        message = "the prefix must be an absolute path of letters, digits and / . _ - +"
        raise CommandError(message)
    if prefix.is_relative_to("/home") or prefix.is_relative_to("/root"):
        message = f"the servers do not see {text}; install whistle elsewhere, for instance in /opt"
        raise CommandError(message)
    try:
        source = assets.find("deploy")
    except ConfigError as error:
        raise CommandError(str(error)) from error
    for ours, place in PLACES:
        content = (source / ours).read_text(encoding="utf-8").replace(PREFIX_MARK, text)
        yield Placement(root / place, content)


def describe(placements: Sequence[Placement], commands: Sequence[Sequence[str]]) -> Iterator[str]:
    """The plan in words."""
    for one in placements:
        yield f"  {one.state:<8} {one.path}"
    for words in commands:
        yield f"  run      {' '.join(words)}"


def carry_out(placements: Sequence[Placement], commands: Sequence[Sequence[str]]) -> None:
    """Writes what is not there yet, then runs the commands. Raises: CommandError."""
    for one in placements:
        if one.state != "same":
            try:
                _write(one)
            except OSError as error:
                message = f"{one.path} cannot be written ({error.strerror}); are you root?"
                raise CommandError(message) from error
    for words in commands:
        try:
            subprocess.run(words, check=True)  # noqa: S603 - the table above
        except (OSError, subprocess.CalledProcessError) as error:
            message = f"“{' '.join(words)}” failed; mend that and start again"
            raise CommandError(message) from error


def _write(one: Placement) -> None:
    one.path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    partial = one.path.with_name(f".{one.path.name}.part")
    partial.write_text(one.content, encoding="utf-8")
    partial.chmod(FILE_MODE)
    os.replace(partial, one.path)  # noqa: PTH105 - atomic replace is the point
