# SPDX-License-Identifier: AGPL-3.0-or-later
"""The `whistle` program: finds the command, runs it, turns its errors into a sentence and an exit
code.

Only the chosen command's module is imported, so that the intake server stays small. Nothing
reachable from here can open a report (import contract "No server can open a report"): that is
`whistle-desk`.

Exit codes: 0 done, 1 refused or failed, 2 wrong usage.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from whistle import __version__
from whistle.commands.errors import CommandError
from whistle.overwriting import start_again_overwriting


class Command(Protocol):
    """What a module in whistle.commands offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declares the command's flags."""

    def run(self, args: argparse.Namespace) -> int:
        """Does the work; returns the exit code. Raises: CommandError."""


@dataclass(frozen=True)
class Entry:
    """One line of the command table."""

    summary: str
    load: Callable[[], Command]
    overwrites: bool = False
    """Whether its process must overwrite the memory it frees (`whistle.overwriting`)."""


class HelpFormatter(argparse.HelpFormatter):
    """Shows a default where it tells the reader something."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if isinstance(action.default, tuple):
            return f"{action.help} (default: {':'.join(map(str, action.default))})"
        if isinstance(action.default, bool | None) or action.default is argparse.SUPPRESS:
            return action.help
        return f"{action.help} (default: %(default)s)"


def _load_run() -> Command:
    from whistle.commands import run

    return run


def _load_init() -> Command:
    from whistle.commands import init

    return init


def _load_intake() -> Command:
    from whistle.commands import intake

    return intake


def _load_cases() -> Command:
    from whistle.commands import cases

    return cases


def _load_install() -> Command:
    from whistle.commands import install

    return install


def _load_metrics() -> Command:
    from whistle.commands import metrics

    return metrics


def _load_doctor() -> Command:
    from whistle.commands import doctor

    return doctor


def _load_backup() -> Command:
    from whistle.commands import backup

    return backup


def _load_restore() -> Command:
    from whistle.commands import restore

    return restore


def _load_rotate() -> Command:
    from whistle.commands import rotate

    return rotate


def _load_seal() -> Command:
    from whistle.commands import seal

    return seal


def _load_read() -> Command:
    from whistle.commands import read

    return read


def _load_verify_site() -> Command:
    from whistle.commands import verify_site

    return verify_site


def _load_poster() -> Command:
    from whistle.commands import poster

    return poster


def _load_witness() -> Command:
    from whistle.commands import witness

    return witness


def _load_publish() -> Command:
    from whistle.commands import publish

    return publish


def _load_verify() -> Command:
    from whistle.commands import verify

    return verify


def _load_federate() -> Command:
    from whistle.commands import federate

    return federate


COMMANDS: dict[str, Entry] = {
    "run": Entry("start everything on this machine (first start: a demo organisation)", _load_run),
    "init": Entry("found a real organisation: names, people, units, signed manifest", _load_init),
    "doctor": Entry(
        "check keys, Tor, permissions, swap, clock; say how to mend each", _load_doctor
    ),
    "intake": Entry(
        "the intake server alone (public pages, sealing, feed)", _load_intake, overwrites=True
    ),
    "cases": Entry("the case server alone (cases, clock, gate, interface for desks)", _load_cases),
    "backup": Entry("encrypted incremental backups: make, check, drill, prune", _load_backup),
    "restore": Entry("put a backup into an empty state directory", _load_restore),
    "rotate": Entry(
        "new keys: database, servers, onion address; hand-over of the root", _load_rotate
    ),
    "install": Entry("a server's units, users and profiles: shown, then put there", _load_install),
    "metrics": Entry("a running server's coarse counters", _load_metrics),
    "poster": Entry("a poster with onion address, check words and QR codes", _load_poster),
    "seal": Entry("reporters: seal a report on this computer, away from any server", _load_seal),
    "read": Entry("reporters: what became of a report, with its code", _load_read),
    "witness": Entry(
        "watch somebody's public log, so that it cannot show two histories", _load_witness
    ),
    "publish": Entry("releases and batches of the public log; what is due when", _load_publish),
    "verify": Entry(
        "whether published numbers, promises and proofs are true; no server", _load_verify
    ),
    "federate": Entry("several cities' releases in one table, each verified first", _load_federate),
    "verify-site": Entry("is a live site what its organisation signed?", _load_verify_site),
}


def _overview() -> str:
    lines = ["usage: whistle COMMAND [...]", "", "commands:"]
    lines += [f"  {name:<12}{entry.summary}" for name, entry in COMMANDS.items()]
    lines += [
        "",
        "`whistle COMMAND --help` explains one command.",
        "Investigators use `whistle-desk` on their own computers.",
    ]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; never shows a traceback for a mistake the reader can mend."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in {"-h", "--help", "help"}:
        print(_overview())
        return 0 if words else 2
    if words[0] == "--version":
        print(f"whistle {__version__}")
        return 0
    entry = COMMANDS.get(words[0])
    if entry is None:
        print(f"whistle: there is no command “{words[0]}”.\n\n{_overview()}", file=sys.stderr)
        return 2
    if entry.overwrites and argv is None:
        start_again_overwriting()
    command = entry.load()
    parser = argparse.ArgumentParser(
        prog=f"whistle {words[0]}",
        description=entry.summary[0].upper() + entry.summary[1:] + ".",
        formatter_class=HelpFormatter,
    )
    command.add_arguments(parser)
    try:
        return command.run(parser.parse_args(words[1:]))
    except CommandError as error:
        print(f"whistle {words[0]}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
