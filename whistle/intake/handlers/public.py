# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pages and files that are the same for everybody."""

from typing import Final

from aiohttp import hdrs, web

from case_mgmt.publication.names import LOG_POLICY
from whistle.errors import RefusedError
from whistle.http import headers
from whistle.intake.contexts import LandingContext, StatisticsContext
from whistle.intake.handlers.answers import language, services_of
from whistle.intake.organisation import PUBLIC_FILES

ROBOTS: Final = b"User-agent: *\nDisallow: /\n"
_TYPES: Final = {".json": "application/json", ".sig": "application/octet-stream"}


async def landing(request: web.Request) -> web.Response:
    """The first page."""
    services = services_of(request)
    context = LandingContext(services.statistics)
    return headers.html(services.organisation.pages.landing(language(request), context))


async def safety(request: web.Request) -> web.Response:
    """How to stay safe."""
    return headers.html(services_of(request).organisation.pages.safety(language(request)))


async def keys(request: web.Request) -> web.Response:
    """How to check whom a report is sealed to."""
    return headers.html(services_of(request).organisation.pages.keys(language(request)))


async def statistics(request: web.Request) -> web.Response:
    """The public numbers."""
    services = services_of(request)
    context = StatisticsContext(services.statistics, services.releases, services.log_size)
    return headers.html(services.organisation.pages.statistics(language(request), context))


async def static_file(request: web.Request) -> web.Response:
    """A stylesheet, script or list, at an address that changes with its content."""
    file = services_of(request).organisation.pages.files.get(request.path)
    if file is None:
        raise RefusedError("not_found")
    kind = {hdrs.CONTENT_TYPE: file.type, hdrs.CACHE_CONTROL: headers.IMMUTABLE}
    if "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
        packed = {hdrs.CONTENT_ENCODING: "gzip", hdrs.VARY: hdrs.ACCEPT_ENCODING}
        return web.Response(body=file.packed, headers={**kind, **packed})
    return web.Response(body=file.body, headers={**kind, hdrs.VARY: hdrs.ACCEPT_ENCODING})


async def organisation_file(request: web.Request) -> web.Response:
    """One of the organisation's public files, byte for byte as it was signed."""
    name = request.match_info["name"]
    if name not in PUBLIC_FILES:
        raise RefusedError("not_found")
    body = services_of(request).organisation.files[name]
    kind = _TYPES["." + name.rpartition(".")[2]]
    return web.Response(body=body, headers={hdrs.CONTENT_TYPE: kind})


async def log_policy(request: web.Request) -> web.Response:
    """The public log's key, its witnesses, and how many must have seen it."""
    body = services_of(request).organisation.files.get(LOG_POLICY)
    if body is None:
        raise RefusedError("not_found")
    return web.Response(body=body, headers={hdrs.CONTENT_TYPE: headers.TEXT})


async def robots(_request: web.Request) -> web.Response:
    """Search engines have no business on an onion service of this kind."""
    return web.Response(body=ROBOTS, headers={hdrs.CONTENT_TYPE: headers.TEXT})
