# SPDX-License-Identifier: AGPL-3.0-or-later
"""`backup new`: the key pair of backups.  `backup open`: what `whistle restore` calls.

The public half goes to the servers; the identity stays with the operator, offline, sealed under a
passphrase.  A stock age identity (`age-keygen -pq`) serves as well.
"""

import argparse

from crypto.errors import KeystoreError
from crypto.private.sealed_file import DEFAULT_MEMORY, Cost
from crypto.rng import Rng
from crypto.xwing import recipient_from_seed
from whistle.backup.errors import BackupError
from whistle.backup.shelf import Shelf
from whistle.desk.backup_opening import (
    SEED_BYTES,
    is_sealed,
    open_backup,
    read_identity,
    seal_identity,
)
from whistle.desk.errors import KeysError, UsageError
from whistle.desk.key_commands import MIB, new_passphrase
from whistle.desk.keyring import read_key_file, read_passphrase, write_new
from whistle.desk.terminal import Terminal

PUBLIC_MODE = 0o644


def backup_new(args: argparse.Namespace, terminal: Terminal, rng: Rng) -> None:
    """Makes the identity and, beside it, the recipient file for the servers."""
    recipient_path = args.out.with_suffix(".recipient")
    if recipient_path.exists():
        raise UsageError("desk.error.exists", file=str(recipient_path))
    passphrase = new_passphrase(args, terminal)
    seed = rng(SEED_BYTES)
    memory = DEFAULT_MEMORY if args.memory_mib is None else args.memory_mib * MIB
    try:
        data = seal_identity(seed, passphrase, Cost(memory=memory), rng)
    except KeystoreError as error:
        raise UsageError("desk.error.key_settings") from error
    write_new(args.out, data)
    recipient = recipient_from_seed(seed).to_age()
    write_new(recipient_path, recipient.encode("ascii") + b"\n", mode=PUBLIC_MODE)
    if terminal.as_json:
        terminal.result({"identity": str(args.out), "recipient": str(recipient_path)})
        return
    terminal.say("desk.cli.backup_made", file=str(args.out))
    terminal.say("desk.cli.backup_recipient_made", file=str(recipient_path))


def backup_open(args: argparse.Namespace, terminal: Terminal, _rng: Rng) -> None:
    """Writes the files of one backup into an empty folder."""
    data = read_key_file(args.identity)
    passphrase = None
    if is_sealed(data):
        prompt = terminal.texts.t("desk.cli.passphrase_prompt", file=args.identity.name)
        passphrase = read_passphrase(args.passphrase_file, prompt)
    try:
        seed = read_identity(data, passphrase)
    except KeystoreError as error:
        raise KeysError("desk.error.cannot_unlock", file=args.identity.name) from error
    if args.out.exists() and any(args.out.iterdir()):
        raise UsageError("desk.error.exists", file=str(args.out))
    shelf = Shelf(args.backups)
    try:
        found = shelf.read(args.number)
        content = open_backup(shelf, found, seed, args.out)
    except BackupError as error:
        raise KeysError("desk.error.backup", reason=str(error)) from error
    result = {
        "number": content.number,
        "files": len(content.files),
        "bytes": sum(each.size for each in content.files),
        "tallies": dict(content.tallies),
    }
    if terminal.as_json:
        terminal.result(result)
        return
    terminal.say("desk.cli.backup_opened", number=content.number, folder=str(args.out))
