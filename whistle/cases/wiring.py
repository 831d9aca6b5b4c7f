# SPDX-License-Identifier: AGPL-3.0-or-later
"""The composition root of the case server: settings in, services out.

On the way blobs that no record names are removed, and stored limits are brought up to the policy.

Invariant: nothing in the state directory is touched before its lock is held, and the lock is held
until the services are closed.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from case_mgmt.errors import StoreError as CaseStoreError
from case_mgmt.gate import Rulebook
from case_mgmt.ledger import ServiceKey
from case_mgmt.publication.names import LOG, log_origin
from case_mgmt.publiclog import PublicLog
from case_mgmt.publishing import PublicationOffice
from case_mgmt.service import CaseOffice
from case_mgmt.store.sqlcipher import SqlCipherStore, open_store
from crypto.requests import RequestVerifier
from crypto.rng import Rng
from crypto.signing import public_from_seed
from crypto.tlog.note import SignerKey
from crypto.tlog.policy import Policy as LogPolicy
from whistle import logs
from whistle.cases import witnessed
from whistle.cases.blobs import BlobFolder
from whistle.cases.deliveries import Desk
from whistle.cases.feed import FeedAddress, FeedClient, FeedSigner, connect
from whistle.cases.keyfiles import load_or_create_secret
from whistle.cases.loghead import HeadFile
from whistle.cases.logkeeper import Cosign, LogKeeper, LogPlace
from whistle.cases.organisation import (
    Organisation,
    OrganisationSource,
    load_instance_id,
    load_organisation,
)
from whistle.cases.puller import Puller
from whistle.cases.services import SERIAL, CasesServices, CasesSettings
from whistle.cases.staging import Staging
from whistle.cases.threads import Threads
from whistle.cases.witnessed import WitnessFile
from whistle.clock import Now, Today
from whistle.errors import ConfigError, StoreError
from whistle.layout import LOG_HEAD, LOG_KEY
from whistle.statelock import StateLock, hold
from whistle.witness.client import Gathered, Route, gather

_DATABASE = "cases.db"


def build_services(settings: CasesSettings, today: Today, now: Now, rng: Rng) -> CasesServices:
    """Build the case server.

    Raises ConfigError when the organisation's files or this server's keys are not in order or
    another server uses the state directory, and StoreError when the database does not open.
    """
    settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = hold(settings.state)
    try:
        return _build(settings, today, now, rng, lock)
    except BaseException:
        lock.release()
        raise


def _build(
    settings: CasesSettings, today: Today, now: Now, rng: Rng, lock: StateLock
) -> CasesServices:
    instance_id = load_instance_id(settings.org)
    key = ServiceKey(bytes.fromhex(_secret(settings.state, "service.key", rng)))
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

    def is_known(public: bytes) -> bool:
        return organisation.current.manifest.person_by_desk_key(public) is not None

    def reach() -> AbstractAsyncContextManager[FeedClient]:
        return connect(address, signer)

    threads = Threads()
    puller = Puller(Desk(office, blobs, threads, rules), reach, settings.poll_seconds)
    log = _public_log(settings, organisation.current, store, rng)
    keeper = None
    if log is not None:
        keeper = LogKeeper(
            LogPlace(
                log=log,
                threads=threads,
                rules=rules,
                policy=lambda: organisation.current.log_policy,
                cosign=_cosigner(settings, rng),
                wake_puller=puller.wake,
                witnessed=WitnessFile(settings.state / witnessed.NAME),
            )
        )
        log.open(today())
    services = CasesServices(
        settings=settings,
        organisation=organisation,
        store=store,
        office=office,
        blobs=blobs,
        threads=threads,
        verifier=RequestVerifier(instance_id, known=is_known),
        puller=puller,
        today=today,
        now=now,
        lock=lock,
        publication=PublicationOffice(store),
        staging=Staging(settings.state / "staging"),
        keeper=keeper,
        log=log,
    )
    services.settle()
    return services


def _public_log(
    settings: CasesSettings, organisation: Organisation, store: SqlCipherStore, rng: Rng
) -> PublicLog | None:
    """The log, if the manifest names its key.  Raises ConfigError if the key here is another."""
    public = organisation.manifest.services.get(LOG)
    if public is None:
        return None
    path = settings.state / LOG_KEY
    seed = bytes.fromhex(load_or_create_secret(path, rng, may_create=False))
    if public_from_seed(seed) != public:
        raise ConfigError("the manifest does not name this server's log key")
    if organisation.log_policy is None:
        raise ConfigError("the manifest names a log key but no log policy")
    signer = SignerKey(log_origin(organisation.manifest.instance_id), seed)
    if all(each.key != signer.verifier for each in organisation.log_policy.logs):
        raise ConfigError("the log policy is for another log")
    return PublicLog(store, signer, HeadFile(settings.state / LOG_HEAD), rng)


def _cosigner(settings: CasesSettings, rng: Rng) -> Cosign:
    async def cosign(
        note: str, consistency: Callable[[int], Sequence[bytes]], policy: LogPolicy
    ) -> Gathered:
        route = Route(rng, settings.witness_proxy)
        return await gather(note, consistency, policy.witnesses, route)

    return cosign


def _secret(state: Path, name: str, rng: Rng) -> str:
    is_new = not (state / _DATABASE).exists()
    return load_or_create_secret(state / name, rng, may_create=is_new)


def _open(state: Path, rng: Rng) -> SqlCipherStore:
    try:
        return open_store(state / _DATABASE, _secret(state, "db.key", rng))
    except CaseStoreError as error:
        raise StoreError(str(error)) from error


def _organisation(settings: CasesSettings, today: Today, office: CaseOffice) -> OrganisationSource:
    def load(min_serial: int) -> Organisation:
        return load_organisation(settings.org, today(), min_serial)

    return OrganisationSource(settings.org, load, int(office.recall(SERIAL) or 0))


def _require_own_key(organisation: Organisation, key: ServiceKey) -> None:
    if public_from_seed(key.seed) != organisation.manifest.services.get("cases"):
        raise ConfigError("the manifest does not name this server's service key")
