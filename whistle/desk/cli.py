# SPDX-License-Identifier: AGPL-3.0-or-later
"""The `whistle-desk` program: finds a command, runs it, turns errors into exit codes.

Exit codes: 0 done, 1 refused by server or gate, 2 wrong usage, 3 server unreachable, 4 keys.
Nothing here decides anything; see docs/spec/desk.md for every command and its JSON.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from crypto.rng import Rng, system_rng
from whistle.desk import backup_commands, key_commands, onion_keys, root_commands, site_commands
from whistle.desk.arguments import build_parser
from whistle.desk.errors import EXIT_OK, DeskError
from whistle.desk.terminal import Terminal
from whistle.hardening import harden_process
from whistle.i18n import Catalogue, Language

if TYPE_CHECKING:
    from whistle.desk.connection import Surroundings

EXIT_INTERRUPTED = 130
KeyCommand = Callable[[argparse.Namespace, Terminal, Rng], None]
CaseCommand = Callable[[argparse.Namespace, Terminal, "Surroundings"], Awaitable[None]]


def _key_command(args: argparse.Namespace) -> KeyCommand:
    return {
        ("keys", "new"): key_commands.keys_new,
        ("keys", "show"): key_commands.keys_show,
        ("keys", "onion"): onion_keys.keys_onion,
        ("root", "new"): key_commands.root_new,
        ("root", "sign"): key_commands.root_sign,
        ("root", "sign-site"): site_commands.root_sign_site,
        ("root", "hand-over"): root_commands.root_hand_over,
        ("backup", "new"): backup_commands.backup_new,
        ("backup", "open"): backup_commands.backup_open,
    }[args.command, args.action]


def _case_command(name: str) -> CaseCommand:
    from whistle.desk import (  # noqa: PLC0415 - see _run
        act_commands,
        bulk_commands,
        case_commands,
        file_commands,
    )

    return {
        "list": case_commands.list_cases,
        "show": case_commands.show,
        "files": file_commands.files,
        "act": act_commands.act,
        "confirm": act_commands.confirm,
        "return": act_commands.hand_back,
        "note": act_commands.note,
        "assign": act_commands.assign,
        "extend": act_commands.extend,
        "update": act_commands.update,
        "set-aside": bulk_commands.set_aside,
    }[name]


def _serve_command() -> CaseCommand:
    from whistle.desk import serve_command  # noqa: PLC0415 - see _run

    return serve_command.serve_desk


def _publish_command() -> CaseCommand:
    from whistle.desk import publish_commands  # noqa: PLC0415 - see _run

    return publish_commands.publish


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; never shows a traceback for a mistake the reader can mend."""
    if argv is None:
        harden_process()  # plaintext and keys: no core dump, no other reader
    args = build_parser().parse_args(argv)
    terminal = _terminal(args, os.environ)
    try:
        _run(args, terminal)
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


def _run(args: argparse.Namespace, terminal: Terminal) -> None:
    """Only the chosen command's modules are imported: making keys takes no web server."""
    if args.command in {"keys", "root", "backup"}:
        _key_command(args)(args, terminal, system_rng)
        return
    from whistle.desk.connection import Surroundings  # noqa: PLC0415 - see above

    special = {"serve": _serve_command, "publish": _publish_command}.get(args.command)
    command = _case_command(args.command) if special is None else special()
    surroundings = Surroundings(system_rng, days_ahead=getattr(args, "demo_days_ahead", 0))
    asyncio.run(_await(command(args, terminal, surroundings)))


async def _await(step: Awaitable[None]) -> None:
    await step


def _terminal(args: argparse.Namespace, environment: Mapping[str, str]) -> Terminal:
    colour = sys.stdout.isatty() and "NO_COLOR" not in environment and not args.json
    return Terminal(
        texts=Catalogue.load(language(args.lang, environment)),
        out=sys.stdout,
        err=sys.stderr,
        as_json=args.json,
        colour=colour,
        answers=sys.stdin if sys.stdin.isatty() and sys.stdout.isatty() else None,
    )
