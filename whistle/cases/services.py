# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the handlers of the case server are given.  Built once, by wiring.py."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from case_mgmt.gate import Rulebook
from case_mgmt.publiclog import PublicLog
from case_mgmt.publishing import PublicationOffice
from case_mgmt.service import CaseOffice
from case_mgmt.store.sqlcipher import SqlCipherStore
from crypto.requests import RequestVerifier
from whistle.cases.blobs import BlobFolder
from whistle.cases.logkeeper import LogKeeper
from whistle.cases.organisation import OrganisationSource
from whistle.cases.puller import Puller
from whistle.cases.staging import Staging
from whistle.cases.threads import Threads
from whistle.clock import Now, Today
from whistle.errors import ConfigError
from whistle.statelock import StateLock

SERIAL: Final = "manifest_serial"


@dataclass(frozen=True)
class CasesSettings:
    """What an operator may choose; the feed is a Unix socket or a URL, never both."""

    org: Path
    state: Path
    feed_socket: Path | None = None
    feed_url: str | None = None
    poll_seconds: float = 1.0
    feed_proxy: str | None = None
    """`socks5://host:port` for a feed behind an onion service."""
    witness_proxy: str | None = None
    """`socks5://host:port` through which witnesses are asked."""

    def __post_init__(self) -> None:
        """Refuse settings that name no feed or two."""
        if (self.feed_socket is None) == (self.feed_url is None):
            raise ConfigError("name the intake's feed: either a socket or a URL")
        if self.poll_seconds <= 0:
            raise ConfigError("the pause between looks at the feed must be positive")


@dataclass(frozen=True)
class CasesServices:
    """The case server's use cases and state."""

    settings: CasesSettings
    organisation: OrganisationSource
    store: SqlCipherStore
    office: CaseOffice
    blobs: BlobFolder
    threads: Threads
    verifier: RequestVerifier
    puller: Puller
    today: Today
    now: Now
    lock: StateLock
    publication: PublicationOffice
    staging: Staging
    keeper: LogKeeper | None = None
    """None in an organisation without a public log."""
    log: PublicLog | None = None

    def rules(self) -> Rulebook:
        """The manifest, the policy and the day in force."""
        current = self.organisation.current
        return Rulebook(current.manifest, current.policy, self.today())

    def renew_organisation(self) -> None:
        """Take newer organisation files into force and work out all limits by them."""
        if self.organisation.refresh():
            self.settle()

    def settle(self) -> None:
        """Remember the serial, and bring the stored limits up to the policy in force."""
        self.office.remember(SERIAL, str(self.organisation.current.manifest.serial))
        self.office.settle(self.rules())

    def close(self) -> None:
        """Finish what is under way and close."""
        self.threads.close()
        self.store.close()
        self.lock.release()


SERVICES: Final = web.AppKey("services", CasesServices)
