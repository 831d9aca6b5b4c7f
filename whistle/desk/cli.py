# SPDX-License-Identifier: AGPL-3.0-or-later
"""The `whistle-desk` program: finds a command, runs it, turns errors into exit codes.

Exit codes: 0 done, 1 refused by server or gate, 2 wrong usage, 3 server unreachable, 4 keys.
Nothing here decides anything; see docs/spec/desk.md for every command and its JSON.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence

from crypto.rng import Rng, system_rng
from whistle.desk import key_commands
from whistle.desk.arguments import build_parser
from whistle.desk.errors import EXIT_OK, DeskError
from whistle.desk.terminal import Terminal
from whistle.i18n import Catalogue, Language

EXIT_INTERRUPTED = 130
Command = Callable[[argparse.Namespace, Terminal, Rng], None]

COMMANDS: Mapping[tuple[str, str | None], Command] = {
    ("keys", "new"): key_commands.keys_new,
    ("keys", "show"): key_commands.keys_show,
    ("root", "new"): key_commands.root_new,
    ("root", "sign"): key_commands.root_sign,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; never shows a traceback for a mistake the reader can mend."""
    args = build_parser().parse_args(argv)
    terminal = _terminal(args, os.environ)
    command = COMMANDS[args.command, getattr(args, "action", None)]
    try:
        command(args, terminal, system_rng)
    except DeskError as error:
        terminal.fail(error)
        return error.exit_code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return EXIT_OK


def language(wanted: str | None, environment: Mapping[str, str]) -> Language:
    """The asked-for language; else Indonesian when LANG is id… or unset, else English."""
    if wanted is not None:
        return "en" if wanted == "en" else "id"
    name = environment.get("LC_ALL") or environment.get("LANG") or "id"
    return "id" if name.lower().startswith("id") else "en"


def _terminal(args: argparse.Namespace, environment: Mapping[str, str]) -> Terminal:
    colour = sys.stdout.isatty() and "NO_COLOR" not in environment and not args.json
    return Terminal(
        texts=Catalogue.load(language(args.lang, environment)),
        out=sys.stdout,
        err=sys.stderr,
        as_json=args.json,
        colour=colour,
    )
