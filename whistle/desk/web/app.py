# SPDX-License-Identifier: AGPL-3.0-or-later
"""The desk's application: its routes, and the order of its guards (see whistle.desk.web.guard).

Middlewares, outermost first: errors into pages → host and origin → token and cookie → keys
unlocked.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from aiohttp import web

from whistle.desk.errors import (
    DeskError,
    KeysError,
    ServerRefusedError,
    UnreachableError,
    UsageError,
)
from whistle.desk.web import actions, file_pages, handlers
from whistle.desk.web.desk import DESK, Desk
from whistle.desk.web.guard import refusal, restrict_downloads
from whistle.http.headers import harden_response

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
WITHOUT_KEYS: Final = frozenset({"/unlock", "/language"})
_STATUS: Final[tuple[tuple[type[DeskError], int], ...]] = (
    (UnreachableError, 503),
    (KeysError, 403),
    (UsageError, 400),
)


def create_app(desk: Desk) -> web.Application:
    """The application; the vault has its connection, and `desk.door.listen_at` is called before
    the first answer.
    """
    app = web.Application(middlewares=[errors, own_pages_only, session_only, unlocked_only])
    app[DESK] = desk
    app.cleanup_ctx.append(idle_lock)
    app.on_response_prepare.append(harden_response)
    app.on_response_prepare.append(restrict_downloads)
    app.add_routes(
        [
            web.get("/", handlers.queue),
            web.get("/case/{case}", handlers.case),
            web.get("/case/{case}/write", handlers.write),
            web.post("/case/{case}/preview", handlers.preview),
            web.post("/case/{case}/sign", actions.sign),
            web.post("/case/{case}/confirm", actions.confirm),
            web.post("/case/{case}/return", actions.hand_back),
            web.post("/case/{case}/note", actions.note),
            web.post("/case/{case}/assign", actions.assign),
            web.get(r"/case/{case}/files/{position:[0-9]{1,4}}", file_pages.download),
            web.get(r"/case/{case}/files/{position:[0-9]{1,4}}/look", file_pages.look_page),
            web.post(r"/case/{case}/files/{position:[0-9]{1,4}}/clean", file_pages.clean),
            web.get(r"/case/{case}/files/{position:[0-9]{1,4}}/clean", file_pages.clean_download),
            web.get(r"/case/{case}/files/{position:[0-9]{1,4}}/opened", file_pages.inner_download),
            web.get("/unlock", actions.unlock_page),
            web.post("/unlock", actions.unlock),
            web.post("/lock", actions.lock),
            web.post("/language", actions.language),
            web.get(desk.pages.style_path, handlers.stylesheet),
        ]
    )
    return app


async def idle_lock(app: web.Application) -> AsyncIterator[None]:
    """Locks the keys of whoever went away, for as long as the desk runs."""
    watching = asyncio.create_task(app[DESK].vault.watch())
    yield
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns the desk's errors into a page in plain words."""
    desk = request.app[DESK]
    try:
        return await handler(request)
    except ServerRefusedError as error:
        return desk.error_page(error, error.status)
    except DeskError as error:
        status = next((code for kind, code in _STATUS if isinstance(error, kind)), 409)
        return desk.error_page(error, status)
    except web.HTTPException as error:
        return desk.error_page(UsageError("desk.error.no_such_page"), error.status)


@web.middleware
async def own_pages_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Steps 1 and 2 of the guard."""
    desk = request.app[DESK]
    if not desk.door.is_ours(request):
        return refusal(desk.texts.t("desk.refusal.foreign"))
    return await handler(request)


@web.middleware
async def session_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Step 3 of the guard."""
    desk = request.app[DESK]
    token = request.query.get("token") if request.path == "/" else None
    if desk.door.knows(request):
        return await handler(request) if token is None else _redirect("/")
    if token is not None and desk.door.admits(token):
        response = _redirect("/")
        desk.door.give_cookie(response)
        return response
    return refusal(desk.texts.t("desk.refusal.no_session"))


@web.middleware
async def unlocked_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Step 4 of the guard."""
    desk = request.app[DESK]
    is_open = desk.vault.touch()
    if is_open or request.path in WITHOUT_KEYS or request.path == desk.pages.style_path:
        return await handler(request)
    return _redirect("/unlock")


def _redirect(path: str) -> web.Response:
    return web.Response(status=303, headers={"Location": path})
