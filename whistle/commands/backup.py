# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle backup`: make, check, prune on the server; drill on the operator's own computer.

Only `drill` (and `whistle restore`) needs the identity; it opens the backup in a process of
`whistle-desk`, because this program never loads code that could open anything sealed to people.
"""

import argparse
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from case_mgmt.errors import CaseError
from case_mgmt.policy import parse_policy
from case_mgmt.store.sqlcipher import open_store
from crypto.errors import CryptoError
from crypto.rng import system_rng
from crypto.xwing import Recipient
from whistle import clock
from whistle.backup.databases import NAMES, read_key
from whistle.backup.errors import BackupError
from whistle.backup.keeping import inspect, prune
from whistle.backup.listing import PARTS
from whistle.backup.resending import resend
from whistle.backup.shelf import Shelf
from whistle.backup.source import present_parts
from whistle.backup.taking import Order, read_org, take
from whistle.commands.errors import CommandError
from whistle.commands.reviving import Request, revive, stopped, try_start
from whistle.hardening import harden_process
from whistle.layout import Layout

UTC_OFFSET = 7
MAX_RECIPIENT_FILE = 4096
MIB = 1024 * 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `whistle backup`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    make = actions.add_parser("make", help="add a backup; servers go on running")
    make.add_argument("--state", type=Path, default=Path("state"), help="state directory")
    make.add_argument("--to", type=Path, required=True, metavar="DIR", help="folder of the backups")
    make.add_argument(
        "--recipient", type=Path, action="append", required=True, metavar="FILE",
        help="public key of whoever may open it (`whistle-desk backup new`); repeatable",
    )  # fmt: skip
    make.add_argument(
        "--part", choices=PARTS, action="append", help="only these parts (default: what is there)"
    )
    make.add_argument("--keep", type=int, metavar="N", help="afterwards keep the newest N only")
    check = actions.add_parser("check", help="is every backup signed, complete and unchanged?")
    check.add_argument("--state", type=Path, default=Path("state"), help="state directory")
    check.add_argument("--from", dest="source", type=Path, required=True, metavar="DIR")
    check.add_argument("--quick", action="store_true", help="do not read the objects")
    old = actions.add_parser("prune", help="remove old backups")
    old.add_argument("--from", dest="source", type=Path, required=True, metavar="DIR")
    old.add_argument("--keep", type=int, required=True, metavar="N", help="the newest N stay")
    again = actions.add_parser(
        "resend", help="send every notice to an intake that came back from a backup again"
    )
    again.add_argument("--state", type=Path, default=Path("state"), help="state directory")
    drill = actions.add_parser("drill", help="prove that a backup can be put back (needs identity)")
    add_opening_arguments(drill)
    drill.add_argument("--scratch", type=Path, metavar="DIR", help="where to try (default: temp)")
    drill.add_argument("--start", action="store_true", help="start both servers from it, too")


def add_opening_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags that say which backup, and with what it opens."""
    parser.add_argument(
        "--from", dest="source", type=Path, required=True, metavar="DIR",
        help="folder of the backups",
    )  # fmt: skip
    parser.add_argument(
        "--identity", type=Path, required=True, metavar="FILE",
        help="what opens it: of `whistle-desk backup new`, or a stock age identity",
    )  # fmt: skip
    parser.add_argument("--passphrase-file", type=Path, help="its passphrase; otherwise asked")
    parser.add_argument(
        "--instance", required=True, metavar="HEX",
        help="instance id of the organisation, from paper: it decides who made the backup",
    )  # fmt: skip
    parser.add_argument("--number", type=int, metavar="N", help="which one (default: the newest)")
    parser.add_argument(
        "--at-least", type=int, default=0, metavar="N",
        help="refuse an older one: somebody may have hidden the newest",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Does one action.  Raises: CommandError."""
    harden_process()
    actions: dict[str, Callable[[argparse.Namespace], None]] = {
        "make": _make,
        "check": _check,
        "prune": _prune,
        "drill": _drill,
        "resend": _resend,
    }
    try:
        actions[args.action](args)
    except BackupError as error:
        raise CommandError(str(error)) from error
    return 0


def _make(args: argparse.Namespace) -> None:
    layout = Layout(args.state.absolute())
    recipients = tuple(dict.fromkeys(_recipient(path) for path in args.recipient))
    parts = tuple(each for each in PARTS if each in (args.part or present_parts(layout)))
    shelf = Shelf(args.to.absolute())
    order = Order(layout, parts, recipients, clock.today(UTC_OFFSET))
    taken = take(order, shelf, system_rng)
    print(
        f"Backup {taken.number}: {taken.files} files, {_mib(taken.bytes)}; "
        f"{taken.new_objects} new objects, {_mib(taken.new_bytes)} written."
    )
    if args.keep is not None:
        _report_pruned(*prune(shelf, args.keep))


def _check(args: argparse.Namespace) -> None:
    manifest = read_org(Layout(args.state.absolute()).org)
    seen = inspect(Shelf(args.source), manifest, deep=not args.quick)
    if not seen.numbers:
        message = "there is no backup here"
        raise CommandError(message)
    how = "" if args.quick else ", every byte as it was written"
    print(
        f"{len(seen.numbers)} backups, the newest is {seen.numbers[-1]}: "
        f"{seen.objects} objects, {_mib(seen.bytes)}{how}."
    )
    print("Whether it opens, only a drill tells: whistle backup drill --help")


def _prune(args: argparse.Namespace) -> None:
    if args.keep < 1:
        message = "--keep: at least one backup stays"
        raise CommandError(message)
    _report_pruned(*prune(Shelf(args.source), args.keep))


def _report_pruned(backups: int, objects: int) -> None:
    print(f"{backups} old backups and {objects} objects removed.")


def _drill(args: argparse.Namespace) -> None:
    folder = Path(tempfile.mkdtemp(prefix="whistle-drill-", dir=args.scratch))
    layout = Layout(folder / "state")
    try:
        said = revive(Request.of(args, layout))
        if args.start:
            said.append(try_start(layout))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for line in said:
        print(f" ✓ {line}")
    print("The drill passed: this backup can be put back.")


def _recipient(path: Path) -> Recipient:
    try:
        if path.stat().st_size > MAX_RECIPIENT_FILE:
            message = f"{path} is not the public key of a backup"
            raise CommandError(message)
        return Recipient.from_age(path.read_text(encoding="ascii").strip())
    except (OSError, UnicodeDecodeError, CryptoError) as error:
        message = f"{path} is not the public key of a backup"
        raise CommandError(message) from error


def _mib(size: int) -> str:
    return f"{size / MIB:.1f} MiB"


def _resend(args: argparse.Namespace) -> None:
    layout = Layout(args.state.absolute())
    with stopped(layout):
        try:
            policy = parse_policy((layout.org / "policy.json").read_bytes())
            store = open_store(layout.cases / NAMES["cases"], read_key(layout.cases / "db.key"))
            try:
                count = resend(store, policy, system_rng)
            finally:
                store.close()
        except (OSError, CaseError) as error:
            message = f"the notices cannot be made again: {error}"
            raise CommandError(message) from error
    print(f"{count} notices wait for the intake. Those it still has it refuses, and keeps its own.")
