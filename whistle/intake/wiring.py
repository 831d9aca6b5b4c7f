# SPDX-License-Identifier: AGPL-3.0-or-later
"""The composition root of the intake: settings in, services out. Nothing else builds adapters.

On the way blobs without a row (left by an interrupted report) are removed, and secrets of past days
destroyed.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Final

from crypto.errors import CryptoError
from crypto.requests import RequestVerifier
from crypto.rng import Rng
from crypto.signing import public_from_seed
from whistle import clock, logs
from whistle.clock import Today
from whistle.errors import ConfigError, WhistleError
from whistle.http.circuits import Circuits
from whistle.intake.admission import Admission
from whistle.intake.blobs import BlobFolder
from whistle.intake.contexts import Statistics
from whistle.intake.database import load_or_create_secret
from whistle.intake.nonces import Nonces
from whistle.intake.organisation import (
    Organisation,
    OrganisationSource,
    load_instance_id,
    load_organisation,
)
from whistle.intake.public_files import PublicFolder
from whistle.intake.sealing import Sealing
from whistle.intake.services import IntakeServices, IntakeSettings, Parts
from whistle.intake.sessions import Sessions
from whistle.intake.store import Store
from whistle.intake.uploads import Disk
from whistle.limits import HARD_MAX_FILE, MIB

DISK_THREADS: Final = 2


def build_services(
    settings: IntakeSettings,
    today: Today,
    rng: Rng,
    *,
    now: clock.Now = clock.unix_now,
    monotonic: clock.Monotonic = clock.monotonic,
) -> IntakeServices:
    """Build the intake.

    Raises:
        ConfigError: the organisation's files or this server's keys are not in order.
        StoreError: the database does not open.
    """
    if settings.max_file_bytes > HARD_MAX_FILE:
        raise ConfigError(f"files above {HARD_MAX_FILE // MIB} MiB cannot be allowed")
    settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    seed = bytes.fromhex(load_or_create_secret(settings.state / "service.key", rng))
    public = public_from_seed(seed)
    database = settings.state / "intake.db"
    store = Store(database, load_or_create_secret(settings.state / "db.key", rng, database))
    try:
        source = OrganisationSource(
            settings.org, lambda: _load(settings, store, public, today()), monotonic
        )
    except WhistleError:
        store.close()
        raise
    folder = BlobFolder(settings.state / "blobs")
    swept = folder.sweep(store.blob_ids())
    if swept:
        logs.get("intake").info("left-over files removed", count=swept)
    services = IntakeServices(
        Parts(
            settings=settings,
            organisation=source,
            store=store,
            public=PublicFolder(settings.state / "public", rng),
            disk=Disk(
                folder,
                ThreadPoolExecutor(DISK_THREADS, "intake-disk"),
                waiting=store.waiting_bytes,
            ),
            sealing=Sealing(store, rng),
            sessions=Sessions(rng, monotonic),
            nonces=Nonces(rng, monotonic),
            admission=Admission(Circuits(monotonic), monotonic),
            verifier=RequestVerifier(
                load_instance_id(settings.org),
                known=lambda key: key == source.current().manifest.services.get("cases"),
            ),
            service_seed=seed,
            today=today,
            now=now,
            rng=rng,
        )
    )
    services.statistics = parse_statistics(store.statistics())
    return services


def _load(settings: IntakeSettings, store: Store, public: bytes, today: date) -> Organisation:
    """Load the organisation's files; their serial is remembered before they are used.

    Raises:
        ConfigError: they are not in order, or are for a server with another service key.
    """
    highest = store.highest_serial()
    organisation = load_organisation(settings.org, today, settings.max_file_bytes, highest)
    if organisation.manifest.services.get("intake") != public:
        raise ConfigError("the manifest does not name this server's service key")
    if organisation.manifest.serial > highest:
        store.remember_serial(organisation.manifest.serial)
    return organisation


def parse_statistics(text: str | None) -> Statistics | None:
    """Return stored public numbers; None if there are none or they make no sense."""
    if text is None:
        return None
    try:
        return Statistics.from_json(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, CryptoError):
        return None
