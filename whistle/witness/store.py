# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a witness remembers: its name and key, and the latest checkpoint of each log.

Invariants
* A file appears whole and durable under its name, or not at all: written aside, synchronised,
  renamed, and the folder synchronised, before anything is answered.
* What is read back carries the witness's own cosignature; anything else stops the server, because
  a witness that forgets could be led to cosign a second history.
* A key is made once, by `create`, and never replaced.

Layout of the state directory: `witness.name`, `witness.key` (64 hex digits), `lock`,
`logs/SHA-256 of the origin`, each of those a signed note, and `evidence/SHA-256 of the origin`: the
two notes by which a log contradicted itself.
Source: docs/spec/log.md section 4.
"""

import os
import re
from pathlib import Path
from typing import Final

from crypto.errors import CryptoError
from crypto.rng import Rng
from crypto.tlog.lines import KeyType, check_key_name
from crypto.tlog.note import MAX_NOTE, SignerKey
from crypto.tlog.witness import Seen, open_seen, origin_hash
from whistle.errors import ConfigError, StoreError

NAME: Final = "witness.name"
KEY: Final = "witness.key"
LOGS: Final = "logs"
EVIDENCE: Final = "evidence"
_SEED: Final = re.compile(r"[0-9a-f]{64}\n?")
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_MODE: Final = 0o600


class WitnessStore:
    """One state directory, whose lock the caller holds."""

    def __init__(self, state: Path, signer: SignerKey) -> None:
        self._logs = state / LOGS
        self._evidence = state / EVIDENCE
        self.signer = signer

    def seen(self, origin: str) -> Seen | None:
        """The latest checkpoint cosigned for this log.  Raises StoreError: it was damaged."""
        data = self.shown(origin_hash(origin))
        if data is None:
            return None
        try:
            seen = open_seen(data, self.signer.verifier)
        except CryptoError as error:
            raise StoreError("a remembered checkpoint is damaged; restore it") from error
        if seen.checkpoint.origin != origin:
            raise StoreError("a remembered checkpoint is of another log; restore it")
        return seen

    def shown(self, hashed: str) -> bytes | None:
        """The note to show for a log, named by its origin's hash.  Raises StoreError."""
        if _HASH.fullmatch(hashed) is None:
            return None
        try:
            with (self._logs / hashed).open("rb") as file:
                return file.read(MAX_NOTE + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError("a remembered checkpoint cannot be read") from error

    def remember(self, seen: Seen) -> None:
        """Store durably; only then may the cosignature leave.  Raises StoreError."""
        try:
            _write(self._logs / origin_hash(seen.checkpoint.origin), seen.note.encode())
        except OSError as error:
            raise StoreError("a checkpoint cannot be stored") from error

    def keep_evidence(self, seen: Seen, note: str) -> bool:
        """Keep two contradictory notes of a log; say whether they are its first.

        Raises StoreError.
        """
        path = self._evidence / origin_hash(seen.checkpoint.origin)
        try:
            if path.exists():
                return False
            self._evidence.mkdir(mode=0o700, exist_ok=True)
            _write(path, f"{seen.note}\n{note}".encode())
        except OSError as error:
            raise StoreError("evidence cannot be stored") from error
        return True


def create(state: Path, name: str, rng: Rng) -> SignerKey:
    """Found a witness in a new or empty directory.

    Raises ConfigError: the name cannot name a key, or there is a witness already.
    """
    try:
        check_key_name(name)
    except CryptoError as error:
        raise ConfigError("a witness's name has no space and no plus, like w.example/1") from error
    if (state / KEY).exists():
        raise ConfigError("there is a witness in this directory already")
    seed = rng(32)
    try:
        (state / LOGS).mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(state / NAME, f"{name}\n".encode())
        _write(state / KEY, f"{seed.hex()}\n".encode())
    except OSError as error:
        raise ConfigError("the state directory cannot be written") from error
    return SignerKey(name, seed, KeyType.COSIGNATURE)


def load(state: Path) -> WitnessStore:
    """Open the state directory.  Raises ConfigError: there is no witness, or it is damaged."""
    try:
        name = (state / NAME).read_text(encoding="utf-8").removesuffix("\n")
        key = (state / KEY).read_text(encoding="ascii")
        if not (state / LOGS).is_dir():
            raise FileNotFoundError
        check_key_name(name)
    except (OSError, ValueError, CryptoError) as error:
        raise ConfigError("no usable witness in this directory; `whistle witness init`") from error
    if _SEED.fullmatch(key) is None:
        raise ConfigError(f"{KEY} must hold 64 hexadecimal digits")
    return WitnessStore(state, SignerKey(name, bytes.fromhex(key.strip()), KeyType.COSIGNATURE))


def _write(path: Path, data: bytes) -> None:
    partial = path.with_name(f"{path.name}.new")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
