# SPDX-License-Identifier: AGPL-3.0-or-later
"""The files of `whistle.intake.served` that have no other handler, and the signed list of all."""

import asyncio
from typing import Final

from aiohttp import hdrs, web

from whistle.errors import RefusedError
from whistle.http import headers
from whistle.intake.handlers.answers import language, services_of
from whistle.intake.offline_page import offline_page
from whistle.intake.served import fingerprint_image, instance_file, organisation_files
from whistle.sitefiles import LIST_NAME, MAX_LIST

_JSON: Final = "application/json"
_BINARY: Final = "application/octet-stream"


async def site_list(request: web.Request) -> web.Response:
    """The signed list, or its signature; absent until the organisation has signed one."""
    name = request.match_info["name"]
    path = services_of(request).settings.org / name
    try:
        body = await asyncio.to_thread(path.read_bytes)
    except OSError:
        raise RefusedError("not_found") from None
    if len(body) > MAX_LIST:
        raise RefusedError("not_found")
    kind = _JSON if name == LIST_NAME else _BINARY
    return web.Response(body=body, headers={hdrs.CONTENT_TYPE: kind})


async def instance(request: web.Request) -> web.Response:
    """The root key."""
    body = instance_file(services_of(request).instance_id)
    return web.Response(body=body, headers={hdrs.CONTENT_TYPE: headers.TEXT})


async def image(request: web.Request) -> web.Response:
    """The QR code of the root key."""
    body = fingerprint_image(services_of(request).instance_id)
    return web.Response(body=body, headers={hdrs.CONTENT_TYPE: "image/png"})


async def offline(request: web.Request) -> web.Response:
    """The page that seals without a network: a download, never run on this site."""
    files = organisation_files(services_of(request).organisation)
    body = await asyncio.to_thread(offline_page, language(request), files)
    return web.Response(
        body=body,
        headers={
            hdrs.CONTENT_TYPE: headers.HTML,
            hdrs.CONTENT_DISPOSITION: 'attachment; filename="whistle-offline.html"',
        },
    )


async def verifier(request: web.Request) -> web.Response:
    """The page that verifies a release without a network: a download, never run on this site."""
    make = services_of(request).settings.verifier
    if make is None:
        raise RefusedError("not_found")
    return web.Response(
        body=await asyncio.to_thread(make),
        headers={
            hdrs.CONTENT_TYPE: headers.HTML,
            hdrs.CONTENT_DISPOSITION: 'attachment; filename="whistle-verify.html"',
        },
    )
