# SPDX-License-Identifier: AGPL-3.0-or-later
"""The only place that reads randomness; everybody else takes an `Rng` argument.

The one exception lies outside our code: HPKE encapsulation draws its own randomness inside
the `cryptography` package, which offers no way to pass it in.
"""

import os
from collections.abc import Callable

Rng = Callable[[int], bytes]


def system_rng(length: int) -> bytes:
    """Return `length` bytes from the operating system's generator."""
    return os.urandom(length)
