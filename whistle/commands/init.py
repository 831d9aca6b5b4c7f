# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle init`: founds a real organisation.

Order of the ceremony (docs/spec/run.md): root key on an offline computer, one keystore per person
on the own computer, then this command on the server with the people's public enrolment files. It
asks for what is missing, or takes everything from flags. With `--root` the manifest is signed at
once; without it the draft is written and the command to sign it offline is printed.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from case_mgmt.catalogue import parse_catalogue
from case_mgmt.errors import CaseError
from case_mgmt.policy import parse_policy
from case_mgmt.publication.names import LOG
from crypto.encoding import unhex
from crypto.errors import CryptoError
from crypto.rng import system_rng
from crypto.tlog.errors import LogFormatError
from crypto.tlog.note import VerifierKey
from crypto.tlog.policy import Witness
from whistle import clock
from whistle.commands.errors import CommandError
from whistle.commands.founding import (
    Charter,
    default_files,
    log_policy,
    make_service_keys,
    sign,
    write_charter,
)
from whistle.commands.installing import install
from whistle.layout import Layout

ROLES = ("investigator", "supervisor", "auditor", "publisher", "operator")
DEFAULT_UTC_OFFSET = 7
LEAST_RECIPIENTS = 3
"""Closing needs two people, and one may belong to the accused unit."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `whistle init`."""
    parser.add_argument(
        "--state", type=Path, default=Path("state"), help="state directory to create"
    )
    parser.add_argument("--name-id", help="name of the organisation in Indonesian")
    parser.add_argument("--name-en", help="name of the organisation in English")
    parser.add_argument(
        "--person", action="append", default=[], metavar="ENROLMENT:ROLE:UNIT:NAME",
        help="one per person: enrolment file of `whistle-desk keys new`, role, unit id, name",
    )  # fmt: skip
    parser.add_argument(
        "--catalogue", type=Path, help="units and services (JSON); default: the sample"
    )
    parser.add_argument(
        "--policy", type=Path, help="clock policy (JSON); default: the standard one"
    )
    parser.add_argument(
        "--install", type=Path, metavar="DIR",
        help="install the files `whistle-desk root sign` wrote; asks for nothing else",
    )  # fmt: skip
    parser.add_argument(
        "--instance", metavar="HEX",
        help="the root's public key, as `whistle-desk root new` shows it: turns the public log on",
    )  # fmt: skip
    parser.add_argument(
        "--witness", action="append", default=[], metavar="NAME=VKEY=URL",
        help="one per witness of the public log: name, key (`whistle witness init`), address",
    )  # fmt: skip
    parser.add_argument(
        "--quorum", type=int, default=0, help="how many witnesses must have seen each checkpoint"
    )
    parser.add_argument("--onion", help="onion address to publish in the manifest, once known")
    parser.add_argument("--serial", type=int, default=1, help="serial of the manifest; must grow")
    parser.add_argument("--root", type=Path, help="root key file, if it is on this machine")
    parser.add_argument("--root-passphrase-file", type=Path, help="its passphrase; otherwise asked")


def run(args: argparse.Namespace) -> int:
    """Writes org/ and the servers' keys; signs, or says how to."""
    layout = Layout(args.state.absolute())
    if args.install is not None:
        install(layout, args.install)
        print(f"Installed. Running servers take it up by themselves: {layout.org}")
        return 0
    if layout.is_founded and args.serial == 1:
        message = f"{layout.state} is founded already; a new manifest needs a higher --serial"
        raise CommandError(message)
    today = clock.today(DEFAULT_UTC_OFFSET)
    policy, catalogue = _files(args, default_files(today))
    units = [unit.id for unit in parse_catalogue(catalogue).units]
    name = {
        "id": args.name_id or _ask("Name of the organisation, in Indonesian"),
        "en": args.name_en or _ask("Name of the organisation, in English"),
    }
    people = [_person(text, units) for text in args.person] or _ask_people(units)
    _warn_if_few(people)
    layout.make()
    services = make_service_keys(layout, system_rng)
    charter = Charter(
        name, people, policy, catalogue, serial=args.serial, onion=args.onion,
        log_policy=_log_policy(args, services),
    )  # fmt: skip
    draft = write_charter(layout, charter, services, today)
    if args.root is None:
        _print_offline_steps(layout, draft)
        return 0
    flags: list[str | Path] = []
    if args.root_passphrase_file is not None:
        flags = ["--passphrase-file", args.root_passphrase_file]
    sign(layout, args.root, flags)
    print(f"Founded. The signed manifest is in {layout.org}; move {args.root} offline now.")
    print(f"Start with: whistle run --state {layout.state}")
    return 0


def _log_policy(args: argparse.Namespace, services: dict[str, str]) -> str | None:
    """The log policy; without the root's public key there is no log, and `services` loses its key.

    Raises: CommandError.
    """
    if args.instance is None:
        services.pop(LOG)
        if args.witness or args.quorum:
            message = "witnesses belong to a public log: give --instance too"
            raise CommandError(message)
        return None
    try:
        instance_id = unhex(args.instance, 32)
        witnesses = [_witness(text) for text in args.witness]
    except CryptoError as error:
        message = f"--instance or --witness cannot be used: {error}"
        raise CommandError(message) from error
    return log_policy(instance_id, services[LOG], witnesses, args.quorum)


def _witness(text: str) -> Witness:
    """NAME=VKEY=URL; a key may end in =, so the address is looked for from its scheme on."""
    name, separator, rest = text.partition("=")
    key, found, url = rest.rpartition("=http")
    if not separator or not found:
        raise LogFormatError("a witness is NAME=VKEY=URL")
    return Witness(name, VerifierKey.parse(key), "http" + url)


def _files(args: argparse.Namespace, defaults: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    policy = args.policy.read_bytes() if args.policy else defaults[0]
    catalogue = args.catalogue.read_bytes() if args.catalogue else defaults[1]
    try:
        parse_policy(policy)
        parse_catalogue(catalogue)
    except CaseError as error:
        message = f"the policy or the catalogue cannot be used: {error}"
        raise CommandError(message) from error
    return policy, catalogue


def _ask(question: str) -> str:
    if not sys.stdin.isatty():
        message = f"“{question}” is not given as a flag and there is nobody to ask"
        raise CommandError(message)
    while not (answer := input(f"{question}: ").strip()):
        print("  An answer is needed.")
    return answer


def _ask_people(units: Sequence[str]) -> list[dict[str, Any]]:
    people: list[dict[str, Any]] = []
    print(f"Units: {', '.join(units)}")
    while True:
        path = _ask("Enrolment file of a person (or “done”)")
        if path == "done":
            return people
        role = _ask(f"Role ({', '.join(ROLES)})")
        unit = _ask("Unit")
        name = _ask("Name as colleagues see it")
        try:
            people.append(_person(":".join((path, role, unit, name)), units))
        except CommandError as error:
            print(f"  {error}")


def _person(text: str, units: Sequence[str]) -> dict[str, Any]:
    """ENROLMENT:ROLE:UNIT:NAME -> an entry of the manifest. Raises: CommandError."""
    parts = text.split(":", 3)
    if len(parts) != 4:
        message = f"“{text}” is not ENROLMENT:ROLE:UNIT:NAME"
        raise CommandError(message)
    path, role, unit, name = parts
    if role not in ROLES:
        message = f"“{role}” is not a role; choose one of {', '.join(ROLES)}"
        raise CommandError(message)
    if unit not in units:
        message = f"“{unit}” is not a unit of the catalogue"
        raise CommandError(message)
    enrolment = _read_enrolment(Path(path))
    return {
        "id": enrolment["person"], "name": name, "roles": [role], "unit": unit,
        "recipient": enrolment["recipient"], "desk": enrolment["desk"],
    }  # fmt: skip


def _read_enrolment(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"the enrolment file {path} cannot be read: {error}"
        raise CommandError(message) from error
    if not isinstance(content, dict) or not {"person", "recipient", "desk"} <= content.keys():
        message = f"{path} is not an enrolment file of `whistle-desk keys new`"
        raise CommandError(message)
    return content


def _warn_if_few(people: Sequence[Mapping[str, Any]]) -> None:
    readers = [p for p in people if set(p["roles"]) & {"investigator", "supervisor"}]
    if len(readers) < LEAST_RECIPIENTS:
        print(
            f"Note: {len(readers)} people can open reports. Closing a case needs two, and whoever "
            "belongs to the accused unit is left out: enrol at least three from different units.",
            file=sys.stderr,
        )


def _print_offline_steps(layout: Layout, draft: Path) -> None:
    print(f"The draft is written: {draft}")
    print("Take it to the offline computer that holds the root key and run there:")
    print(
        "    whistle-desk root sign --root ROOT --manifest-draft manifest-draft.json --out signed/"
    )
    print("Bring signed/ back to this machine, then:")
    print(f"    whistle init --state {layout.state} --install signed/")
    print(f"    whistle doctor --state {layout.state} && whistle run --state {layout.state}")
