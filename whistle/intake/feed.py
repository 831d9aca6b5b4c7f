# SPDX-License-Identifier: AGPL-3.0-or-later
"""The feed: what the case server collects from the intake and brings back (docs/spec/http.md,
"Feed").

Invariants:

* every request is signed by the key the manifest names for the service "cases", once, within two
  minutes;
* a record is listed until it is acknowledged, and erased with its blobs when it is;
* notices are only ever added; the same place never changes, and neither does a public file.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from crypto.encoding import b64, canonical_json, parse_json, unb64, unhex
from crypto.errors import MalformedError
from whistle import limits, logs, troubles
from whistle.errors import ConflictError, RefusedError
from whistle.http.signed import SIGNED_BODY, require_signed
from whistle.intake.bodies import read_small
from whistle.intake.public_files import commitments
from whistle.intake.records import Entry, Record
from whistle.intake.services import SERVICES, IntakeServices
from whistle.intake.wiring import parse_statistics

JSON: Final = "application/json"
UNPROCESSABLE: Final = 422
GONE: Final = 410
_PIECE: Final = limits.MIB
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def answer(value: Any, status: int = 200) -> web.Response:
    """Return a JSON answer."""
    return web.Response(body=canonical_json(value), status=status, content_type=JSON)


def problem(code: str, status: int) -> web.Response:
    """Return a JSON error."""
    return answer({"error": {"code": code}}, status)


@web.middleware
async def only_cases(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let signed requests of the case server through; explain refusals in JSON."""
    services = request.app[SERVICES]
    try:
        body = await read_small(request, limits.MAX_FEED_BODY)
        require_signed(request, body, services.verifier, services.now())
        request[SIGNED_BODY] = body
        return await handler(request)
    except RefusedError as error:
        return problem(error.key, error.status)
    except web.HTTPException as error:
        return problem("not_found" if error.status == 404 else "method", error.status)
    except (MalformedError, KeyError, TypeError, ValueError):
        return problem("bad_request", 400)
    except ConflictError:
        return problem("conflict", 409)


async def records(request: web.Request) -> web.Response:
    """List what waits to be collected."""
    limit = int(request.query.get("limit", limits.FEED_DEFAULT_RECORDS))
    limit = min(max(limit, 1), limits.FEED_MAX_RECORDS)
    after = request.query.get("after")
    start = b"" if after is None else unhex(after, 16)
    store = request.app[SERVICES].store
    found = store.records(limit, limits.FEED_ANSWER_BYTES, start)
    more = bool(found) and store.has_records(found[-1].id)
    return answer({"records": [_record(one) for one in found], "more": more})


async def blob(request: web.Request) -> web.StreamResponse:
    """Hand out a sealed attachment."""
    services = request.app[SERVICES]
    identifier = request.match_info["id"]
    size = services.store.blob_size(identifier)
    if size is None:
        raise RefusedError("not_found")
    response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
    response.content_length = size
    loop = asyncio.get_running_loop()
    try:
        file = services.blobs.path(identifier).open("rb")
    except FileNotFoundError:  # deleted by hand, or by a damaged disk: the case can still be opened
        logs.get("intake").error("a blob is missing", kind=troubles.FILE_DAMAGED)
        return problem("gone", GONE)
    with file:
        if os.fstat(file.fileno()).st_size != size:
            logs.get("intake").error("a blob is not whole", kind=troubles.FILE_DAMAGED)
            return problem("gone", GONE)
        await response.prepare(request)
        while piece := await loop.run_in_executor(services.executor, file.read, _PIECE):
            await response.write(piece)
    await response.write_eof()
    return response


async def acknowledge(request: web.Request) -> web.Response:
    """Erase what has been collected and stored elsewhere."""
    services = request.app[SERVICES]
    listed = _body(request)["records"]
    identifiers = [unhex(one, 16) for one in _list(listed)]
    blobs = await services.store.acknowledge(identifiers)
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(services.executor, services.blobs.remove, blobs)
    return answer({})


async def mailbox(request: web.Request) -> web.Response:
    """Take notices for reporters."""
    entries = [_entry(one) for one in _list(_body(request)["entries"])]
    await request.app[SERVICES].store.put_mailbox(entries)
    return answer({})


async def statistics(request: web.Request) -> web.Response:
    """Take the public numbers."""
    services: IntakeServices = request.app[SERVICES]
    body: bytes = request[SIGNED_BODY]
    if len(body) > limits.FEED_MAX_STATISTICS:
        raise RefusedError("too_large")
    parse_json(body, max_bytes=limits.FEED_MAX_STATISTICS)
    text = body.decode("utf-8")
    parsed = parse_statistics(text)
    if parsed is None:
        return problem("statistics", UNPROCESSABLE)
    await services.store.put_statistics(text)
    services.statistics = parsed
    return answer({})


async def files(request: web.Request) -> web.Response:
    """Say how many public files are held."""
    return answer({"count": request.app[SERVICES].public.count})


async def put_files(request: web.Request) -> web.Response:
    """Take files of the public log and of releases."""
    services = request.app[SERVICES]
    for one in _list(_body(request)["files"]):
        path, content = one["path"], unb64(one["content"])
        if not isinstance(path, str):
            raise MalformedError("not a path")
        places = commitments(path, content)
        if places:
            await services.store.put_places(places)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(services.executor, services.public.put, path, content)
    services.look_at_public()
    return answer({})


def _body(request: web.Request) -> dict[str, Any]:
    value = parse_json(request[SIGNED_BODY], max_bytes=limits.MAX_FEED_BODY)
    if not isinstance(value, dict):
        raise MalformedError("an object is expected")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list) or len(value) > limits.FEED_MAX_RECORDS:
        raise MalformedError("a list of bounded length is expected")
    return value


def _entry(value: Any) -> Entry:
    seq = value["seq"]
    if not isinstance(seq, int) or isinstance(seq, bool) or not 0 <= seq < 2**31:
        raise MalformedError("not a sequence number")
    box = unb64(value["box"])
    if len(box) > limits.MAX_BOX:
        raise RefusedError("too_large")
    return Entry(unhex(value["thread"], 16), seq, box)


def _record(record: Record) -> dict[str, Any]:
    return {
        "id": record.id.hex(),
        "kind": record.kind,
        "thread": record.thread.hex(),
        "intent": record.intent,
        "day": record.day.isoformat(),
        "recipients": list(record.recipients),
        "mailbox_key": None if record.mailbox_key is None else record.mailbox_key.hex(),
        "container": b64(record.container),
        "blobs": [{"id": one.id, "size": one.size} for one in record.blobs],
        "commitment": None if record.commitment is None else record.commitment.hex(),
    }
