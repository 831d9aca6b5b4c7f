# SPDX-License-Identifier: AGPL-3.0-or-later
"""One family, so that one `except` is enough; nothing typed appears in a message."""

import pytest

from crypto import errors


@pytest.mark.parametrize(
    "kind",
    [
        errors.MalformedError,
        errors.AuthenticationError,
        errors.KeystoreError,
        errors.ManifestError,
        errors.ReceiptError,
    ],
)
def test_one_family(kind: type[Exception]) -> None:
    assert issubclass(kind, errors.CryptoError)


def test_receipt_error_carries_details_but_does_not_print_them() -> None:
    error = errors.ReceiptError("unknown_word", 3, ("kata",))
    assert (error.kind, error.position, error.suggestions) == ("unknown_word", 3, ("kata",))
    assert "kata" not in str(error)
