# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle witness`: found and run a witness for somebody's public log (docs/spec/log.md).

A witness is run by others than the office whose log it watches: a university, a press council, a
citizens' group.  It needs one small directory and no knowledge of reports.
"""

import argparse
import asyncio
import contextlib
from pathlib import Path

from crypto.errors import CryptoError
from crypto.rng import system_rng
from crypto.tlog.lines import KeyType
from crypto.tlog.note import VerifierKey
from whistle import clock, logs
from whistle.commands.errors import CommandError
from whistle.commands.processes import wait_for_signal
from whistle.commands.server_options import (
    hold_state,
    parse_address,
    ready_content,
    write_ready_file,
)
from whistle.errors import WhistleError
from whistle.hardening import harden_process
from whistle.http import serve
from whistle.witness.server import Witness, create_app
from whistle.witness.store import create, load

DEFAULT_PORT = 8095


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`whistle witness init` and `whistle witness serve`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="init|serve|key")
    init = actions.add_parser("init", help="make a key; print what the log's policy needs")
    init.add_argument("--name", required=True, help="who you are, like witness.example.org/1")
    show = actions.add_parser("key", help="print the verifier key again")
    run_it = actions.add_parser("serve", help="answer logs until stopped")
    for each in (init, show, run_it):
        each.add_argument("--state", type=Path, required=True, help="this witness's own folder")
    run_it.add_argument(
        "--log",
        type=_log_key,
        action="append",
        required=True,
        metavar="VKEY",
        help="verifier key of a log to watch (name+id+key); may be repeated",
    )
    run_it.add_argument(
        "--listen",
        type=parse_address,
        default=("127.0.0.1", DEFAULT_PORT),
        metavar="HOST:PORT",
        help="TCP address; loopback behind an onion service or a web server; “none” for none",
    )
    run_it.add_argument("--unix", type=Path, help="Unix socket for the onion service")
    run_it.add_argument("--ready-file", type=Path, help="written once it answers (JSON)")


def run(args: argparse.Namespace) -> int:
    """Does what was asked; `serve` runs until SIGTERM or SIGINT."""
    harden_process()
    try:
        if args.action == "init":
            return _init(args)
        if args.action == "key":
            return _show(load(args.state).signer.verifier)
        with hold_state(args.state):
            store = load(args.state)
            logs.configure(lambda: clock.today(0))
            serve.run(_serve(args, Witness(store, args.log, clock.unix_now)))
    except WhistleError as error:
        raise CommandError(str(error)) from error
    return 0


def _init(args: argparse.Namespace) -> int:
    try:
        args.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        message = f"{args.state} cannot be made"
        raise CommandError(message) from error
    with hold_state(args.state):
        return _show(create(args.state, args.name, system_rng).verifier)


def _show(key: VerifierKey) -> int:
    print(key.encode())
    return 0


async def _serve(args: argparse.Namespace, witness: Witness) -> None:
    await asyncio.to_thread(witness.check)
    async with contextlib.AsyncExitStack() as stack:
        running = await stack.enter_async_context(
            serve.listening(create_app(witness), tcp=args.listen, unix=args.unix)
        )
        write_ready_file(args.ready_file, ready_content(args.listen, running.port))
        await wait_for_signal()


def _log_key(text: str) -> VerifierKey:
    try:
        key = VerifierKey.parse(text)
    except CryptoError as error:
        message = "not a verifier key (name+id+key)"
        raise argparse.ArgumentTypeError(message) from error
    if key.kind is not KeyType.ED25519:
        message = "the key of a witness, not of a log"
        raise argparse.ArgumentTypeError(message)
    return key
