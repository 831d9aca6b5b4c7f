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
from whistle.intake.api.answers import answer, day_text, read_json, thread_answer
from whistle.intake.api.wire import (
    Signed,
    parse_addition,
    parse_report,
    parse_signed,
    parse_upload_key,
)
from whistle.intake.multipart import body_chunks
from whistle.intake.origin import require_own_form
from whistle.intake.problems import ProblemError
from whistle.intake.records import ThreadView
from whistle.intake.reporter_keys import Action
from whistle.intake.sealed_form import require_blob_size
from whistle.intake.services import SERVICES, IntakeServices
from whistle.intake.submissions import Answered
from whistle.intake.upload_table import Upload
from whistle.limits import PIECE, STATUS_FLOOR

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
    chunks = body_chunks(request, PIECE)
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
    today, organisation = services.today(), services.organisation
    if not organisation.accepts_reports(today):
        raise RefusedError("busy")
    value = await read_json(request, services.bodies)
    signed = parse_signed(value)
    submission, claims = parse_report(value)
    _use_nonce(services, signed)
    place = (services.instance_id, signed.nonce, signed.lookup_id)
    if not reporter_keys.may(submission.auth_public, signed.signature, place, Action.APPEND):
        raise ProblemError("signature")
    known = services.submissions.known(submission, organisation)
    if known is not None:
        return _stored(known)
    services.submissions.check(submission, organisation, services.settings.max_file_bytes)
    stored = services.submissions.store_with_uploads(submission, claims, organisation, today)
    return _stored(await asyncio.shield(stored))


async def read(request: web.Request) -> web.Response:
    """Hand out everything sealed of a thread to whoever can sign for it."""
    require_own_form(request)
    services = request.app[SERVICES]
    signed = parse_signed(await read_json(request, services.bodies))
    loop = asyncio.get_running_loop()
    earliest = loop.time() + STATUS_FLOOR
    _use_nonce(services, signed)
    response = thread_answer(_thread(services, signed, Action.READ))
    await asyncio.sleep(max(0.0, earliest - loop.time()))
    return response


async def append(request: web.Request) -> web.Response:
    """Take a sealed later message."""
    require_own_form(request)
    services = request.app[SERVICES]
    value = await read_json(request, services.bodies)
    signed, addition = parse_signed(value), parse_addition(value)
    _use_nonce(services, signed)
    services.submissions.check_addition(
        addition, services.organisation, services.settings.max_file_bytes
    )
    loop = asyncio.get_running_loop()
    earliest = loop.time() + STATUS_FLOOR
    if _thread(services, signed, Action.APPEND) is None:
        await asyncio.sleep(max(0.0, earliest - loop.time()))
        raise ProblemError("signature")
    day = await asyncio.shield(services.submissions.add(addition, services.today()))
    return answer({"day": day.isoformat()})


def _use_nonce(services: IntakeServices, signed: Signed) -> None:
    if not services.nonces.take(signed.nonce):
        raise ProblemError("nonce")


def _thread(services: IntakeServices, signed: Signed, action: Action) -> ThreadView | None:
    """Return the thread if it exists and its key has signed."""
    thread = services.store.thread(signed.lookup_id)
    public = None if thread is None else thread.auth_public
    place = (services.instance_id, signed.nonce, signed.lookup_id)
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
