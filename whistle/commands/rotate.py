# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle rotate`: new keys for databases, servers and onion addresses; hand-overs of the root.

All but `check-hand-over` need the servers stopped.  Keys that the manifest names are made first,
signed by the root key offline, and put into force by `finish`; interrupted, the same command again
finishes the work.
"""

import argparse
import json
import shutil
from collections.abc import Callable
from pathlib import Path

from case_mgmt.publication.names import LOG_POLICY
from crypto.errors import CryptoError
from crypto.handover import MAX_DOCUMENT, verify_handover
from crypto.manifest import instance_fingerprint_words
from crypto.rng import system_rng
from whistle import clock
from whistle.backup import newkeys
from whistle.backup.databases import NAMES
from whistle.backup.errors import BackupError
from whistle.backup.rekeying import rotate_database
from whistle.commands.errors import CommandError
from whistle.commands.founding import DRAFT, MANIFEST_LIFETIME
from whistle.commands.installing import HASHED_FILES, install
from whistle.commands.reviving import stopped
from whistle.hardening import harden_process
from whistle.layout import Layout

UTC_OFFSET = 7
SERVERS = ("intake", "cases")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `whistle rotate`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def action(name: str, summary: str) -> argparse.ArgumentParser:
        added = actions.add_parser(name, help=summary, description=summary)
        added.add_argument("--state", type=Path, default=Path("state"), help="state directory")
        return added

    database = action("database", "a new key for a database: every page is encrypted anew")
    database.add_argument("--server", choices=SERVERS, action="append", help="default: both")
    service = action("service-key", "a new signing key of a server; the root key signs it in")
    service.add_argument("--server", choices=SERVERS, action="append", help="default: both")
    onion = action("onion", "a new onion address; the public one before goes on answering")
    onion.add_argument("--server", choices=SERVERS, default="intake")
    onion.add_argument(
        "--end-former", action="store_true", help="remove the key of the address before, for good"
    )
    finish = action("finish", "put the new keys into force, with the manifest that names them")
    finish.add_argument("--signed", type=Path, metavar="DIR", help="what the root key signed")
    check = actions.add_parser("check-hand-over", help="is a hand-over of the root key genuine?")
    check.add_argument("document", type=Path, metavar="FILE")
    check.add_argument("--instance", required=True, metavar="HEX", help="the instance id you know")


def run(args: argparse.Namespace) -> int:
    """Does one action.  Raises: CommandError."""
    harden_process()
    if args.action == "check-hand-over":
        _check_hand_over(args)
        return 0
    actions: dict[str, Callable[[argparse.Namespace, Layout], None]] = {
        "database": _database,
        "service-key": _service_key,
        "onion": _onion,
        "finish": _finish,
    }
    layout = Layout(args.state.absolute())
    if not layout.is_founded:
        message = f"there is no organisation in {layout.state}"
        raise CommandError(message)
    try:
        with stopped(layout):
            actions[args.action](args, layout)
    except BackupError as error:
        raise CommandError(str(error)) from error
    return 0


def _database(args: argparse.Namespace, layout: Layout) -> None:
    for server in args.server or SERVERS:
        folder = layout.state / server
        if (folder / NAMES[server]).exists():
            rotate_database(folder, NAMES[server], system_rng)
            print(f"The database of {server} has a new key. Make a backup now: old ones hold the")
            print("old key, and open with it, until they are pruned.")


def _service_key(args: argparse.Namespace, layout: Layout) -> None:
    for server in args.server or SERVERS:
        if (layout.state / server / newkeys.SERVICE_KEY).exists():
            public = newkeys.prepare_service_key(layout, server, system_rng)
            print(f"{server}: the next service key is {public}")
    _write_draft(layout)


def _onion(args: argparse.Namespace, layout: Layout) -> None:
    if args.end_former:
        ended = newkeys.end_former(layout)
        print("The former address answers no more." if ended else "There is no former address.")
        return
    print(f"The next address is {newkeys.prepare_onion(layout, args.server, system_rng)}")
    _write_draft(layout)


def _write_draft(layout: Layout) -> None:
    """The manifest to sign, with the files it names; or a word that none is needed."""
    today = clock.today(UTC_OFFSET)
    manifest = newkeys.draft(layout, today, today + MANIFEST_LIFETIME)
    if manifest is None:
        print(f"No signature is needed. Next: whistle rotate finish --state {layout.state}")
        return
    layout.draft.mkdir(mode=0o700, exist_ok=True)
    for name in (*HASHED_FILES, LOG_POLICY):
        if name in HASHED_FILES or name in manifest["files"]:
            shutil.copyfile(layout.org / name, layout.draft / name)
    path = layout.draft / DRAFT
    path.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"Carry {path} to the offline computer:")
    print(f"  whistle-desk root sign --root root.key --manifest-draft {DRAFT} --out signed/")
    print(f"Then here: whistle rotate finish --state {layout.state} --signed signed/")


def _finish(args: argparse.Namespace, layout: Layout) -> None:
    if args.signed is not None:
        if not layout.draft.is_dir():
            message = "nothing waits for a signature; without --signed this finishes the rest"
            raise CommandError(message)
        install(layout, args.signed)
    done = newkeys.promote(layout)
    for line in done:
        print(line)
    waiting = newkeys.pending(layout)
    if waiting["services"] or waiting["onion"]:
        message = "a new key still waits: the manifest in force does not name it"
        raise CommandError(message)
    print("Everything is in force. Start the servers." if done else "Nothing waits.")


def _check_hand_over(args: argparse.Namespace) -> None:
    try:
        if args.document.stat().st_size > MAX_DOCUMENT:
            message = "this is not a hand-over"
            raise CommandError(message)
        old = bytes.fromhex(args.instance.strip())
        found = verify_handover(args.document.read_bytes().strip(), old)
    except (OSError, ValueError, CryptoError) as error:
        message = f"this hand-over is not genuine, or not of this organisation ({error})"
        raise CommandError(message) from error
    print(f"Genuine. From {found.day.isoformat()} on ({found.reason}) the instance id is")
    print(f"  {found.new.hex()}")
    for language in ("id", "en"):
        words = " ".join(instance_fingerprint_words(found.new, "id" if language == "id" else "en"))
        print(f"  in words ({language}): {words}")
