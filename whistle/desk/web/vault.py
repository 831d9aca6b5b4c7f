# SPDX-License-Identifier: AGPL-3.0-or-later
"""Holds the unlocked keys of at most one person, for as long as that person is at the desk.

- Locked at start unless a passphrase file was given; locked again after `lock_after` seconds
  without a request (not with a passphrase file: whoever reaches the desk reaches that file too). A
  timer does it: keys do not stay in memory until somebody asks again.
- Unlocking another keystore replaces the person; nothing of the former one stays (drafts, caches).
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from crypto.private.keystore import Identity
from whistle.clock import Monotonic
from whistle.desk.client import CaseClient, ServerAddress, Signer
from whistle.desk.connection import Surroundings
from whistle.desk.errors import KeysError
from whistle.desk.keyring import KeystoreFile, read_passphrase
from whistle.desk.trust import Organisation
from whistle.desk.workbench import Workbench

ORGANISATION_SECONDS = 30.0


@dataclass(frozen=True)
class VaultSettings:
    """What the command line decided."""

    keystores: Sequence[KeystoreFile]
    address: ServerAddress
    surroundings: Surroundings
    monotonic: Monotonic
    passphrase_file: Path | None = None
    lock_after: float = 900.0
    look_every: float = 5.0
    """Seconds between looks at whether nobody is there any more."""


class Vault:
    """The keys in use and the workbench they open."""

    def __init__(self, settings: VaultSettings) -> None:
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None
        self._bench: Workbench | None = None
        self._keystore: KeystoreFile | None = None
        self._organisation: tuple[float, Organisation] | None = None
        self._used = 0.0
        self.on_change: Callable[[], None] = lambda: None

    @property
    def keystores(self) -> Sequence[KeystoreFile]:
        """Every keystore that may be unlocked."""
        return self._settings.keystores

    @property
    def needs_passphrase(self) -> bool:
        """Whether a person must type it."""
        return self._settings.passphrase_file is None

    @property
    def identity(self) -> Identity | None:
        """Whose keys are in use."""
        return None if self._bench is None else self._bench.identity

    @property
    def keystore(self) -> KeystoreFile | None:
        """Which keystore is open."""
        return self._keystore

    def attach(self, session: aiohttp.ClientSession) -> None:
        """Gives the vault its connection."""
        self._session = session

    def touch(self) -> bool:
        """Notes that somebody is there; false, and locked, when nobody was for too long."""
        self._lock_if_idle()
        self._used = self._settings.monotonic()
        return self._bench is not None

    async def watch(self) -> None:
        """Locks when nobody was there for too long; runs until cancelled."""
        while True:
            await asyncio.sleep(self._settings.look_every)
            self._lock_if_idle()

    async def unlock(self, name: str, passphrase: str | None = None) -> None:
        """Opens the keystore of this label. Raises: KeysError."""
        keystore = next((each for each in self.keystores if each.label == name), None)
        if keystore is None:
            raise KeysError("desk.error.no_such_keystore")
        if passphrase is None and self._settings.passphrase_file is not None:
            passphrase = read_passphrase(self._settings.passphrase_file, "")
        identity = await asyncio.to_thread(keystore.unlock, passphrase or "")
        self._take(keystore, identity)

    def lock(self) -> None:
        """Lets go of the keys."""
        self._bench = self._keystore = self._organisation = None
        self.on_change()

    def bench(self) -> Workbench:
        """The workbench of the unlocked person. Raises: KeysError."""
        if self._bench is None:
            raise KeysError("desk.error.locked")
        return self._bench

    async def organisation(self) -> Organisation:
        """The verified organisation, fetched again when the last look is old."""
        now = self._settings.monotonic()
        if self._organisation is None or now - self._organisation[0] > ORGANISATION_SECONDS:
            self._organisation = (now, await self.bench().organisation())
        return self._organisation[1]

    def _lock_if_idle(self) -> None:
        idle = self._settings.monotonic() - self._used
        if self._bench is not None and self.needs_passphrase and idle > self._settings.lock_after:
            self.lock()

    def _take(self, keystore: KeystoreFile, identity: Identity) -> None:
        if self._session is None:
            raise RuntimeError("the vault has no connection")
        surroundings = self._settings.surroundings
        tools = surroundings.workbench_tools(identity, keystore.path)
        signer = Signer(identity, surroundings.rng, surroundings.now)
        client = CaseClient(self._session, self._settings.address, signer)
        self.lock()
        self._keystore, self._bench = keystore, Workbench(client, tools)
        self._used = self._settings.monotonic()
