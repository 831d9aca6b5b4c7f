# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pages that show: queue, case, composer, preview; and small plumbing they share.

A handler reads a typed form, calls one step of the workbench, chooses a page. Errors become a page
in whistle.desk.web.app; nothing here catches what it cannot mend.
"""

from typing import Final

from aiohttp import hdrs, web

from case_mgmt.desk.errors import ComposeError
from case_mgmt.model import ActKind, State
from whistle.desk.casefile import CaseFile
from whistle.desk.errors import GateRefusedError, UsageError
from whistle.desk.looking import texts_inside
from whistle.desk.web.compose_views import compose_view
from whistle.desk.web.desk import DESK, Desk
from whistle.desk.web.drafts import LetterDraft
from whistle.desk.web.forms import read_form, read_letter
from whistle.desk.web.queue_views import queue_view
from whistle.desk.web.views import case_view

DONE: Final = frozenset(
    {
        "committed",
        "awaiting_second",
        "confirmed",
        "returned",
        "noted",
        "assigned",
        "message_ignored",
    }
)


async def queue(request: web.Request) -> web.Response:
    """GET /"""
    desk = request.app[DESK]
    organisation = await desk.vault.organisation()
    listing = await desk.vault.bench().queue()
    view = queue_view(listing, organisation.me, await desk.labels())
    return await desk.page(request, "queue", view=view)


async def case(request: web.Request) -> web.Response:
    """GET /case/{case}"""
    desk = request.app[DESK]
    opened = await desk.open_case(request)
    inside = await texts_inside(desk.vault.bench(), opened)
    view = case_view(opened, await desk.labels(), inside)
    done = request.query.get("done", "")
    return await desk.page(request, "case", view=view, done=done if done in DONE else "")


async def write(request: web.Request) -> web.Response:
    """GET /case/{case}/write with to=CODE, kind=update, kind=extend, or draft=NUMBER to go back"""
    desk = request.app[DESK]
    opened = await desk.open_case(request)
    draft = _kept(desk, request, opened) or _new_draft(desk, request, opened)
    view = compose_view(opened, draft, await desk.labels())
    return await desk.page(request, "compose", view=view)


async def preview(request: web.Request) -> web.Response:
    """POST /case/{case}/preview"""
    desk = request.app[DESK]
    opened = await desk.open_case(request)
    draft = read_letter(_number(opened), await read_form(request))
    labels = await desk.labels()
    try:
        lang = opened.thread.report.body.lang
        body = draft.letter().draft(lang).body(opened.organisation.today)
    except ComposeError as error:
        problem = labels.texts.t(f"desk.compose.{error.code}")
        view = compose_view(opened, draft, labels, problem)
        return await desk.page(request, "compose", status=422, view=view)
    code = draft.target.value if draft.target is not None else draft.kind.value
    return await desk.page(
        request,
        "preview",
        view=compose_view(opened, draft, labels),
        draft=desk.drafts.keep(draft),
        shown=desk.pages.as_the_reporter_sees(body, code),
    )


async def stylesheet(request: web.Request) -> web.Response:
    """GET /desk-….css"""
    return web.Response(
        body=request.app[DESK].pages.style,
        content_type="text/css",
        headers={hdrs.CACHE_CONTROL: "public, max-age=31536000, immutable"},
    )


def _kept(desk: Desk, request: web.Request, opened: CaseFile) -> LetterDraft | None:
    return desk.drafts.find(request.query.get("draft", ""), _number(opened))


def _new_draft(desk: Desk, request: web.Request, opened: CaseFile) -> LetterDraft:
    """An empty letter with the template of its step, in the reporter's language."""
    kind, target = _asked_step(request)
    if target is not None and target.value not in {move.to for move in opened.moves}:
        raise GateRefusedError("desk.error.step_not_allowed")
    name = target.value if target is not None else kind.value
    texts = desk.pages.texts["en" if opened.thread.report.body.lang == "en" else "id"]
    return LetterDraft(
        case=_number(opened),
        kind=kind,
        target=target,
        reason=None,
        until=None,
        text=texts.t(f"desk.template.{name}"),
        seen_head=opened.history.head.prev,
    )


def _asked_step(request: web.Request) -> tuple[ActKind, State | None]:
    try:
        if "to" in request.query:
            return ActKind.TRANSITION, State(request.query["to"])
        kind = ActKind(request.query.get("kind", ""))
    except ValueError as error:
        raise UsageError("desk.error.form") from error
    if kind not in {ActKind.UPDATE, ActKind.EXTEND}:
        raise UsageError("desk.error.form")
    return kind, None


def _number(opened: CaseFile) -> str:
    return opened.record.summary.case
