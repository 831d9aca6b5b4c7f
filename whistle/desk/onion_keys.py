# SPDX-License-Identifier: AGPL-3.0-or-later
"""`keys onion`: the key with which a desk's tor finds the case server's onion service.

The public half is a file for the server's operator; the private half never leaves this computer.
Source: Tor rend-spec-v3, appendix G; docs/spec/onion.md, section 4.
"""

import argparse
from pathlib import Path

from crypto.rng import Rng
from onion.client_auth import (
    ClientKey,
    auth_private_line,
    authorized_client_line,
    check_desk_name,
    generate_client_key,
    parse_private_key,
)
from onion.errors import OnionError
from whistle.desk.errors import UsageError
from whistle.desk.keyring import write_new
from whistle.desk.terminal import Terminal

PUBLIC_MODE = 0o644


def keys_onion(args: argparse.Namespace, terminal: Terminal, rng: Rng) -> None:
    """Makes the pair once; with --address, writes the line for tor's ClientOnionAuthDir too."""
    try:
        name = check_desk_name(args.person)
        key = _pair(args.out, name, rng)
        public = args.out / f"{name}.auth"
        if not public.exists():
            line = authorized_client_line(key.public_text) + "\n"
            write_new(public, line.encode("ascii"), mode=PUBLIC_MODE)
        private = _line_for_tor(args, name, key)
    except OnionError as error:
        raise UsageError("desk.error.onion_key", name=str(args.person)) from error
    if terminal.as_json:
        terminal.result(
            {
                "person": name,
                "public": str(public),
                "auth_private": None if private is None else str(private),
            }
        )
        return
    terminal.say("desk.cli.onion_key_made", file=str(public))
    if private is not None:
        terminal.say("desk.cli.onion_line_made", file=str(private))


def _pair(folder: Path, name: str, rng: Rng) -> ClientKey:
    """The pair of this desk: kept if it was made before. Raises: OnionError, UsageError."""
    path = folder / f"{name}.onion-key"
    if path.exists():
        return parse_private_key(path.read_text(encoding="ascii").strip())
    key = generate_client_key(rng)
    write_new(path, f"{key.private_text}\n".encode("ascii"))
    return key


def _line_for_tor(args: argparse.Namespace, name: str, key: ClientKey) -> Path | None:
    if args.address is None:
        return None
    path: Path = args.out / f"{name}.auth_private"
    write_new(path, f"{auth_private_line(args.address, key)}\n".encode("ascii"))
    return path
