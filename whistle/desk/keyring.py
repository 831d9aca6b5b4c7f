# SPDX-License-Identifier: AGPL-3.0-or-later
"""Key files on the investigator's computer: where they are, how they are written, whose they are.

- A key file is created once and never overwritten; mode 0600; written durably.
- A passphrase comes from a file (first line) or from the terminal, never from the command line.
- The highest manifest serial seen is remembered beside each keystore, so that an older manifest,
  with a person since removed, is refused.
"""

import getpass
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from crypto.encoding import canonical_json, parse_json
from crypto.errors import KeystoreError, MalformedError
from crypto.private.keystore import Identity, open_keystore
from crypto.rng import Rng
from whistle.desk.errors import KeysError, UsageError

KEYSTORE_MAGIC = b"WHSK"
KEYSTORE_MAX_BYTES = 4096
PASSPHRASE_MIN_CHARACTERS = 12
PASSPHRASE_MAX_BYTES = 1024
STATE_MAX_BYTES = 1024
STATE_SUFFIX = ".seen.json"


@dataclass(frozen=True)
class KeystoreFile:
    """A keystore that exists, still sealed."""

    path: Path

    @property
    def label(self) -> str:
        """What the list of keystores shows: the file's name without its extension."""
        return self.path.stem

    def unlock(self, passphrase: str) -> Identity:
        """The keys inside. Raises: KeysError."""
        data = read_key_file(self.path)
        try:
            return open_keystore(data, passphrase)
        except KeystoreError as error:
            raise KeysError("desk.error.cannot_unlock", file=self.path.name) from error


def find_keystore(path: Path) -> KeystoreFile:
    """The keystore at `path`. Raises: KeysError when there is none."""
    if not read_key_file(path).startswith(KEYSTORE_MAGIC):
        raise KeysError("desk.error.not_a_keystore", file=path.name)
    return KeystoreFile(path)


def find_keystores(folder: Path) -> tuple[KeystoreFile, ...]:
    """Every keystore directly inside `folder`, by name. Raises: KeysError when there is none."""
    try:
        names = sorted(entry for entry in folder.iterdir() if entry.is_file())
    except OSError as error:
        raise KeysError("desk.error.cannot_read", file=str(folder)) from error
    found = tuple(KeystoreFile(path) for path in names if _has_magic(path))
    if not found:
        raise KeysError("desk.error.no_keystores", file=str(folder))
    return found


def _has_magic(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(len(KEYSTORE_MAGIC)) == KEYSTORE_MAGIC
    except OSError:
        return False


def read_key_file(path: Path, limit: int = KEYSTORE_MAX_BYTES) -> bytes:
    """The bytes of a small key file. Raises: KeysError."""
    try:
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        raise KeysError("desk.error.cannot_read", file=str(path)) from error
    if len(data) > limit:
        raise KeysError("desk.error.not_a_keystore", file=path.name)
    return data


def read_passphrase(
    path: Path | None, prompt: str, ask: Callable[[str], str] = getpass.getpass
) -> str:
    """The passphrase from the file's first line, or typed. Raises: KeysError."""
    if path is None:
        try:
            return ask(prompt)
        except EOFError as error:
            raise KeysError("desk.error.no_passphrase") from error
    raw = read_key_file(path, PASSPHRASE_MAX_BYTES)
    try:
        return raw.decode().split("\n", 1)[0].rstrip("\r")
    except UnicodeDecodeError as error:
        raise KeysError("desk.error.cannot_read", file=str(path)) from error


def require_good_passphrase(passphrase: str) -> None:
    """Refuses a passphrase too short to protect a stolen key file. Raises: UsageError."""
    if len(passphrase) < PASSPHRASE_MIN_CHARACTERS:
        raise UsageError("desk.error.passphrase_short", least=PASSPHRASE_MIN_CHARACTERS)


def write_new(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Creates a file that did not exist, durably. Raises: UsageError, KeysError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, mode)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    except FileExistsError as error:
        raise UsageError("desk.error.exists", file=str(path)) from error
    except OSError as error:
        raise KeysError("desk.error.cannot_write", file=str(path)) from error


def is_private(path: Path) -> bool:
    """Whether nobody else on this computer may read the file."""
    return not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)


class SerialMemory:
    """The highest manifest serial this keystore has seen, in a small file beside it."""

    def __init__(self, keystore: Path, rng: Rng) -> None:
        self._path = keystore.with_name(keystore.name + STATE_SUFFIX)
        self._rng = rng

    def highest(self) -> int:
        """0 when nothing was seen yet. Raises: KeysError when the memory is damaged."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise KeysError("desk.error.cannot_read", file=str(self._path)) from error
        try:
            serial = parse_json(data, max_bytes=STATE_MAX_BYTES)["serial"]
        except (MalformedError, KeyError, TypeError) as error:
            raise KeysError("desk.error.memory_damaged", file=str(self._path)) from error
        if not isinstance(serial, int) or isinstance(serial, bool) or serial < 0:
            raise KeysError("desk.error.memory_damaged", file=str(self._path))
        return serial

    def remember(self, serial: int) -> None:
        """Keeps `serial` if it is higher; replaced as a whole. Raises: KeysError."""
        if serial <= self.highest():
            return
        temporary = self._path.with_name(f"{self._path.name}.{self._rng(8).hex()}.new")
        write_new(temporary, canonical_json({"v": 1, "serial": serial}))
        try:
            temporary.replace(self._path)
        except OSError as error:
            raise KeysError("desk.error.cannot_write", file=str(self._path)) from error
