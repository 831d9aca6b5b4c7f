# SPDX-License-Identifier: AGPL-3.0-or-later
"""`root hand-over`: the root key names its successor, in a document both sign.

Both key files are needed, on the offline computer; what is written is public.
"""

import argparse
from pathlib import Path

from crypto.errors import CryptoError, KeystoreError
from crypto.handover import Handover
from crypto.private.root import open_root
from crypto.rng import Rng
from crypto.signing import public_from_seed
from whistle.desk.errors import KeysError, UsageError
from whistle.desk.keyring import read_key_file, read_passphrase, write_new
from whistle.desk.terminal import Terminal

PUBLIC_MODE = 0o644


def root_hand_over(args: argparse.Namespace, terminal: Terminal, _rng: Rng) -> None:
    """Writes the document. Raises: KeysError, UsageError."""
    old = _open(args.root, args.passphrase_file, terminal)
    new = _open(args.new_root, args.new_passphrase_file, terminal)
    handover = Handover(public_from_seed(old), public_from_seed(new), args.day, args.reason)
    if handover.old == handover.new:
        raise UsageError("desk.error.handover_same")
    try:
        document = handover.document(old, new)
    except CryptoError as error:
        raise UsageError("desk.error.handover_same") from error
    write_new(args.out, document + b"\n", mode=PUBLIC_MODE)
    if terminal.as_json:
        terminal.result({"old": handover.old.hex(), "new": handover.new.hex()})
        return
    terminal.say("desk.cli.handover_made", file=str(args.out))


def _open(path: Path, passphrase_file: Path | None, terminal: Terminal) -> bytes:
    prompt = terminal.texts.t("desk.cli.passphrase_prompt", file=path.name)
    passphrase = read_passphrase(passphrase_file, prompt)
    try:
        return open_root(read_key_file(path), passphrase)
    except KeystoreError as error:
        raise KeysError("desk.error.cannot_unlock", file=path.name) from error
