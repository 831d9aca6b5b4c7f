# SPDX-License-Identifier: AGPL-3.0-or-later
"""The words of `whistle-desk` on the command line: every command, flag and help text as data.

No abbreviation of flags is accepted, so that a script keeps meaning what it meant.
"""

import argparse
from datetime import date
from pathlib import Path

from case_mgmt.model import REASONS as ACT_REASONS
from case_mgmt.model import State
from crypto.handover import REASONS
from whistle.limits import MAX_FILE_BYTES, MIB

DESK_PORT = 8081
SET_ASIDE_REASONS = ACT_REASONS[State.SET_ASIDE]


class Parser(argparse.ArgumentParser):
    """An argument parser without abbreviations."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs["allow_abbrev"] = False
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]


def build_parser() -> Parser:
    """The whole command line."""
    parser = Parser(
        prog="whistle-desk",
        description="Open sealed reports, decide and answer. Keys stay on this computer.",
        epilog="Exit codes: 0 done, 1 refused, 2 wrong usage, 3 server unreachable, 4 keys.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_reading(commands)
    _add_acting(commands)
    _add_serve(commands)
    _add_publish(commands)
    _add_keys(commands)
    _add_root(commands)
    _add_backup(commands)
    return parser


_Commands = argparse._SubParsersAction  # argparse offers no public name


def _output() -> Parser:
    shared = Parser(add_help=False)
    shared.add_argument("--json", action="store_true", help="one JSON object on standard output")
    shared.add_argument("--lang", choices=("id", "en"), help="language (default: from LANG)")
    return shared


def _connection() -> Parser:
    shared = _output()
    shared.add_argument(
        "--keystore", type=Path, required=True, metavar="PATH", help="your keystore"
    )
    shared.add_argument("--server", required=True, metavar="URL", help="address of the case server")
    shared.add_argument(
        "--passphrase-file", type=Path, metavar="FILE", help="passphrase (default: ask)"
    )
    shared.add_argument("--proxy", metavar="URL", help="for .onion: socks5://127.0.0.1:9050 (Tor)")
    return shared


def _case_command(commands: "_Commands[Parser]", name: str, summary: str) -> Parser:
    command = commands.add_parser(name, parents=[_connection()], help=summary, description=summary)
    command.add_argument("case", metavar="CASE", help="case number, WH-…")
    return command


def _add_reading(commands: "_Commands[Parser]") -> None:
    summary = "your cases, the next deadline first"
    commands.add_parser("list", parents=[_connection()], help=summary, description=summary)
    _case_command(commands, "show", "open a case: report, conversation, signed history")
    files = _case_command(commands, "files", "save the opened attachments of a case")
    files.add_argument("--to", type=Path, required=True, metavar="DIR", help="folder to save into")
    files.add_argument(
        "--clean", action="store_true", help="also make clean copies for hand-over (mat2, sandbox)"
    )


def _add_acting(commands: "_Commands[Parser]") -> None:
    act = _case_command(commands, "act", "change the status, with a message the reporter reads")
    act.add_argument("--to", required=True, metavar="CODE", help="new status code")
    act.add_argument("--reason", metavar="CODE", help="reason code, where the status needs one")
    _add_message(act)
    confirm = _case_command(
        commands, "confirm", "sign a colleague's proposed closing as second person"
    )
    confirm.add_argument(
        "--act", metavar="HASH", help="the proposal that was read, as `show --json` names it"
    )
    _case_command(commands, "return", "send a proposed closing back (or withdraw your own)")
    note = _case_command(commands, "note", "keep a private note; the reporter never sees it")
    note.add_argument("--text", required=True, help="the note")
    assign = _case_command(commands, "assign", "give the case to a person (supervisor)")
    assign.add_argument("--person", required=True, metavar="ID", help="person id of the manifest")
    extend = _case_command(commands, "extend", "extend the overall time, with a visible reason")
    extend.add_argument(
        "--reason", metavar="CODE", help="reason code, for instance awaiting_documents"
    )
    extend.add_argument("--until", type=_day, required=True, metavar="DAY", help="YYYY-MM-DD")
    _add_message(extend)
    _add_message(_case_command(commands, "update", "write to the reporter, status unchanged"))
    summary = "set aside what is no report (spam, a flood), many at a time; a colleague confirms"
    aside = commands.add_parser(
        "set-aside", parents=[_connection()], help=summary, description=summary
    )
    aside.add_argument("case", metavar="CASE", nargs="+", help="case numbers, WH-…")
    aside.add_argument(
        "--reason", metavar="CODE", required=True, choices=SET_ASIDE_REASONS,
        help=", ".join(SET_ASIDE_REASONS),
    )  # fmt: skip
    _add_message(aside)


def _add_message(command: Parser) -> None:
    message = command.add_mutually_exclusive_group()
    message.add_argument("--message", metavar="TEXT", help="what the reporter will read")
    message.add_argument("--message-file", type=Path, metavar="FILE", help="the same, from a file")


def _add_serve(commands: "_Commands[Parser]") -> None:
    summary = "the desk as a web page on this computer only"
    serve = commands.add_parser("serve", parents=[_output()], help=summary, description=summary)
    serve.add_argument("--server", required=True, metavar="URL", help="address of the case server")
    keys = serve.add_mutually_exclusive_group(required=True)
    keys.add_argument("--keystore", type=Path, metavar="PATH", help="your keystore")
    keys.add_argument("--keystore-dir", type=Path, metavar="DIR", help="folder of keystores")
    serve.add_argument(
        "--passphrase-file",
        type=Path,
        metavar="FILE",
        help="start unlocked (default: ask in the page)",
    )
    serve.add_argument("--proxy", metavar="URL", help="for .onion: socks5://127.0.0.1:9050 (Tor)")
    serve.add_argument(
        "--port", type=int, default=DESK_PORT, help="port on 127.0.0.1; 0 = any free one"
    )
    serve.add_argument(
        "--lock-after", type=int, default=15, metavar="MINUTES", help="lock when idle"
    )
    serve.add_argument(
        "--ready-file", type=Path, metavar="FILE", help="receives the address as JSON"
    )
    serve.add_argument(
        "--token-file", type=Path, metavar="FILE",
        help="keeps address and session over a restart; delete it for a new address",
    )  # fmt: skip
    serve.add_argument(
        "--exit-with-parent", action="store_true", help="stop when the program that started it ends"
    )
    serve.add_argument(
        "--demo-days-ahead", type=int, default=0, metavar="N",
        help="pretend it is N days later (demo organisations only)",
    )  # fmt: skip


def _add_publish(commands: "_Commands[Parser]") -> None:
    publish = commands.add_parser("publish", help="make, sign and hand in releases")
    actions = publish.add_subparsers(dest="action", required=True, metavar="ACTION")
    draft = actions.add_parser(
        "draft", parents=[_connection(), _demo_clock()], help="make a release's folder"
    )
    draft.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to create")
    draft.add_argument("--id", metavar="ID", help="for instance 2026-q3 (default: last quarter)")
    draft.add_argument("--canaries", type=Path, metavar="FILE", help="what `reveal` has written")
    draft.add_argument("--reason", metavar="TEXT", help="why, if it corrects another release")
    sign = actions.add_parser("sign", parents=[_output()], help="add one of the two signatures")
    sign.add_argument("folder", type=Path, metavar="DIR")
    sign.add_argument("--keystore", type=Path, required=True, metavar="PATH")
    sign.add_argument("--passphrase-file", type=Path, metavar="FILE")
    submit = actions.add_parser(
        "submit", parents=[_connection(), _demo_clock()], help="hand in a signed release"
    )
    submit.add_argument("folder", type=Path, metavar="DIR")
    reveal = actions.add_parser(
        "reveal", parents=[_connection(), _demo_clock()], help="find the auditor's own test reports"
    )
    reveal.add_argument("--codes", type=Path, required=True, metavar="FILE", help="a code per line")
    openings = actions.add_parser(
        "openings", parents=[_connection(), _demo_clock()], help="what is behind the log's leaves"
    )
    for each in (reveal, openings):
        each.add_argument("--out", type=Path, required=True, metavar="FILE")


def _demo_clock() -> Parser:
    shared = Parser(add_help=False)
    shared.add_argument(
        "--demo-days-ahead", type=int, default=0, metavar="N",
        help="pretend it is N days later (demo organisations only)",
    )  # fmt: skip
    return shared


def _add_keys(commands: "_Commands[Parser]") -> None:
    keys = commands.add_parser("keys", help="make or show a person's keys")
    actions = keys.add_subparsers(dest="action", required=True, metavar="ACTION")
    new = actions.add_parser("new", parents=[_output(), _sealing()], help="make a keystore")
    new.add_argument(
        "--person", required=True, metavar="ID", help="person id, for instance penyidik-1"
    )
    new.add_argument(
        "--instance", required=True, metavar="HEX", help="instance id of the organisation"
    )
    new.add_argument("--out", type=Path, required=True, metavar="FILE", help="keystore to create")
    new.add_argument("--enrolment", type=Path, metavar="FILE", help="public enrolment to write")
    show = actions.add_parser(
        "show", parents=[_output()], help="show the public side of a keystore"
    )
    show.add_argument("--keystore", type=Path, required=True, metavar="PATH")
    show.add_argument("--passphrase-file", type=Path, metavar="FILE")
    onion = actions.add_parser(
        "onion", parents=[_output()], help="make the key for the case server's onion service"
    )
    onion.add_argument("--person", required=True, metavar="ID", help="name of this desk")
    onion.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write to")
    onion.add_argument(
        "--address", metavar="ONION", help="the case server's address: writes the line for tor"
    )


def _add_root(commands: "_Commands[Parser]") -> None:
    root = commands.add_parser("root", help="the organisation's root key (keep it offline)")
    actions = root.add_subparsers(dest="action", required=True, metavar="ACTION")
    new = actions.add_parser("new", parents=[_output(), _sealing()], help="make a root key")
    new.add_argument("--out", type=Path, required=True, metavar="FILE", help="root key to create")
    sign = actions.add_parser("sign", parents=[_output()], help="sign a manifest")
    sign.add_argument("--root", type=Path, required=True, metavar="FILE", help="root key")
    sign.add_argument("--passphrase-file", type=Path, metavar="FILE")
    sign.add_argument("--manifest-draft", type=Path, required=True, metavar="FILE")
    sign.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder of the signed files"
    )
    _add_site(actions)
    summary = "name the root key that follows this one, in a document both sign"
    over = actions.add_parser("hand-over", parents=[_output()], help=summary, description=summary)
    over.add_argument("--root", type=Path, required=True, metavar="FILE", help="the key that ends")
    over.add_argument("--passphrase-file", type=Path, metavar="FILE")
    over.add_argument(
        "--new-root", type=Path, required=True, metavar="FILE", help="the key that follows"
    )
    over.add_argument("--new-passphrase-file", type=Path, metavar="FILE")
    over.add_argument("--day", type=_day, required=True, metavar="DAY", help="YYYY-MM-DD")
    over.add_argument("--reason", choices=REASONS, default="planned")
    over.add_argument("--out", type=Path, required=True, metavar="FILE", help="document to create")


def _add_site(actions: "_Commands[Parser]") -> None:
    summary = "sign the list of the files a site serves"
    site = actions.add_parser("sign-site", parents=[_output()], help=summary, description=summary)
    site.add_argument("--root", type=Path, required=True, metavar="FILE", help="root key")
    site.add_argument("--passphrase-file", type=Path, metavar="FILE")
    site.add_argument(
        "--org", type=Path, required=True, metavar="DIR",
        help="folder of the signed manifest; the list is written into it",
    )  # fmt: skip
    site.add_argument(
        "--serial", type=int, metavar="N", help="serial of the list (default: one more than before)"
    )
    site.add_argument(
        "--max-file-mib", type=int, default=MAX_FILE_BYTES // MIB, metavar="MIB",
        help="what `whistle intake` was given: the pages name it",
    )  # fmt: skip


def _add_backup(commands: "_Commands[Parser]") -> None:
    backup = commands.add_parser("backup", help="the key of the backups (keep it offline)")
    actions = backup.add_subparsers(dest="action", required=True, metavar="ACTION")
    summary = "make the identity that opens backups, and the recipient file for the servers"
    new = actions.add_parser(
        "new", parents=[_output(), _sealing()], help=summary, description=summary
    )
    new.add_argument("--out", type=Path, required=True, metavar="FILE", help="identity to create")
    summary = "open a backup into an empty folder (`whistle restore` does this and the rest)"
    opened = actions.add_parser("open", parents=[_output()], help=summary, description=summary)
    opened.add_argument("--backups", type=Path, required=True, metavar="DIR")
    opened.add_argument("--number", type=int, required=True, metavar="N")
    opened.add_argument("--identity", type=Path, required=True, metavar="FILE")
    opened.add_argument("--passphrase-file", type=Path, metavar="FILE")
    opened.add_argument("--out", type=Path, required=True, metavar="DIR", help="an empty folder")


def _sealing() -> Parser:
    shared = Parser(add_help=False)
    shared.add_argument("--passphrase-file", type=Path, metavar="FILE")
    shared.add_argument(
        "--memory-mib", type=int, metavar="MIB",
        help="memory that one guess of the passphrase costs (64 to 1024; default 256)",
    )  # fmt: skip
    return shared


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day (YYYY-MM-DD)") from error
