# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page that takes a file sealed elsewhere: no script, no plaintext, one file."""

from typing import Final

from aiohttp import web

from crypto.encoding import b64
from whistle.errors import RefusedError
from whistle.http.headers import html
from whistle.intake.attachments import Attachments
from whistle.intake.bundles import Reception, SealedUpload, largest_bundle
from whistle.intake.fields import TOKEN_FIELD
from whistle.intake.handlers.answers import language, services_of
from whistle.intake.handlers.report import UNPROCESSABLE, receipt_page
from whistle.intake.multipart import FormCaps, RawForm, read_form
from whistle.intake.origin import require_own_form
from whistle.intake.problems import ProblemError
from whistle.intake.sealing import Report
from whistle.intake.services import IntakeServices
from whistle.intake.submissions import Answered
from whistle.intake.tokens import new_token
from whistle.intake.upload_pages import SealedContext, sealed_page

BUNDLE_FIELD: Final = "bundle"


async def form(request: web.Request) -> web.Response:
    """Ask for the file."""
    return html(_page(request))


async def submit(request: web.Request) -> web.Response:
    """Take the file."""
    require_own_form(request)
    services = services_of(request)
    if not services.organisation.accepts_reports(services.today()):
        raise RefusedError("busy")
    limit = services.settings.max_file_bytes
    caps = FormCaps(frozenset({TOKEN_FIELD}), 1, largest_bundle(limit), BUNDLE_FIELD)
    attachments = services.attachments()
    upload = SealedUpload(_reception(services, limit), attachments)
    try:
        raw = await read_form(request, caps, upload)
        return await _answer(request, raw, upload, attachments)
    finally:
        await upload.discard()
        await attachments.discard()


async def _answer(
    request: web.Request, raw: RawForm, upload: SealedUpload, attachments: Attachments
) -> web.Response:
    if "busy" in raw.file_errors or not services_of(request).organisation.accepts_reports(
        services_of(request).today()
    ):
        raise RefusedError("busy")
    problem = upload.problem
    if raw.file_errors:
        problem = "none" if raw.file_errors == {"empty"} else "too_large"
    if problem is not None:
        return html(_page(request, problem), UNPROCESSABLE)
    if attachments.references:
        return await _as_report(request, raw, attachments)
    try:
        answered = await upload.store()
    except ProblemError as error:
        return html(_page(request, error.code), UNPROCESSABLE)
    if answered is None:
        return html(_page(request, "none"), UNPROCESSABLE)
    return html(_page(request, answered=answered))


async def _as_report(request: web.Request, raw: RawForm, attachments: Attachments) -> web.Response:
    """Store a stock age file as the attachment of a report that says only this."""
    services, lang = services_of(request), language(request)
    organisation = services.organisation
    report = Report(
        lang=lang,
        token=raw.texts.get(TOKEN_FIELD, ""),
        answers={"story": organisation.pages.texts(lang).t("sealed.story")},
        excluded=frozenset(),
        attachments=attachments,
    )
    return await receipt_page(request, organisation, report)


def _reception(services: IntakeServices, limit: int) -> Reception:
    return Reception(
        submissions=services.submissions,
        store=services.store,
        disk=services.disk,
        organisation=lambda: services.organisation,
        max_file_bytes=limit,
        today=services.today,
        rng=services.rng,
    )


def _page(
    request: web.Request, problem: str | None = None, answered: Answered | None = None
) -> bytes:
    services = services_of(request)
    promise = answered.promise if answered else None
    context = SealedContext(
        token=new_token(services.today(), services.rng),
        problem=problem,
        day=answered.day if answered else None,
        due=answered.due if answered else None,
        promise=None if promise is None else b64(promise),
    )
    return sealed_page(services.organisation.pages, language(request), context)
