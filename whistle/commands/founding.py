# SPDX-License-Identifier: AGPL-3.0-or-later
"""Founding an organisation: service keys, policy, catalogue, people, signed manifest.

Private keys of people and of the root are made by `whistle-desk` in a process of its own: the
`whistle` program never loads code that could open a report. Invariants: nothing is overwritten,
and a manifest that `crypto.manifest` would refuse is never installed.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from case_mgmt.catalogue import demo_catalogue
from case_mgmt.policy import default_policy
from case_mgmt.publication.names import LOG, LOG_POLICY, log_origin
from crypto.errors import CryptoError
from crypto.receipt import generate
from crypto.rng import Rng
from crypto.signing import public_from_seed
from crypto.tlog.lines import KeyType
from crypto.tlog.note import VerifierKey
from crypto.tlog.policy import Log, Witness, simple_policy
from whistle.commands.errors import CommandError
from whistle.commands.installing import copy_site_list, install
from whistle.layout import LOG_KEY, Layout, write_private

MANIFEST_LIFETIME = timedelta(days=366)
POLICY_YEARS_AHEAD = 3
SEED_BYTES = 32
PASSPHRASE_WORDS = 6
DRAFT = "manifest-draft.json"
BUILDING = ".founding"
COMPLETE = "complete"
OWN_FILES = frozenset({BUILDING, "lock"})
"""66 bits: enough behind Argon2id for a demo whose passphrase lies beside the keystore anyway."""

DEMO_MEMORY_MIB = "64"
"""Argon2id memory of the demo keystores: the least the format allows, so that the demo starts
quickly.
"""

DEMO_NAME = {"id": "Inspektorat Kota Contoh", "en": "Inspectorate of Kota Contoh (demo)"}
DEMO_PEOPLE: tuple[dict[str, Any], ...] = (
    {
        "id": "penyidik-1",
        "name": "Penyidik 1",
        "roles": ["investigator"],
        "unit": "inspektorat-1",
    },
    {
        "id": "penyidik-2",
        "name": "Penyidik 2",
        "roles": ["investigator"],
        "unit": "inspektorat-2",
    },
    {
        "id": "pengawas",
        "name": "Pengawas",
        "roles": ["supervisor"],
        "unit": "inspektorat-pengaduan",
    },
    {
        "id": "penerbit",
        "name": "Penerbit",
        "roles": ["publisher"],
        "unit": "inspektorat-pengaduan",
    },
    {
        "id": "auditor",
        "name": "Auditor",
        "roles": ["auditor"],
        "unit": "inspektorat-pengaduan",
    },
)


@dataclass(frozen=True)
class Charter:
    """What the root key is asked to sign."""

    name: Mapping[str, str]
    people: Sequence[Mapping[str, Any]]
    policy: bytes
    catalogue: bytes
    demo: bool = False
    serial: int = 1
    onion: str | None = None
    log_policy: str | None = None
    """The public log's key and witnesses (C2SP tlog-policy); None without a log."""
    extra: Mapping[str, Any] = field(default_factory=dict)


def desk_program() -> Path:
    """The `whistle-desk` launcher that was installed beside this interpreter."""
    program = Path(sys.executable).with_name("whistle-desk")
    if not program.exists():
        message = f"{program} is missing: install the whole package (make setup)"
        raise CommandError(message)
    return program


def call_desk(*words: str | Path) -> dict[str, Any]:
    """Runs `whistle-desk … --json` and returns what it printed. Raises: CommandError."""
    command = [str(desk_program()), *map(str, words), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        message = done.stderr.strip() or f"whistle-desk {words[0]} failed"
        raise CommandError(message)
    result = json.loads(done.stdout)
    if not isinstance(result, dict):
        message = f"whistle-desk {words[0]} printed something unexpected"
        raise CommandError(message)
    return result


def make_service_keys(layout: Layout, rng: Rng) -> dict[str, str]:
    """Creates (or reads) the Ed25519 seeds of both servers and of the public log.

    Returns their public keys as hex.
    """
    public: dict[str, str] = {}
    places = {
        "intake": layout.intake / "service.key",
        "cases": layout.cases / "service.key",
        LOG: layout.cases / LOG_KEY,
    }
    for service, path in places.items():
        if not path.exists():
            write_private(path, rng(SEED_BYTES).hex().encode() + b"\n")
        seed = bytes.fromhex(path.read_text(encoding="ascii").strip())
        public[service] = public_from_seed(seed).hex()
    return public


def log_policy(
    instance_id: bytes, log_key: str, witnesses: Sequence[Witness] = (), quorum: int = 0
) -> str:
    """log-policy.txt for a log of this key.  Raises: CommandError."""
    key = VerifierKey(log_origin(instance_id), KeyType.ED25519, bytes.fromhex(log_key))
    try:
        return simple_policy(Log(key), witnesses, quorum).encode()
    except CryptoError as error:
        message = f"these witnesses make no policy: {error}"
        raise CommandError(message) from error


def default_files(today: date) -> tuple[bytes, bytes]:
    """(policy.json, catalogue.json) to start from."""
    policy = default_policy(today.year - 1, today.year + POLICY_YEARS_AHEAD)
    return policy.to_json(), demo_catalogue().to_json()


def draft(charter: Charter, services: Mapping[str, str], today: date) -> dict[str, Any]:
    """The manifest before signing; `whistle-desk root sign` makes the canonical bytes."""
    return {
        "serial": charter.serial,
        "not_before": today.isoformat(),
        "not_after": (today + MANIFEST_LIFETIME).isoformat(),
        "name": dict(charter.name),
        "demo": charter.demo,
        "people": [dict(person) for person in charter.people],
        "services": dict(services),
        "files": {
            "policy.json": hashlib.sha256(charter.policy).hexdigest(),
            "catalogue.json": hashlib.sha256(charter.catalogue).hexdigest(),
            **_log_file(charter),
        },
        "onion": charter.onion,
        **charter.extra,
    }


def write_charter(
    layout: Layout, charter: Charter, services: Mapping[str, str], today: date
) -> Path:
    """Writes policy, catalogue and the manifest's draft into draft/; returns the draft's path.

    org/ stays as it is until `install`: a running organisation keeps its files.
    """
    layout.draft.mkdir(mode=0o700, parents=True, exist_ok=True)
    (layout.draft / "policy.json").write_bytes(charter.policy)
    (layout.draft / "catalogue.json").write_bytes(charter.catalogue)
    if charter.log_policy is not None:
        (layout.draft / LOG_POLICY).write_text(charter.log_policy, encoding="utf-8")
    path = layout.draft / DRAFT
    text = json.dumps(draft(charter, services, today), indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def _log_file(charter: Charter) -> dict[str, str]:
    if charter.log_policy is None:
        return {}
    return {LOG_POLICY: hashlib.sha256(charter.log_policy.encode()).hexdigest()}


def new_passphrase(rng: Rng) -> str:
    """Six words of the Indonesian list."""
    return "-".join(generate(rng).words("id")[:PASSPHRASE_WORDS])


def found_demo(layout: Layout, today: date, rng: Rng) -> None:
    """Creates the demo: root, five people, units and services, a log without witnesses.

    It is made in a folder of its own and moved into place when complete, so that an interrupted
    first start can simply be repeated. Raises: CommandError, when something else lies there.
    """
    building = Layout(layout.state / BUILDING)
    complete = building.state / COMPLETE
    if not complete.exists():
        _require_empty(layout)
        shutil.rmtree(building.state, ignore_errors=True)
        _make_demo(building, today, rng)
        complete.touch()
    for folder in sorted(building.state.iterdir(), key=lambda path: path.name == "org"):
        if folder.is_dir():  # org last: a state directory with a manifest is founded
            folder.rename(layout.state / folder.name)
    shutil.rmtree(building.state)


def _require_empty(layout: Layout) -> None:
    """SECURITY: a demo is never mixed with somebody's keys."""
    layout.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    others = sorted(path.name for path in layout.state.iterdir() if path.name not in OWN_FILES)
    if others:
        message = (
            f"{layout.state} holds no organisation but is not empty ({', '.join(others)}): choose "
            "another --state, or finish the founding (`whistle init --help`)"
        )
        raise CommandError(message)


def _make_demo(layout: Layout, today: date, rng: Rng) -> None:
    layout.make()
    layout.root.mkdir(mode=0o700, exist_ok=True)
    passphrase = new_passphrase(rng)
    for path in (layout.passphrase_file, layout.root / "passphrase.txt"):
        if not path.exists():
            write_private(path, passphrase.encode() + b"\n")
    common = ("--passphrase-file", layout.passphrase_file, "--memory-mib", DEMO_MEMORY_MIB)
    root_key = layout.root / "root.key"
    root_flags = ("--passphrase-file", layout.root / "passphrase.txt")
    instance = call_desk(
        "root", "new", "--out", root_key, *root_flags, "--memory-mib", DEMO_MEMORY_MIB
    )["instance"]
    people = []
    for person in DEMO_PEOPLE:
        keystore = layout.people / f"{person['id']}.keystore"
        enrolment = call_desk(
            "keys", "new", "--person", person["id"], "--instance", instance,
            "--out", keystore, *common,
        )  # fmt: skip
        made = call_desk("keys", "onion", "--person", person["id"], "--out", layout.people)
        public = Path(made["public"])
        public.rename(layout.desks / public.name)
        people.append({**person, "recipient": enrolment["recipient"], "desk": enrolment["desk"]})
    policy, catalogue = default_files(today)
    services = make_service_keys(layout, rng)
    witnessing = log_policy(bytes.fromhex(instance), services[LOG])
    charter = Charter(DEMO_NAME, people, policy, catalogue, demo=True, log_policy=witnessing)
    write_charter(layout, charter, services, today)
    sign(layout, root_key, root_flags)


def sign(layout: Layout, root_key: Path, root_flags: Sequence[str | Path]) -> None:
    """Lets the root key sign the draft, then installs the result. Raises: CommandError."""
    call_desk(
        "root", "sign", "--root", root_key, *root_flags,
        "--manifest-draft", layout.draft / DRAFT, "--out", layout.draft,
    )  # fmt: skip
    copy_site_list(layout.org, layout.draft)  # its serial goes on from there
    call_desk("root", "sign-site", "--root", root_key, *root_flags, "--org", layout.draft)
    install(layout, layout.draft)
