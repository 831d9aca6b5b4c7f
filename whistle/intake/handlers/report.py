# SPDX-License-Identifier: AGPL-3.0-or-later
"""The report form: shown, received, sealed, answered with the receipt."""

import asyncio
from datetime import timedelta
from typing import Final

from aiohttp import hdrs, web

from case_mgmt.publication.names import has_log
from crypto.encoding import b64, unb64
from crypto.errors import CryptoError
from crypto.promise import MAX_LOG_DAYS, make_promise, verify_promise
from crypto.signing import public_from_seed
from whistle import qr
from whistle.errors import RefusedError
from whistle.http.headers import TEXT, html
from whistle.i18n import LANGUAGES
from whistle.intake.attachments import Attachments
from whistle.intake.contexts import FormContext, ReceiptContext
from whistle.intake.fields import MAX_FILES, REPORT_FIELDS, TOKEN_FIELD, UNIT
from whistle.intake.forms import Answers, check_report
from whistle.intake.handlers.answers import language, services_of
from whistle.intake.multipart import FormCaps, RawForm, read_form
from whistle.intake.organisation import Organisation
from whistle.intake.origin import require_own_form
from whistle.intake.replies import first_due
from whistle.intake.sealing import Accepted, Report
from whistle.intake.services import IntakeServices
from whistle.intake.tokens import new_token

UNPROCESSABLE: Final = 422
_QR_SCALE: Final = 3  # pixels a module
NO_OFFICE: Final = frozenset(UNIT.options)  # "other", "unknown"
NAMES: Final = frozenset({TOKEN_FIELD, *(field.name for field in REPORT_FIELDS)})


async def form(request: web.Request) -> web.Response:
    """Show an empty form."""
    services = services_of(request)
    today = services.today()
    organisation = services.organisation
    if not organisation.accepts_reports(today):
        raise RefusedError("busy")
    context = FormContext(token=new_token(today, services.rng), today=today)
    return html(organisation.pages.report_form(language(request), context))


async def submit(request: web.Request) -> web.Response:
    """Take a report: seal its files while they arrive, its text once it is complete."""
    require_own_form(request)
    services = services_of(request)
    attachments = services.attachments()
    try:
        caps = FormCaps(NAMES, MAX_FILES, services.settings.max_file_bytes)
        is_open = services.organisation.accepts_reports(services.today())
        raw = await read_form(request, caps, attachments if is_open else None)
        organisation = services.organisation  # one for checking and sealing, and none before
        if not organisation.accepts_reports(services.today()):
            raise RefusedError("busy")
        answers = check_report(raw.texts, organisation.unit_ids, organisation.service_ids)
        errors = _errors(raw, answers, attachments, organisation)
        if errors:
            return _form_again(request, organisation, answers, errors)
        return await _seal(request, organisation, raw, answers, attachments)
    finally:
        await attachments.discard()


def accused(answers: Answers) -> frozenset[str]:
    """Return the offices whose staff must not read the report."""
    units = (answers.values.get("unit", ""), answers.values.get("exclude_unit", ""))
    return frozenset(unit for unit in units if unit) - NO_OFFICE


def _errors(
    raw: RawForm, answers: Answers, attachments: Attachments, organisation: Organisation
) -> dict[str, str]:
    errors = dict(answers.errors)
    for kind in sorted(raw.file_errors):
        errors["file"] = f"error.file.{kind}"
    if not errors and organisation.audience(accused(answers)) is None:
        errors["exclude_unit"] = "error.unit.nobody"
    if errors and attachments.references and "file" not in errors:
        errors["file"] = "error.file.again"
    return errors


def _form_again(
    request: web.Request, organisation: Organisation, answers: Answers, errors: dict[str, str]
) -> web.Response:
    """Show the form with everything that was typed and what is wrong with it."""
    services = services_of(request)
    today = services.today()
    context = FormContext(
        token=new_token(today, services.rng),
        today=today,
        values=answers.filled,
        errors=errors,
    )
    body = organisation.pages.report_form(language(request), context)
    return html(body, UNPROCESSABLE)


async def _seal(
    request: web.Request,
    organisation: Organisation,
    raw: RawForm,
    answers: Answers,
    attachments: Attachments,
) -> web.Response:
    report = Report(
        lang=language(request),
        token=raw.texts.get(TOKEN_FIELD, ""),
        answers=answers.filled,
        excluded=accused(answers),
        attachments=attachments,
    )
    return await receipt_page(request, organisation, report)


async def receipt_page(
    request: web.Request, organisation: Organisation, report: Report
) -> web.Response:
    """Store a report checked against this organisation and show its receipt."""
    services = services_of(request)
    accepted = await services.sealing.submit(report, organisation, services.today())
    context = _receipt(services, organisation, accepted, len(report.attachments.references))
    return html(organisation.pages.receipt(language(request), context))


async def promise_image(request: web.Request) -> web.Response:
    """The QR code of a promise of this server; nothing else is drawn, for it takes work."""
    services, text = services_of(request), _own_promise(request)
    body = await asyncio.get_running_loop().run_in_executor(
        services.reading, qr.png, text, _QR_SCALE
    )
    return web.Response(body=body, headers={hdrs.CONTENT_TYPE: "image/png"})


async def promise_file(request: web.Request) -> web.Response:
    """A promise of this server as a file to save."""
    return web.Response(
        body=_own_promise(request).encode("ascii") + b"\n",
        headers={
            hdrs.CONTENT_TYPE: TEXT,
            hdrs.CONTENT_DISPOSITION: 'attachment; filename="whistle-promise.txt"',
        },
    )


def _own_promise(request: web.Request) -> str:
    """The promise in the path.  Raises RefusedError unless this server has signed it."""
    text = request.match_info["promise"]
    try:
        verify_promise(public_from_seed(services_of(request).service_seed), unb64(text))
    except CryptoError:
        raise RefusedError("not_found") from None
    return text


def _receipt(
    services: IntakeServices, organisation: Organisation, accepted: Accepted, files: int
) -> ReceiptContext:
    instance_id = organisation.manifest.instance_id
    promise = make_promise(services.service_seed, instance_id, accepted.keys, accepted.day)
    return ReceiptContext(
        words={lang: accepted.receipt.words(lang) for lang in LANGUAGES},
        promise=b64(promise),
        day=accepted.day,
        latest=accepted.day + timedelta(days=MAX_LOG_DAYS),
        has_log=has_log(organisation.manifest),
        due=first_due(accepted.day, organisation.policy),
        files=files,
    )
