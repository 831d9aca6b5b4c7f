# SPDX-License-Identifier: AGPL-3.0-or-later
"""The public log and the releases, byte for byte as they were handed over.

Invariants:

* an answer depends on the path alone: nobody is asked for a leaf, everybody fetches the same files;
* an archive goes out in pieces, and only so many at once;
* pages of a release may use the release's own style and images, and no script.

Source: C2SP tlog-tiles, docs/spec/http.md "Public files".
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Final

from aiohttp import hdrs, web

from whistle import limits
from whistle.errors import RefusedError
from whistle.http import headers
from whistle.intake.archives import log_archive, release_archive
from whistle.intake.handlers.answers import redirect, services_of
from whistle.intake.public_files import CHECKPOINT
from whistle.intake.services import IntakeServices
from whistle.tar import TYPE, Archive

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


async def log_tar(request: web.Request) -> web.StreamResponse:
    """The whole log in one file."""
    services = services_of(request)
    current = services.organisation
    archive = await _on_disk(
        services,
        lambda: log_archive(services.public, current.files, current.manifest.instance_id),
    )
    return await _send(request, archive, "whistle-log.tar", headers.NO_STORE)


async def release_tar(request: web.Request) -> web.StreamResponse:
    """A release in one file."""
    services, release = services_of(request), request.match_info["id"]
    archive = await _on_disk(services, lambda: release_archive(services.public, release))
    return await _send(request, archive, f"whistle-{release}.tar", headers.IMMUTABLE)


async def _on_disk(services: IntakeServices, work: Callable[[], Archive | None]) -> Archive | None:
    return await asyncio.get_running_loop().run_in_executor(services.executor, work)


async def _send(
    request: web.Request, archive: Archive | None, name: str, keep: str
) -> web.StreamResponse:
    """Stream an archive.  SECURITY: bounded, and flat in memory however slowly it is read
    (tests/whistle/intake/test_archives.py::test_only_so_many_at_once)."""
    services = services_of(request)
    if archive is None:
        raise RefusedError("not_found")
    response = web.StreamResponse(
        headers={
            hdrs.CONTENT_TYPE: TYPE,
            hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}"',
            hdrs.CACHE_CONTROL: keep,
        }
    )
    response.content_length = archive.size
    if request.method == hdrs.METH_HEAD:
        return response
    with services.one_archive():
        await response.prepare(request)
        pieces = archive.pieces(limits.ARCHIVE_PIECE)
        loop = asyncio.get_running_loop()
        while piece := await loop.run_in_executor(services.executor, _gather, pieces):
            await response.write(piece)
    await response.write_eof()
    return response


def _gather(pieces: Iterator[bytes]) -> bytes:
    """Small pieces together, so that each look at the disk is worth it; empty at the end."""
    found = bytearray()
    for piece in pieces:
        found += piece
        if len(found) >= limits.ARCHIVE_PIECE:
            break
    return bytes(found)


async def _read(request: web.Request, path: str) -> bytes:
    services = services_of(request)
    body = await asyncio.get_running_loop().run_in_executor(
        services.executor, services.public.read, path
    )
    if body is None:
        raise RefusedError("not_found")
    return body
