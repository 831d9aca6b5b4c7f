# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong in the cryptographic core, by who caused it.

- `MalformedError`: the bytes or text do not have the one form the specification allows.
- `AuthenticationError`: the form is right, but a key, tag or signature does not match.
- `KeystoreError`, `ManifestError`: the culprit is a passphrase-sealed file or the signed manifest.
- `ReceiptError`: a person mistyped a receipt; the only error carrying details meant for display.

`CryptoError` is never raised itself. No message holds a secret or anything a stranger supplied.
"""

from typing import Literal

ReceiptFault = Literal["count", "unknown_word", "check"]


class CryptoError(Exception):
    """Base of all errors of this package."""


class MalformedError(CryptoError):
    """The input is not in the form the specification demands."""


class AuthenticationError(CryptoError):
    """A key, an authentication tag or a signature does not match."""


class KeystoreError(CryptoError):
    """A passphrase-sealed file cannot be opened."""


class ManifestError(CryptoError):
    """The recipient manifest cannot be trusted."""


class ReceiptError(CryptoError):
    """A typed receipt is not a receipt; `position` counts words from 0."""

    def __init__(
        self,
        kind: ReceiptFault,
        position: int | None = None,
        suggestions: tuple[str, ...] = (),
    ) -> None:
        super().__init__(f"receipt not accepted: {kind}")
        self.kind: ReceiptFault = kind
        self.position = position
        self.suggestions = suggestions
