# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can be wrong with a log, by who would have to answer for it.

- `LogFormatError`: a text or file does not have the one form its specification allows.
- `SignatureError`: a known key's signature is wrong, or no known key signed.
- `ProofError`: the hashes do not lead from what is claimed to the root.
- `TileError`: one of the log's files is missing, cut short, too long, or does not fit the root.
- `QuorumError`: the log signed, but too few of the named witnesses did.

Names in messages are those of keys and files the reader named, never text of a stranger.
"""

from typing import Final, Literal

from crypto.errors import AuthenticationError, CryptoError, MalformedError

SignatureFault = Literal["wrong", "absent"]
TileFault = Literal["missing", "truncated", "overlong", "entry", "tile", "root"]

_SIGNATURE: Final[dict[SignatureFault, str]] = {
    "wrong": "the signature of {} is forged or damaged",
    "absent": "no signature of {}",
}
_TILE: Final[dict[TileFault, str]] = {
    "missing": "{} is missing",
    "truncated": "{} is cut short",
    "overlong": "{} is longer than it may be",
    "entry": "an entry in {} does not match its leaf hash",
    "tile": "{} holds a hash that does not follow from the entries",
    "root": "{} names another root than the entries lead to",
}


class LogFormatError(MalformedError):
    """The text or file is not in the form the specification demands."""


class SignatureError(AuthenticationError):
    """A known key's signature is `wrong`, or `absent`; `name` is the key's name."""

    def __init__(self, fault: SignatureFault, name: str) -> None:
        super().__init__(_SIGNATURE[fault].format(name))
        self.fault: SignatureFault = fault
        self.name = name


class ProofError(CryptoError):
    """An inclusion or consistency proof does not hold."""


class TileError(CryptoError):
    """A file of the log is not what its checkpoint promises; `path` names it."""

    def __init__(self, fault: TileFault, path: str) -> None:
        super().__init__(_TILE[fault].format(path))
        self.fault: TileFault = fault
        self.path = path


class QuorumError(AuthenticationError):
    """Too few witnesses cosigned; `missing` names, as the policy does, those that did not."""

    def __init__(self, missing: tuple[str, ...]) -> None:
        super().__init__("too few witnesses cosigned; missing: " + ", ".join(missing))
        self.missing = missing
