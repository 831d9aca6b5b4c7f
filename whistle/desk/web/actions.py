# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pages that change something: sign, confirm, return, note, assign; unlock, lock, language.

Each answers a POST with a redirect (303), so that reloading never repeats it.
"""

from aiohttp import web

from whistle.desk.errors import GateRefusedError, KeysError
from whistle.desk.web.desk import DESK
from whistle.desk.web.forms import read_form
from whistle.desk.web.guard import is_own_path
from whistle.desk.workbench import case_number
from whistle.i18n import parse_language


async def sign(request: web.Request) -> web.Response:
    """POST /case/{case}/sign: signs what was previewed"""
    desk = request.app[DESK]
    number = _case(request)
    fields = await read_form(request)
    draft_number = fields.get("draft", "")
    draft = desk.drafts.find(draft_number, number)
    if draft is None:
        raise GateRefusedError("desk.error.draft_gone")
    outcome = await desk.vault.bench().write(number, draft.letter())
    desk.drafts.drop(draft_number)
    return _back(number, outcome.status)


async def confirm(request: web.Request) -> web.Response:
    """POST /case/{case}/confirm"""
    number = _case(request)
    fields = await read_form(request)
    bench = request.app[DESK].vault.bench()
    outcome = await bench.confirm(number, fields.get("act", ""))
    return _back(number, outcome.status)


async def hand_back(request: web.Request) -> web.Response:
    """POST /case/{case}/return"""
    number = _case(request)
    await read_form(request)
    outcome = await request.app[DESK].vault.bench().hand_back(number)
    return _back(number, outcome.status)


async def note(request: web.Request) -> web.Response:
    """POST /case/{case}/note"""
    number = _case(request)
    fields = await read_form(request)
    await request.app[DESK].vault.bench().note(number, fields.get("text", ""))
    return _back(number, "noted")


async def assign(request: web.Request) -> web.Response:
    """POST /case/{case}/assign"""
    number = _case(request)
    fields = await read_form(request)
    await request.app[DESK].vault.bench().assign(number, fields.get("person", ""))
    return _back(number, "assigned")


async def unlock_page(request: web.Request) -> web.Response:
    """GET /unlock"""
    desk = request.app[DESK]
    if desk.vault.identity is not None:
        return _to("/")
    return await desk.page(request, "unlock", **desk.unlock_values())


async def unlock(request: web.Request) -> web.Response:
    """POST /unlock: also changes the person"""
    desk = request.app[DESK]
    fields = await read_form(request)
    try:
        await desk.vault.unlock(fields.get("keystore", ""), fields.get("passphrase"))
    except KeysError as error:
        values = desk.unlock_values(error, fields.get("keystore", ""))
        return await desk.page(request, "unlock", status=403, **values)
    return _to("/")


async def lock(request: web.Request) -> web.Response:
    """POST /lock"""
    await read_form(request)
    request.app[DESK].vault.lock()
    return _to("/unlock")


async def language(request: web.Request) -> web.Response:
    """POST /language"""
    desk = request.app[DESK]
    fields = await read_form(request)
    desk.lang = parse_language(fields.get("lang", "")) or desk.lang
    path = fields.get("path", "/")
    return _to(path if is_own_path(path) else "/")


def _case(request: web.Request) -> str:
    return case_number(request.match_info["case"])


def _back(number: str, done: str) -> web.Response:
    return _to(f"/case/{number}?done={done}")


def _to(path: str) -> web.Response:
    return web.Response(status=303, headers={"Location": path})
