# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the handlers of the intake are given. Built once, by `whistle.intake.wiring`."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from crypto.requests import RequestVerifier
from crypto.rng import Rng
from whistle import limits
from whistle.clock import Now, Today
from whistle.errors import RefusedError
from whistle.intake.admission import Admission
from whistle.intake.attachments import Attachments
from whistle.intake.blobs import BlobFolder
from whistle.intake.contexts import Statistics
from whistle.intake.nonces import Nonces
from whistle.intake.organisation import Organisation, OrganisationSource
from whistle.intake.pieces import Pieces
from whistle.intake.public_files import PublicFolder
from whistle.intake.sealing import Sealing
from whistle.intake.sessions import Sessions
from whistle.intake.store import Store
from whistle.intake.submissions import Submissions
from whistle.intake.uploads import Disk


@dataclass(frozen=True)
class IntakeSettings:
    """What an operator may choose; `max_file_bytes` is per file.

    `verifier` makes the page that verifies releases; without it that page is not served.
    """

    org: Path
    state: Path
    max_file_bytes: int = limits.MAX_FILE_BYTES
    verifier: Callable[[], bytes] | None = None


@dataclass(frozen=True)
class Parts:
    """The pieces the services are made of."""

    settings: IntakeSettings
    organisation: OrganisationSource
    store: Store
    public: PublicFolder
    disk: Disk
    sealing: Sealing
    sessions: Sessions
    nonces: Nonces
    admission: Admission
    verifier: RequestVerifier
    service_seed: bytes
    today: Today
    now: Now
    rng: Rng


class IntakeServices:
    """The intake's use cases and state."""

    def __init__(self, parts: Parts) -> None:
        self.settings: Final = parts.settings
        self.source: Final = parts.organisation
        self.store: Final = parts.store
        self.public: Final = parts.public
        self.disk: Final = parts.disk
        self.sealing: Final = parts.sealing
        self.sessions: Final = parts.sessions
        self.verifier: Final = parts.verifier
        self.service_seed: Final = parts.service_seed
        self.today: Final = parts.today
        self.now: Final = parts.now
        self.rng: Final = parts.rng
        self.reading: Final = ThreadPoolExecutor(1, "intake-reading")  # opens status pages
        self.statistics: Statistics | None = None
        self.nonces: Final = parts.nonces
        self.admission: Final = parts.admission
        self.pieces: Final = Pieces(parts.store.uploads, parts.disk)
        self.submissions: Final = Submissions(
            parts.store, parts.disk.folder, parts.service_seed, parts.rng
        )

        self.archives = 0  # on their way
        self.log_size = 0
        self.releases: tuple[str, ...] = ()
        self.look_at_public()

    def look_at_public(self) -> None:
        """See how far the public log reaches, and which releases are complete."""
        checkpoint = self.public.checkpoint
        self.log_size = 0 if checkpoint is None else checkpoint.size
        self.releases = self.public.releases()

    @contextmanager
    def one_archive(self) -> Iterator[None]:
        """Count an archive on its way for the length of a block.  Raises RefusedError."""
        if self.archives >= limits.MAX_ARCHIVES:
            raise RefusedError("busy")
        self.archives += 1
        try:
            yield
        finally:
            self.archives -= 1

    @property
    def organisation(self) -> Organisation:
        """The organisation's files in force."""
        return self.source.current()

    @property
    def instance_id(self) -> bytes:
        """The organisation's root public key."""
        return self.organisation.manifest.instance_id

    @property
    def blobs(self) -> BlobFolder:
        """The folder of sealed attachments."""
        return self.disk.folder

    @property
    def executor(self) -> Executor:
        """The threads that touch the disk."""
        return self.disk.executor

    def attachments(self) -> Attachments:
        """Return an empty set of files for one form."""
        return Attachments(self.disk, self.today(), self.rng)

    def close(self) -> None:
        """Finish what is under way and close."""
        self.reading.shutdown(wait=True)
        self.disk.executor.shutdown(wait=True)
        self.store.close()


SERVICES: Final = web.AppKey("services", IntakeServices)
