# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle-desk serve`: the desk's pages on 127.0.0.1, for one person, until Ctrl-C."""

import argparse
import json
from pathlib import Path

from whistle.clock import monotonic
from whistle.desk.client import ServerAddress, session_for
from whistle.desk.connection import Surroundings
from whistle.desk.errors import UsageError
from whistle.desk.keyring import find_keystore, find_keystores
from whistle.desk.terminal import Terminal
from whistle.desk.web.app import create_app
from whistle.desk.web.desk import Desk
from whistle.desk.web.drafts import Drafts
from whistle.desk.web.guard import Door
from whistle.desk.web.tickets import TicketFile
from whistle.desk.web.vault import Vault, VaultSettings
from whistle.hardening import die_with_parent
from whistle.http.serve import Listening, serve

HOST = "127.0.0.1"
MINUTE = 60.0


async def serve_desk(
    args: argparse.Namespace, terminal: Terminal, surroundings: Surroundings
) -> None:
    """Serves until a signal; prints the address with its one-time token."""
    if args.exit_with_parent:
        die_with_parent()
    address = ServerAddress.parse(args.server, args.proxy)
    keystores = (
        (find_keystore(args.keystore),)
        if args.keystore is not None
        else find_keystores(args.keystore_dir)
    )
    vault = Vault(
        VaultSettings(
            keystores=keystores,
            address=address,
            surroundings=surroundings,
            monotonic=monotonic,
            passphrase_file=args.passphrase_file,
            lock_after=args.lock_after * MINUTE,
        )
    )
    kept = None if args.token_file is None else TicketFile(args.token_file, surroundings.rng)
    desk = Desk(Door(surroundings.rng, kept), vault, Drafts(surroundings.rng), terminal.texts.lang)

    def ready(listening: Listening) -> None:
        desk.door.listen_at(listening.port or args.port)
        _announce(args, terminal, desk.door.address)

    async with session_for(address) as session:
        vault.attach(session)
        if args.passphrase_file is not None:
            await vault.unlock(keystores[0].label)
        try:
            await serve(create_app(desk), tcp=(HOST, args.port), ready=ready)
        except OSError as error:
            raise UsageError("desk.error.port_taken", port=args.port) from error
        finally:
            vault.lock()


def _announce(args: argparse.Namespace, terminal: Terminal, address: str) -> None:
    """Tells the address in one place only: standard output may end up in a log."""
    if args.ready_file is not None:
        _write_ready(args.ready_file, address)
    elif terminal.as_json:
        terminal.result({"url": address})
    else:
        terminal.say("desk.cli.serving", address=address)
    terminal.out.flush()


def _write_ready(path: Path, address: str) -> None:
    """Appears whole or not at all, for this user only: the address holds a token."""
    temporary = path.with_name(path.name + ".new")
    try:
        temporary.unlink(missing_ok=True)
        temporary.touch(mode=0o600, exist_ok=False)
        temporary.write_text(json.dumps({"url": address}) + "\n", encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise UsageError("desk.error.cannot_write", file=str(path)) from error
