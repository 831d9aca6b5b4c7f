# SPDX-License-Identifier: AGPL-3.0-or-later
"""How the client interface reads and answers: JSON, bounded, and padded where its size could tell.

Invariants: an error is `{"error": code}` and repeats nothing; bodies count in the one budget of
unfinished forms (`whistle.intake.memory`), whatever the number of connections.
"""

from datetime import date
from typing import Any, Final

from aiohttp import web

from crypto.encoding import b64, canonical_json, parse_json
from crypto.errors import CryptoError
from whistle.errors import RefusedError
from whistle.intake.admission import admit
from whistle.intake.bodies import Pace, body_chunks
from whistle.intake.memory import MEMORY
from whistle.intake.problems import ProblemError
from whistle.intake.records import ThreadView
from whistle.limits import MAX_API_BODY, READ_STEP

PREFIX: Final = "/api/"


async def read_json(request: web.Request, pace: Pace) -> Any:
    """Read a JSON body, then wait until its work may begin.

    Raises:
        RefusedError: too large, too slow, or the server is busy.
        MalformedError: not JSON.
    """
    if "Content-Encoding" in request.headers:
        raise RefusedError("media_type")
    body = bytearray()
    with request.app[MEMORY].holder() as held:
        async for chunk in body_chunks(request, MAX_API_BODY, pace):
            held.add(len(chunk))
            body += chunk
        await admit(request)
        return parse_json(bytes(body), max_bytes=MAX_API_BODY)


def answer(value: Any, status: int = 200) -> web.Response:
    """Return a JSON answer."""
    return json_answer(canonical_json(value), status)


def json_answer(body: bytes, status: int = 200) -> web.Response:
    """Return an answer that is encoded already."""
    return web.Response(body=body, status=status, content_type="application/json")


def problem(error: Exception) -> web.Response:
    """Return the answer to a refusal; raises anything else again."""
    if isinstance(error, ProblemError):
        return answer({"error": error.code}, error.status)
    if isinstance(error, RefusedError):
        return answer({"error": error.key}, error.status)
    if isinstance(error, CryptoError):
        return answer({"error": "bad_request"}, 400)
    raise error


def day_text(day: date | None) -> str | None:
    """Return a day as the interface writes it."""
    return None if day is None else day.isoformat()


def thread_body(thread: ThreadView | None) -> bytes:
    """Return everything sealed of a thread, padded; the same shape when there is nothing."""
    value: dict[str, Any] = {"day": None, "dossier": None, "boxes": [], "own": [], "pad": ""}
    if thread is not None:
        value["day"] = thread.day.isoformat()
        value["dossier"] = b64(thread.dossier)
        value["boxes"] = [{"seq": seq, "box": b64(box)} for seq, box in thread.boxes]
        value["own"] = [
            {"id": one.message_id.hex(), "day": one.day.isoformat(), "box": b64(one.box)}
            for one in thread.own
        ]
    value["pad"] = "." * (-len(canonical_json(value)) % READ_STEP)
    return canonical_json(value)
