# SPDX-License-Identifier: AGPL-3.0-or-later
"""The commands that make keys: `keys new`, `keys show`, `root new`, `root sign`.

Nothing here needs the network. Private keys leave only as files sealed under a passphrase; what is
printed or written in clear is public: the enrolment (recipient and desk key), the signed manifest.
"""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crypto.encoding import canonical_json, parse_json
from crypto.errors import CryptoError, KeystoreError
from crypto.manifest import instance_fingerprint_words, parse_content
from crypto.private.keystore import Identity, seal_keystore
from crypto.private.root import build_manifest_bytes, open_root, seal_root, sign_manifest
from crypto.rng import Rng
from crypto.signing import public_from_seed
from whistle.desk.errors import KeysError, UsageError
from whistle.desk.keyring import (
    find_keystore,
    read_key_file,
    read_passphrase,
    require_good_passphrase,
    write_new,
)
from whistle.desk.terminal import Terminal

INSTANCE_BYTES = 32
SEED_BYTES = 32
DRAFT_MAX_BYTES = 1 << 20
MIB = 1024 * 1024


@dataclass(frozen=True)
class KeySettings:
    """How expensive guessing the passphrase is made; None keeps the strong default."""

    memory_mib: int | None = None

    def cost(self) -> dict[str, int]:
        """Keyword arguments for sealing."""
        return {} if self.memory_mib is None else {"memlimit": self.memory_mib * MIB}


def keys_new(args: argparse.Namespace, terminal: Terminal, rng: Rng) -> None:
    """Makes a person's keystore and writes the public enrolment beside it."""
    instance_id = parse_instance(args.instance)
    enrolment_path = args.enrolment or args.out.with_suffix(".enrolment.json")
    if enrolment_path.exists():
        raise UsageError("desk.error.exists", file=str(enrolment_path))
    passphrase = new_passphrase(args, terminal)
    identity = Identity(
        person=args.person,
        recipient_seed=rng(SEED_BYTES),
        device_seed=rng(SEED_BYTES),
        instance_id=instance_id,
    )
    try:
        data = seal_keystore(identity, passphrase, rng, **KeySettings(args.memory_mib).cost())
    except KeystoreError as error:
        raise UsageError("desk.error.key_settings") from error
    write_new(args.out, data)
    enrolment = enrolment_of(identity)
    write_new(enrolment_path, canonical_json(enrolment) + b"\n", mode=0o644)
    if terminal.as_json:
        terminal.result({**enrolment, "keystore": str(args.out), "enrolment": str(enrolment_path)})
        return
    terminal.say("desk.cli.keys_made", file=str(args.out))
    terminal.say("desk.cli.enrolment_made", file=str(enrolment_path))
    _say_fingerprint(identity, terminal)


def keys_show(args: argparse.Namespace, terminal: Terminal, _rng: Rng) -> None:
    """Shows the public side of a keystore, for comparing by voice or on paper."""
    keystore = find_keystore(args.keystore)
    prompt = terminal.texts.t("desk.cli.passphrase_prompt", file=keystore.label)
    identity = keystore.unlock(read_passphrase(args.passphrase_file, prompt))
    if terminal.as_json:
        terminal.result(
            {
                **enrolment_of(identity),
                "instance": identity.instance_id.hex(),
                "recipient_fingerprint": identity.recipient.fingerprint().hex(),
            }
        )
        return
    terminal.say("desk.cli.key_person", person=identity.person)
    _say_fingerprint(identity, terminal)


def root_new(args: argparse.Namespace, terminal: Terminal, rng: Rng) -> None:
    """Makes the organisation's root key. Its public half is the instance id."""
    passphrase = new_passphrase(args, terminal)
    seed = rng(SEED_BYTES)
    try:
        data = seal_root(seed, passphrase, rng, **KeySettings(args.memory_mib).cost())
    except KeystoreError as error:
        raise UsageError("desk.error.key_settings") from error
    write_new(args.out, data)
    instance_id = public_from_seed(seed)
    if terminal.as_json:
        terminal.result({"instance": instance_id.hex(), "root": str(args.out)})
        return
    terminal.say("desk.cli.root_made", file=str(args.out))
    _say_instance(instance_id, terminal)


def root_sign(args: argparse.Namespace, terminal: Terminal, _rng: Rng) -> None:
    """Turns a manifest draft into manifest.json, manifest.sig and instance.id."""
    draft = _read_draft(args.manifest_draft)
    prompt = terminal.texts.t("desk.cli.passphrase_prompt", file=args.root.name)
    passphrase = read_passphrase(args.passphrase_file, prompt)
    try:
        seed = open_root(read_key_file(args.root), passphrase)
    except KeystoreError as error:
        raise KeysError("desk.error.cannot_unlock", file=args.root.name) from error
    try:
        manifest = build_manifest_bytes(parse_content(canonical_json({**draft, "v": 1})))
    except CryptoError as error:
        raise UsageError("desk.error.draft_invalid", file=args.manifest_draft.name) from error
    instance_id = public_from_seed(seed)
    _write_signed(args.out, manifest, sign_manifest(seed, manifest), instance_id)
    if terminal.as_json:
        terminal.result({"instance": instance_id.hex(), "serial": draft["serial"]})
        return
    terminal.say("desk.cli.manifest_signed", folder=str(args.out))
    _say_instance(instance_id, terminal)


def parse_instance(text: str) -> bytes:
    """An instance id from 64 hex digits. Raises: UsageError."""
    try:
        raw = bytes.fromhex(text.strip())
    except ValueError as error:
        raise UsageError("desk.error.instance_invalid") from error
    if len(raw) != INSTANCE_BYTES:
        raise UsageError("desk.error.instance_invalid")
    return raw


def enrolment_of(identity: Identity) -> dict[str, str]:
    """The public keys an administrator signs into the manifest."""
    return {
        "person": identity.person,
        "recipient": identity.recipient.to_age(),
        "desk": identity.device_public.hex(),
    }


def new_passphrase(args: argparse.Namespace, terminal: Terminal) -> str:
    """A passphrase for a new key file, typed twice or from a file. Raises: UsageError."""
    prompt = terminal.texts.t("desk.cli.passphrase_new")
    passphrase = read_passphrase(args.passphrase_file, prompt)
    if args.passphrase_file is None:
        again = read_passphrase(None, terminal.texts.t("desk.cli.passphrase_again"))
        if again != passphrase:
            raise UsageError("desk.error.passphrase_differs")
    require_good_passphrase(passphrase)
    return passphrase


def _read_draft(path: Path) -> Mapping[str, Any]:
    data = read_key_file(path, DRAFT_MAX_BYTES)
    try:
        draft = parse_json(data, max_bytes=DRAFT_MAX_BYTES)
    except CryptoError as error:
        raise UsageError("desk.error.draft_invalid", file=path.name) from error
    if not isinstance(draft, dict) or not isinstance(draft.get("serial"), int):
        raise UsageError("desk.error.draft_invalid", file=path.name)
    return draft


def _write_signed(folder: Path, manifest: bytes, signature: bytes, instance_id: bytes) -> None:
    """Replaces the three files one by one; the signature last, so a torn write never verifies."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in (
            ("instance.id", instance_id.hex().encode() + b"\n"),
            ("manifest.json", manifest),
            ("manifest.sig", signature),
        ):
            temporary = folder / f".{name}.new"
            temporary.write_bytes(data)
            temporary.replace(folder / name)
    except OSError as error:
        raise KeysError("desk.error.cannot_write", file=str(folder)) from error


def _say_fingerprint(identity: Identity, terminal: Terminal) -> None:
    digits = identity.recipient.fingerprint()[:16].hex()
    groups = " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))
    terminal.say("desk.cli.key_fingerprint", fingerprint=groups)


def _say_instance(instance_id: bytes, terminal: Terminal) -> None:
    words = " ".join(instance_fingerprint_words(instance_id, terminal.texts.lang))
    terminal.say("desk.cli.instance", instance=instance_id.hex())
    terminal.say("desk.cli.instance_words", words=words)
