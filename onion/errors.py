# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong with onion services, by who caused it.

- `TorMissingError`: the operator's machine has no tor.
- `TorFailedError`: tor is there and did not do its work.
- `AddressError`: a text is no onion address.
- `ClientKeyError`: a desk's name or public key cannot be authorised.
- `SettingError`: a value of ours that tor's configuration file cannot carry.

`OnionError` is never raised itself. No message holds an onion address, a key or a path.
"""


class OnionError(Exception):
    """Base of all errors of this package."""


class TorMissingError(OnionError):
    """There is no tor program on this machine."""

    def __init__(self) -> None:
        super().__init__("tor is not installed; install it with `apt install tor`")


class TorFailedError(OnionError):
    """tor ended, did not answer in time, or refused its configuration."""


class AddressError(OnionError):
    """The text is not a version 3 onion address."""


class ClientKeyError(OnionError):
    """The desk's name or x25519 public key cannot be used for client authorisation."""


class SettingError(OnionError):
    """The value cannot be written into tor's configuration."""
