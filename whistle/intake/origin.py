# SPDX-License-Identifier: AGPL-3.0-or-later
"""Refuses forms that another site's page sends in a reader's name.

A browser says where a form comes from in `Sec-Fetch-Site` or `Origin`; tools that send neither are
welcome. The comparison is with `Host`, because the same server answers at its onion address and on
loopback.
"""

from urllib.parse import urlsplit

from aiohttp import web

from whistle.errors import RefusedError

_OWN = frozenset({"same-origin", "none"})


def require_own_form(request: web.Request) -> None:
    """Raise RefusedError if the request was caused by another site.

    SECURITY: tests/whistle/intake/test_origin.py::test_other_sites_are_refused.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in _OWN:
        raise RefusedError("cross_site")
    origin = request.headers.get("Origin")
    if origin is None:
        return
    if _host(origin) != request.headers.get("Host", "").lower():
        raise RefusedError("cross_site")


def _host(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None
