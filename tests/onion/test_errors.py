# SPDX-License-Identifier: AGPL-3.0-or-later
"""One family of errors, and texts an operator can act on."""

import pytest

from onion import errors


@pytest.mark.parametrize(
    "kind",
    [
        errors.AddressError,
        errors.ClientKeyError,
        errors.SettingError,
        errors.TorFailedError,
        errors.TorMissingError,
    ],
)
def test_all_errors_are_of_one_family(kind: type[Exception]) -> None:
    assert issubclass(kind, errors.OnionError)


def test_a_missing_tor_says_what_to_install() -> None:
    assert "apt install tor" in str(errors.TorMissingError())
