# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle-desk root sign-site`: signs the list of the files a site serves.

The files are computed here, from this release and the organisation's signed files, never fetched
from a server: a server that was changed cannot get its change signed. Needs no network.
"""

import argparse
from pathlib import Path

from crypto.domains import Domain
from crypto.errors import CryptoError, KeystoreError
from crypto.manifest import parse_content
from crypto.private.root import open_root
from crypto.rng import Rng
from crypto.signing import public_from_seed, sign
from whistle.desk.errors import KeysError, UsageError
from whistle.desk.keyring import read_key_file, read_passphrase
from whistle.desk.terminal import Terminal
from whistle.errors import WhistleError
from whistle.intake.organisation import load_instance_id, load_organisation
from whistle.intake.served import served_files
from whistle.limits import MIB
from whistle.sitefiles import LIST_NAME, MAX_LIST, SIGNATURE_NAME, list_files, verify_list
from whistle.verify.offline_page import offline_page


def root_sign_site(args: argparse.Namespace, terminal: Terminal, _rng: Rng) -> None:
    """Writes site-manifest.json and .sig into the folder of the signed manifest."""
    try:
        instance_id = load_instance_id(args.org)
        # The manifest itself may come into force later than today.
        content = parse_content((args.org / "manifest.json").read_bytes())
        organisation = load_organisation(args.org, content.not_before, args.max_file_mib * MIB)
        served = served_files(organisation, offline_page())
    except (WhistleError, CryptoError, OSError) as error:
        raise UsageError("desk.error.site_org", file=str(args.org)) from error
    serial = args.serial if args.serial is not None else _last_serial(args.org, instance_id) + 1
    listed = list_files(served, serial)
    prompt = terminal.texts.t("desk.cli.passphrase_prompt", file=args.root.name)
    passphrase = read_passphrase(args.passphrase_file, prompt)
    try:
        seed = open_root(read_key_file(args.root), passphrase)
    except KeystoreError as error:
        raise KeysError("desk.error.cannot_unlock", file=args.root.name) from error
    if public_from_seed(seed) != instance_id:
        raise UsageError("desk.error.site_root", file=args.root.name)
    data = listed.encode()
    _write(args.org, data, sign(seed, Domain.SITE, data))
    if terminal.as_json:
        files = [{"path": f.path, "sha256": f.sha256, "size": f.size} for f in listed.files]
        terminal.result({"instance": instance_id.hex(), "serial": serial, "files": files})
        return
    for file in listed.files:
        terminal.line(f"{file.sha256}  {file.path}")
    terminal.say("desk.cli.site_signed", folder=str(args.org), serial=serial)


def _last_serial(folder: Path, instance_id: bytes) -> int:
    """The serial of the list that is there; 0 if there is none that this key has signed."""
    try:
        data = (folder / LIST_NAME).read_bytes()
        signature = (folder / SIGNATURE_NAME).read_bytes()
        return verify_list(data[:MAX_LIST], signature, instance_id).serial
    except (OSError, CryptoError):
        return 0


def _write(folder: Path, data: bytes, signature: bytes) -> None:
    """Replaces both files; the signature last, so a torn write never verifies."""
    try:
        for name, content in ((LIST_NAME, data), (SIGNATURE_NAME, signature)):
            temporary = folder / f".{name}.new"
            temporary.write_bytes(content)
            temporary.replace(folder / name)
    except OSError as error:
        raise KeysError("desk.error.cannot_write", file=str(folder)) from error
