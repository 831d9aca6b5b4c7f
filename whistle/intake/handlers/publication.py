# SPDX-License-Identifier: AGPL-3.0-or-later
"""The public log and the releases, byte for byte as they were handed over.

Invariants:

* an answer depends on the path alone: nobody is asked for a leaf, everybody fetches the same files;
* pages of a release may use the release's own style and images, and no script.

Source: C2SP tlog-tiles, docs/spec/http.md "Public files".
"""

import asyncio
from typing import Final

from aiohttp import hdrs, web

from whistle.errors import RefusedError
from whistle.http import headers
from whistle.intake.handlers.answers import redirect, services_of
from whistle.intake.public_files import CHECKPOINT

_BINARY: Final = "application/octet-stream"
_TYPES: Final = {
    "html": headers.HTML,
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
    "csv": "text/csv; charset=utf-8",
    "txt": headers.TEXT,
    "json": "application/json",
    "jsonld": "application/ld+json",
}
_IMAGE_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
"""For a chart opened by itself: its own style, nothing else."""


async def log_file(request: web.Request) -> web.Response:
    """A file of the log."""
    path = request.path.removeprefix("/")
    body = await _read(request, path)
    if path == CHECKPOINT:
        return web.Response(body=body, headers={hdrs.CONTENT_TYPE: headers.TEXT})
    kept = {hdrs.CONTENT_TYPE: _BINARY, hdrs.CACHE_CONTROL: headers.IMMUTABLE}
    return web.Response(body=body, headers=kept)


async def release_file(request: web.Request) -> web.Response:
    """A file of a release."""
    path = request.path.removeprefix("/")
    if path.endswith("/"):
        path += "index.html"
    body = await _read(request, path)
    ending = path.rpartition("/")[2].rpartition(".")[2]
    answer = web.Response(body=body, headers={hdrs.CONTENT_TYPE: _TYPES.get(ending, _BINARY)})
    if ending == "svg":
        answer.headers[headers.POLICY] = _IMAGE_POLICY
    return answer


async def release_folder(request: web.Request) -> web.Response:
    """A release's address without its slash; also of a language's folder inside."""
    return redirect(request.path + "/")


async def _read(request: web.Request, path: str) -> bytes:
    services = services_of(request)
    body = await asyncio.get_running_loop().run_in_executor(
        services.executor, services.public.read, path
    )
    if body is None:
        raise RefusedError("not_found")
    return body
