# SPDX-License-Identifier: AGPL-3.0-or-later
"""Loads aiohttp without the system's certificates; whoever serves imports this first.

aiohttp reads every certificate authority of the system while it is imported, a sixth of all the
time our servers need to start. No program of ours speaks TLS: onion services and Unix sockets have
none. Invariant: a connection that did want TLS with aiohttp's defaults would fail, not go
unchecked; the environment is as before afterwards.
"""

import os
from typing import Final

_NOWHERE: Final = {"SSL_CERT_FILE": os.devnull, "SSL_CERT_DIR": os.devnull}


def _load() -> None:
    before = {name: os.environ.get(name) for name in _NOWHERE}
    os.environ.update(_NOWHERE)
    try:
        import aiohttp  # noqa: F401, PLC0415 - the point of this module
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


_load()
