# SPDX-License-Identifier: AGPL-3.0-or-later
"""The client interface: nonces, pieces, sealed reports, sealed messages, sealed answers.

Invariants:

* a signed request uses its nonce up before anything is looked up;
* for a thread that does not exist, and for one whose key did not sign, the answer, its size and the
  work are the same;
* 200 to a piece, a report or a message means that it is durable.
"""

import asyncio
import re
from typing import Final

from aiohttp import web

from crypto.encoding import b64
from crypto.errors import MalformedError
from whistle.errors import RefusedError
from whistle.intake import reporter_keys
from whistle.intake.api.answers import (
    answer,
    day_text,
    json_answer,
    read_json,
    thread_body,
)
from whistle.intake.api.wire import (
    Signed,
    parse_addition,
    parse_report,
    parse_signed,
    parse_upload_key,
)
from whistle.intake.bodies import Pace, body_chunks
from whistle.intake.handlers.answers import in_step
from whistle.intake.organisation import Organisation
from whistle.intake.origin import require_own_form
from whistle.intake.problems import ProblemError
from whistle.intake.records import ThreadView
from whistle.intake.reporter_keys import Action
from whistle.intake.sealed_form import require_blob_size
from whistle.intake.services import SERVICES, IntakeServices
from whistle.intake.submissions import Answered
from whistle.intake.upload_table import Upload
from whistle.limits import PIECE

UPLOAD_HEADER: Final = "Whistle-Upload"
SIZE_HEADER: Final = "Whistle-Size"
_SIZE: Final = re.compile(r"[1-9][0-9]{0,11}")


async def nonce(request: web.Request) -> web.Response:
    """Give out a nonce."""
    return answer({"nonce": request.app[SERVICES].nonces.issue().hex()})


async def put_piece(request: web.Request) -> web.Response:
    """Take a piece of a sealed file."""
    require_own_form(request)
    services = request.app[SERVICES]
    owner = parse_upload_key(request.headers.get(UPLOAD_HEADER))
    size = _size(request.headers.get(SIZE_HEADER, ""))
    require_blob_size(size, services.settings.max_file_bytes)
    if "Content-Encoding" in request.headers:
        raise RefusedError("media_type")
    if (request.content_length or 0) > PIECE:
        raise ProblemError("piece")
    upload = Upload(request.match_info["id"], owner, size)
    chunks = body_chunks(request, PIECE, Pace.of_upload())
    await services.pieces.receive(upload, int(request.match_info["n"]), chunks, services.today())
    return answer({})


async def pieces(request: web.Request) -> web.Response:
    """Say which pieces of an upload are here."""
    owner = parse_upload_key(request.headers.get(UPLOAD_HEADER))
    found = request.app[SERVICES].pieces.received(request.match_info["id"], owner)
    return answer({"size": found[0], "received": found[1]})


async def report(request: web.Request) -> web.Response:
    """Take a sealed report."""
    require_own_form(request)
    services = request.app[SERVICES]
    _require_open(services.organisation, services)
    value = await read_json(request, Pace.of_upload())
    signed = parse_signed(value)
    submission, claims = parse_report(value)
    organisation, today = services.organisation, services.today()  # one for checking and storing
    _require_open(organisation, services)
    _use_nonce(services, signed)
    place = (organisation.manifest.instance_id, signed.nonce, signed.lookup_id)
    if not reporter_keys.may(submission.auth_public, signed.signature, place, Action.APPEND):
        raise ProblemError("signature")
    known = services.submissions.known(submission, organisation)
    if known is not None:
        return _stored(known)
    services.submissions.check(submission, organisation, services.settings.max_file_bytes)
    stored = services.submissions.store_with_uploads(submission, claims, organisation, today)
    return _stored(await services.disk.see_through(stored))


async def read(request: web.Request) -> web.Response:
    """Hand out everything sealed of a thread to whoever can sign for it."""
    require_own_form(request)
    services = request.app[SERVICES]
    signed = parse_signed(await read_json(request, Pace.of_form()))
    loop = asyncio.get_running_loop()
    start = loop.time()
    _use_nonce(services, signed)
    thread = _thread(services, services.organisation, signed, Action.READ)
    body = await loop.run_in_executor(services.reading, thread_body, thread)
    response = json_answer(body)
    await in_step(start)
    return response


async def append(request: web.Request) -> web.Response:
    """Take a sealed later message."""
    require_own_form(request)
    services = request.app[SERVICES]
    value = await read_json(request, Pace.of_upload())
    signed, addition = parse_signed(value), parse_addition(value)
    organisation = services.organisation  # one for checking and storing
    _use_nonce(services, signed)
    services.submissions.check_addition(addition, organisation, services.settings.max_file_bytes)
    start = asyncio.get_running_loop().time()
    if _thread(services, organisation, signed, Action.APPEND) is None:
        await in_step(start)
        raise ProblemError("signature")
    added = services.submissions.add(addition, services.today())
    day = await services.disk.see_through(added)
    return answer({"day": day.isoformat()})


def _require_open(organisation: Organisation, services: IntakeServices) -> None:
    if not organisation.accepts_reports(services.today()):
        raise RefusedError("busy")


def _use_nonce(services: IntakeServices, signed: Signed) -> None:
    if not services.nonces.take(signed.nonce):
        raise ProblemError("nonce")


def _thread(
    services: IntakeServices, organisation: Organisation, signed: Signed, action: Action
) -> ThreadView | None:
    """Return the thread if it exists and its key has signed."""
    thread = services.store.thread(signed.lookup_id)
    public = None if thread is None else thread.auth_public
    place = (organisation.manifest.instance_id, signed.nonce, signed.lookup_id)
    return thread if reporter_keys.may(public, signed.signature, place, action) else None


def _size(text: str) -> int:
    if _SIZE.fullmatch(text) is None:
        raise MalformedError("not a size")
    return int(text)


def _stored(answered: Answered) -> web.Response:
    return answer(
        {
            "promise": None if answered.promise is None else b64(answered.promise),
            "day": answered.day.isoformat(),
            "due": day_text(answered.due),
        }
    )
