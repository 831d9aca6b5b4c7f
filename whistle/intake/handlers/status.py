# SPDX-License-Identifier: AGPL-3.0-or-later
"""The status page: from a typed code, or from a session.

Invariants:

* a known, an unknown and a malformed code take the same steps: parse, derive, the same lookups, one
  page of the same length with a cookie of the same length;
* an answer leaves at `STATUS_FLOOR` or, if the history took longer to open, at a whole multiple of
  it: time tells at most how many of them it took;
* the code is never in an address, a cookie or a log.
"""

import asyncio
import re
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from aiohttp import hdrs, web

from crypto.encoding import b64, canonical_json
from crypto.errors import ReceiptError
from crypto.promise import make_promise
from crypto.receipt import Receipt, ReceiptKeys, derive, generate, parse_receipt
from whistle.http.headers import html
from whistle.intake.contexts import ReceiptProblem, StatusContext, StatusEntryContext
from whistle.intake.fields import CODE, CODE_FIELD
from whistle.intake.forms import normalise
from whistle.intake.handlers.answers import (
    in_step,
    language,
    services_of,
    session_cookie,
)
from whistle.intake.logged import evidence, is_promised
from whistle.intake.multipart import FormCaps, read_form
from whistle.intake.origin import require_own_form
from whistle.intake.pages import ENTRY_NOTICES, STATUS_NOTICES
from whistle.intake.records import ThreadView
from whistle.intake.replies import History, Office, read_thread
from whistle.intake.services import IntakeServices
from whistle.intake.sessions import COOKIE
from whistle.intake.tokens import new_token

_WORD: Final = re.compile(r"[^\W\d_]+")
_PAGE: Final = re.compile(r"[1-9][0-9]{0,3}")
_CAPS: Final = FormCaps(frozenset({CODE_FIELD}))


@dataclass(frozen=True, repr=False)
class Visit:
    """A reporter who has shown a valid code: their keys, thread and history."""

    keys: ReceiptKeys
    thread: ThreadView
    history: History


async def entry(request: web.Request) -> web.Response:
    """Ask for the code."""
    services = services_of(request)
    notice = request.query.get("done")
    context = StatusEntryContext(notice if notice in ENTRY_NOTICES else None)
    return html(services.organisation.pages.status_entry(language(request), context))


async def by_code(request: web.Request) -> web.Response:
    """Answer a typed code with the status page."""
    require_own_form(request)
    services = services_of(request)
    raw = await read_form(request, _CAPS, None)
    typed = normalise(CODE, raw.texts.get(CODE_FIELD, ""))[: CODE.max_chars]
    start = asyncio.get_running_loop().time()
    context, cookie = await _answer(services, typed)
    body = services.organisation.pages.status(language(request), context)
    response = html(body)
    response.headers[hdrs.SET_COOKIE] = session_cookie(cookie)
    await in_step(start)
    return response


async def view(request: web.Request) -> web.Response:
    """Show the status page of a session."""
    services = services_of(request)
    visit = await visit_of(request)
    if visit is None:
        return expired(request)
    notice = request.query.get("done")
    page = request.query.get("page", "1")
    context = replace(
        visit.history.context,
        token=new_token(services.today(), services.rng),
        notice=notice if notice in STATUS_NOTICES else None,
        page=int(page) if _PAGE.fullmatch(page) else 1,
    )
    return html(services.organisation.pages.status(language(request), context))


async def evidence_file(request: web.Request) -> web.Response:
    """What the reporter can check the public log with, as a download."""
    services = services_of(request)
    visit = await visit_of(request)
    if visit is None:
        return expired(request)
    content = evidence(services.instance_id, _promise(services, visit), visit.history.logged)
    return web.Response(
        body=canonical_json(content),
        headers={
            hdrs.CONTENT_TYPE: "application/json",
            hdrs.CONTENT_DISPOSITION: 'attachment; filename="whistle-log.json"',
        },
    )


def _promise(services: IntakeServices, visit: Visit) -> str | None:
    """Return the promise, signed again; None for a report that came without its commitment."""
    thread = visit.thread
    if not is_promised(thread.commitment, visit.keys):
        return None
    return b64(make_promise(services.service_seed, services.instance_id, visit.keys, thread.day))


def expired(request: web.Request, values: dict[str, str] | None = None) -> web.Response:
    """Ask for the code again, giving back what was typed."""
    services = services_of(request)
    context = StatusContext(kind="expired", values=values or {})
    return html(services.organisation.pages.status(language(request), context))


async def visit_of(request: web.Request) -> Visit | None:
    """Return who is visiting, or None without a live session."""
    services = services_of(request)
    raw = services.sessions.receipt(request.cookies.get(COOKIE))
    if raw is None:
        return None
    return await _visit(services, Receipt(raw))


async def _answer(services: IntakeServices, typed: str) -> tuple[StatusContext, str]:
    """Return what to show for a code, and the cookie that goes with it."""
    problem = None
    try:
        receipt = parse_receipt(typed)
    except ReceiptError as error:
        problem = _problem(error, typed)
        receipt = generate(services.rng)
    visit = await _visit(services, receipt)
    if visit is None:
        kind = "malformed" if problem else "unknown"
        context = StatusContext(kind=kind, typed=typed, receipt_error=problem)  # type: ignore[arg-type]
        return context, services.sessions.blank()
    token = new_token(services.today(), services.rng)
    return replace(visit.history.context, token=token), services.sessions.create(
        receipt.raw, visit.keys.lookup_id
    )


async def _visit(services: IntakeServices, receipt: Receipt) -> Visit | None:
    organisation = services.organisation
    keys = derive(receipt, organisation.manifest.instance_id)
    thread = services.store.thread(keys.lookup_id)
    history = await asyncio.get_running_loop().run_in_executor(
        services.reading, _history, thread, keys, organisation.office, services.today()
    )
    if thread is None or history is None:
        return None
    found = history.resolved(services.store.place, services.log_size, services.today())
    return Visit(keys, thread, found)


def _history(
    thread: ThreadView | None, keys: ReceiptKeys, office: Office, today: date
) -> History | None:
    """Open a thread, off the loop: one with many messages must not hold everybody up. An unknown
    code waits for its turn like a known one."""
    return None if thread is None else read_thread(thread, keys, office, today)


def _problem(error: ReceiptError, typed: str) -> ReceiptProblem:
    count = len(_WORD.findall(typed)) if error.kind == "count" else None
    return ReceiptProblem(error.kind, error.position, error.suggestions, count)
