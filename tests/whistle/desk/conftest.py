# SPDX-License-Identifier: AGPL-3.0-or-later
"""Fixtures of the desk tests: the same passphrase over the same keystore is stretched once.

Argon2 is meant to be slow. Here the same few keystores are opened hundreds of times; what the
stretching gives is remembered, so that every result stays the real one.
"""

import functools
from collections.abc import Iterator

import pytest

from crypto.private import sealed_file
from whistle.desk import client


@pytest.fixture(scope="session", autouse=True)
def quick_desk() -> Iterator[None]:
    """Remembers stretched passphrases; waits only briefly before asking a server again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealed_file, "_stretch", functools.cache(sealed_file._stretch))
        patch.setattr(client, "PAUSE_SECONDS", 0.01)
        yield
