# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a reporter does on the status page: add, object, withdraw, leave.

Every action needs a live session and this site's own form; it ends in a redirect to the status
page, so that reloading repeats nothing, and the form's token makes a second press harmless.
"""

from dataclasses import replace
from typing import Final

from aiohttp import hdrs, web

from whistle.errors import FullError
from whistle.http.headers import html
from whistle.intake import fields
from whistle.intake.attachments import Attachments
from whistle.intake.forms import Answers, check
from whistle.intake.handlers.answers import (
    forget_cookie,
    language,
    redirect,
    services_of,
)
from whistle.intake.handlers.status import Visit, expired, visit_of
from whistle.intake.multipart import FormCaps, RawForm, read_form
from whistle.intake.origin import require_own_form
from whistle.intake.records import Intent
from whistle.intake.sealing import FollowUp
from whistle.intake.sessions import COOKIE
from whistle.intake.tokens import new_token

UNPROCESSABLE: Final = 422
_NAMES: Final = frozenset({fields.TOKEN_FIELD, "text", fields.CONFIRM_FIELD})
_DONE: Final[dict[Intent, str]] = {
    "message": "message_sent",
    "contest": "contested",
    "withdraw": "withdrawn",
}


async def message(request: web.Request) -> web.Response:
    """Add text, files or both."""
    require_own_form(request)
    services = services_of(request)
    visit = await visit_of(request)
    attachments = services.attachments()
    try:
        caps = FormCaps(_NAMES, fields.MAX_FILES, services.settings.max_file_bytes)
        with services.sessions.during(request.cookies.get(COOKIE)):
            raw = await read_form(request, caps, attachments if visit else None)
        answers = check((fields.MESSAGE_TEXT,), raw.texts, {})
        if visit is None:
            return expired(request, answers.filled)
        errors = _message_errors(raw, answers, attachments)
        if errors:
            return _again(request, visit, answers, errors)
        try:
            return await _send(request, visit, raw, answers, "message", attachments)
        except FullError:
            return _again(request, visit, answers, {"text": "error.thread.full"})
    finally:
        await attachments.discard()


async def contest(request: web.Request) -> web.Response:
    """Object to a closing, or take a withdrawal back."""
    require_own_form(request)
    services = services_of(request)
    raw = await read_form(request, FormCaps(_NAMES), None)
    answers = check((fields.CONTEST_TEXT,), raw.texts, {})
    visit = await visit_of(request)
    if visit is None:
        return expired(request, {"contest": answers.values["text"]})
    if not visit.history.may_contest:
        return redirect(f"/{language(request)}/status/view")
    if answers.errors:
        moved = Answers({"contest": answers.values["text"]}, {"contest": answers.errors["text"]})
        return _again(request, visit, moved, dict(moved.errors))
    return await _send(request, visit, raw, answers, "contest", services.attachments())


async def withdraw(request: web.Request) -> web.Response:
    """Withdraw the report, once the box is ticked."""
    require_own_form(request)
    raw = await read_form(request, FormCaps(_NAMES), None)
    visit = await visit_of(request)
    if visit is None:
        return expired(request)
    if not visit.history.is_open:
        return redirect(f"/{language(request)}/status/view")
    answers = check((fields.CONFIRM,), raw.texts, {})
    if answers.errors:
        return _again(request, visit, answers, {"withdraw": answers.errors["confirm"]})
    empty = Answers({"text": ""}, {})
    return await _send(request, visit, raw, empty, "withdraw", services_of(request).attachments())


async def leave(request: web.Request) -> web.Response:
    """End the session and let the browser forget it."""
    require_own_form(request)
    services_of(request).sessions.leave(request.cookies.get(COOKIE))
    return redirect(
        f"/{language(request)}/status?done=left",
        {hdrs.SET_COOKIE: forget_cookie(), "Clear-Site-Data": '"cache", "cookies"'},
    )


def _message_errors(raw: RawForm, answers: Answers, attachments: Attachments) -> dict[str, str]:
    errors = dict(answers.errors)
    for kind in sorted(raw.file_errors):
        errors["file"] = f"error.file.{kind}"
    if not errors and not answers.values["text"] and not attachments.references:
        errors["text"] = "error.field.required"
    if errors and attachments.references and "file" not in errors:
        errors["file"] = "error.file.again"
    return errors


def _again(
    request: web.Request, visit: Visit, answers: Answers, errors: dict[str, str]
) -> web.Response:
    services = services_of(request)
    context = replace(
        visit.history.context,
        token=new_token(services.today(), services.rng),
        errors=errors,
        values=answers.filled,
    )
    body = services.organisation.pages.status(language(request), context)
    return html(body, UNPROCESSABLE)


async def _send(
    request: web.Request,
    visit: Visit,
    raw: RawForm,
    answers: Answers,
    intent: Intent,
    attachments: Attachments,
) -> web.Response:
    services = services_of(request)
    lang = language(request)
    follow_up = FollowUp(
        lang=lang,
        token=raw.texts.get(fields.TOKEN_FIELD, ""),
        intent=intent,
        text=answers.values["text"],
        seen=visit.history.seen,
        prev=visit.history.prev,
        attachments=attachments,
    )
    await services.sealing.add(
        follow_up, visit.keys, visit.thread, services.organisation, services.today()
    )
    return redirect(f"/{lang}/status/view?done={_DONE[intent]}")
