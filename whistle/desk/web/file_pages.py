# SPDX-License-Identifier: AGPL-3.0-or-later
"""One file of a case: the page that shows it, its clean copy, and the downloads.

Nothing of a reporter's file is ever sent in a form a browser would run or decode: downloads are
attachments under a policy that allows nothing, previews are pictures of our own making inside the
page (whistle.desk.looking).
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Final
from urllib.parse import quote

from aiohttp import hdrs, web

from whistle.desk.casefile import CaseFile
from whistle.desk.cleaning import clean_copy
from whistle.desk.errors import DeskError, GateRefusedError, SandboxError, UsageError
from whistle.desk.looking import look
from whistle.desk.material import Material, content_of
from whistle.desk.terminal import error_text
from whistle.desk.web.desk import DESK
from whistle.desk.web.file_views import file_view
from whistle.desk.web.forms import read_form

UNPROCESSABLE: Final = 422


async def look_page(request: web.Request) -> web.Response:
    """GET /case/{case}/files/{position}/look"""
    opened = await request.app[DESK].open_case(request)
    return await _page(request, _material(request, opened))


async def clean(request: web.Request) -> web.Response:
    """POST /case/{case}/files/{position}/clean: makes the clean copy, then shows both"""
    desk = request.app[DESK]
    await read_form(request)
    material = _material(request, await desk.open_case(request))
    try:
        copy = await clean_copy(desk.vault.bench(), material)
    except (SandboxError, GateRefusedError) as error:
        return await _page(request, material, error_text(error, desk.texts))
    number, position = key = _key(material)
    desk.copies.keep(key, copy)
    place = f"/case/{number}/files/{position}/look#h-clean"
    return web.Response(status=303, headers={hdrs.LOCATION: place})


async def clean_download(request: web.Request) -> web.StreamResponse:
    """GET /case/{case}/files/{position}/clean"""
    desk = request.app[DESK]
    material = _material(request, await desk.open_case(request))
    copy = desk.copies.find(_key(material))
    if copy is None:
        raise UsageError("desk.error.copy_gone")
    headers = _headers(copy.name, len(copy.content))
    return web.Response(body=copy.content, headers=headers)


async def download(request: web.Request) -> web.StreamResponse:
    """GET /case/{case}/files/{position}: decrypted while it streams, never shown inside the page"""
    desk = request.app[DESK]
    opened = await desk.open_case(request)
    file = _material(request, opened).file
    pieces = desk.vault.bench().attachment(opened, file)
    return await _streamed(request, pieces, _headers(file.name, file.ref.size))


async def inner_download(request: web.Request) -> web.StreamResponse:
    """GET /case/{case}/files/{position}/opened: what a stock age file holds"""
    desk = request.app[DESK]
    material = _material(request, await desk.open_case(request))
    if not material.is_sealed_inside:
        raise GateRefusedError("desk.error.no_such_file")
    pieces = content_of(desk.vault.bench(), material)
    return await _streamed(request, pieces, _headers(material.name, None))


async def _page(request: web.Request, material: Material, problem: str = "") -> web.Response:
    desk = request.app[DESK]
    preview = await look(desk.vault.bench(), material)
    copy = desk.copies.find(_key(material))
    view = file_view(material, preview, copy, await desk.labels())
    status = UNPROCESSABLE if problem else 200
    return await desk.page(request, "file", status=status, view=view, problem=problem)


async def _streamed(
    request: web.Request,
    source: AbstractAsyncContextManager[AsyncIterator[bytes]],
    headers: dict[str, str],
) -> web.StreamResponse:
    async with source as pieces:
        first = await anext(pieces, b"")
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        try:
            await response.write(first)
            async for piece in pieces:
                await response.write(piece)
        except (DeskError, ConnectionError):
            # Not what the report says, or not all of it: the browser must see a broken download.
            response.force_close()
            if request.transport is not None:
                request.transport.abort()
            return response
    await response.write_eof()
    return response


def _material(request: web.Request, opened: CaseFile) -> Material:
    position = int(request.match_info["position"])
    file = next((each for each in opened.files if each.position == position), None)
    if file is None:
        raise GateRefusedError("desk.error.no_such_file")
    return Material(opened, file)


def _key(material: Material) -> tuple[str, int]:
    return material.case.record.summary.case, material.file.position


def _headers(name: str, size: int | None) -> dict[str, str]:
    headers: dict[str, str] = {
        hdrs.CONTENT_TYPE: "application/octet-stream",
        hdrs.CONTENT_DISPOSITION: f"attachment; filename*=UTF-8''{quote(name, safe='')}",
    }
    if size is not None:
        headers[hdrs.CONTENT_LENGTH] = str(size)
    return headers
