# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page that adds files to a report one by one, without a script.

Each file is a message of its own, stored before the page says so: what breaks off costs one file.
A visit does not end while its upload runs, however long that takes.
"""

import asyncio
from typing import Final

from aiohttp import web

from whistle.errors import FullError
from whistle.http.headers import html
from whistle.intake import fields
from whistle.intake.attachments import Attachments
from whistle.intake.handlers.answers import language, redirect, services_of
from whistle.intake.handlers.status import Visit, expired, visit_of
from whistle.intake.multipart import FormCaps, RawForm, read_form
from whistle.intake.origin import require_own_form
from whistle.intake.sealing import FollowUp
from whistle.intake.sessions import COOKIE
from whistle.intake.tokens import new_token
from whistle.intake.upload_pages import FilesContext, files_page, own_files

UNPROCESSABLE: Final = 422
NOTICE: Final = "added"
_NAMES: Final = frozenset({fields.TOKEN_FIELD})


async def form(request: web.Request) -> web.Response:
    """Show what has arrived, and ask for the next file."""
    visit = await visit_of(request)
    if visit is None:
        return expired(request)
    return html(await _page(request, visit, added=request.query.get("done") == NOTICE))


async def submit(request: web.Request) -> web.Response:
    """Take one file."""
    require_own_form(request)
    with services_of(request).sessions.during(request.cookies.get(COOKIE)):
        return await _take(request)


async def _take(request: web.Request) -> web.Response:
    services = services_of(request)
    visit = await visit_of(request)
    attachments = services.attachments()
    try:
        caps = FormCaps(_NAMES, 1, services.settings.max_file_bytes)
        raw = await read_form(request, caps, attachments if visit else None)
        if visit is None:
            return expired(request)
        error = _error(raw, attachments)
        if error is not None:
            return html(await _page(request, visit, error=error), UNPROCESSABLE)
        try:
            await _send(request, visit, raw, attachments)
        except FullError:
            page = await _page(request, visit, error="error.thread.full")
            return html(page, UNPROCESSABLE)
    finally:
        await attachments.discard()
    return redirect(f"/{language(request)}/status/files?done={NOTICE}")


def _error(raw: RawForm, attachments: Attachments) -> str | None:
    for kind in sorted(raw.file_errors):
        return f"error.file.{kind}"
    return None if attachments.references else "error.field.required"


async def _send(request: web.Request, visit: Visit, raw: RawForm, attachments: Attachments) -> None:
    services = services_of(request)
    follow_up = FollowUp(
        lang=language(request),
        token=raw.texts.get(fields.TOKEN_FIELD, ""),
        intent="message",
        text="",
        seen=visit.history.seen,
        prev=visit.history.prev,
        attachments=attachments,
    )
    await services.sealing.add(
        follow_up, visit.keys, visit.thread, services.organisation, services.today()
    )


async def _page(
    request: web.Request, visit: Visit, *, added: bool = False, error: str | None = None
) -> bytes:
    services = services_of(request)
    files = await asyncio.get_running_loop().run_in_executor(
        services.reading, own_files, visit.thread.own, visit.keys
    )
    context = FilesContext(
        token=new_token(services.today(), services.rng),
        files=files,
        added=added,
        error=error,
    )
    return files_page(services.organisation.pages, language(request), context)
