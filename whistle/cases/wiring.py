# SPDX-License-Identifier: AGPL-3.0-or-later
"""The composition root of the case server: settings in, services out.

On the way blobs that no record names are removed, and stored limits are brought up to the policy.
"""

import os
import re
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final

from case_mgmt.errors import StoreError as CaseStoreError
from case_mgmt.gate import Rulebook
from case_mgmt.ledger import ServiceKey
from case_mgmt.service import CaseOffice
from case_mgmt.store.sqlcipher import SqlCipherStore, open_store
from crypto.requests import RequestVerifier
from crypto.rng import Rng
from crypto.signing import public_from_seed
from whistle import logs
from whistle.cases.blobs import BlobFolder
from whistle.cases.feed import FeedAddress, FeedClient, FeedSigner, connect
from whistle.cases.organisation import (
    Organisation,
    OrganisationSource,
    load_instance_id,
    load_organisation,
)
from whistle.cases.puller import Desk, Puller
from whistle.cases.services import SERIAL, CasesServices, CasesSettings
from whistle.cases.threads import Threads
from whistle.clock import Now, Today
from whistle.errors import ConfigError, StoreError

_SECRET: Final = re.compile(r"[0-9a-f]{64}")


def build_services(settings: CasesSettings, today: Today, now: Now, rng: Rng) -> CasesServices:
    """Build the case server.

    Raises ConfigError when the organisation's files or this server's keys are not in order, and
    StoreError when the database does not open.
    """
    settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    instance_id = load_instance_id(settings.org)
    key = ServiceKey(bytes.fromhex(load_or_create_secret(settings.state / "service.key", rng)))
    store = _open(settings.state, rng)
    try:
        office = CaseOffice(store, key, rng)
        organisation = _organisation(settings, today, office)
        _require_own_key(organisation.current, key)
    except ConfigError:
        store.close()
        raise
    blobs = BlobFolder(settings.state / "blobs")
    swept = blobs.sweep(office.known_blobs())
    if swept:
        logs.get("cases").info("left-over files removed", count=swept)

    def rules() -> Rulebook:
        current = organisation.current
        return Rulebook(current.manifest, current.policy, today())

    address = FeedAddress(settings.feed_socket, settings.feed_url, settings.feed_proxy)
    signer = FeedSigner(key.seed, instance_id, now, rng)

    def reach() -> AbstractAsyncContextManager[FeedClient]:
        return connect(address, signer)

    threads = Threads()
    services = CasesServices(
        settings=settings,
        organisation=organisation,
        store=store,
        office=office,
        blobs=blobs,
        threads=threads,
        verifier=RequestVerifier(instance_id),
        puller=Puller(Desk(office, blobs, threads, rules), reach, settings.poll_seconds),
        today=today,
        now=now,
    )
    services.settle()
    return services


def load_or_create_secret(path: Path, rng: Rng) -> str:
    """The 64 hexadecimal digits of a key file, made if it is absent.  Raises ConfigError."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        text = path.read_text(encoding="ascii", errors="replace").strip()
        if _SECRET.fullmatch(text) is None:
            raise ConfigError(f"{path.name} must hold 64 hexadecimal digits") from None
        return text
    text = rng(32).hex()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return text


def _open(state: Path, rng: Rng) -> SqlCipherStore:
    try:
        return open_store(state / "cases.db", load_or_create_secret(state / "db.key", rng))
    except CaseStoreError as error:
        raise StoreError(str(error)) from error


def _organisation(settings: CasesSettings, today: Today, office: CaseOffice) -> OrganisationSource:
    def load(min_serial: int) -> Organisation:
        return load_organisation(settings.org, today(), min_serial)

    return OrganisationSource(settings.org, load, int(office.recall(SERIAL) or 0))


def _require_own_key(organisation: Organisation, key: ServiceKey) -> None:
    if public_from_seed(key.seed) != organisation.manifest.services.get("cases"):
        raise ConfigError("the manifest does not name this server's service key")
