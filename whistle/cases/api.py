# SPDX-License-Identifier: AGPL-3.0-or-later
"""The desk's interface: a table of routes and one small handler for each.

Invariants
* Every route but the organisation's public files needs a fresh request signature by a desk key of
  the manifest in force; the body is read and verified before anything else happens.
* Handlers decide nothing: they read a typed form, call one use case, write one answer.
* A route that is not in `ROUTES` does not exist; docs/spec/case-api.md lists the same ones.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from case_mgmt.model import BlobId
from case_mgmt.publication.names import LOG_POLICY
from case_mgmt.service import Status
from crypto.encoding import b64
from whistle.cases import publication_api, wire
from whistle.cases.asking import Asked, answer, ask
from whistle.cases.limits import PIECE
from whistle.cases.services import SERVICES

Handler = Callable[[Asked], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Route:
    """One row of the interface."""

    method: str
    path: str
    handler: Handler


async def organisation(request: web.Request) -> web.Response:
    """GET /v1/organisation, open to all: these files are public."""
    services = request.app[SERVICES]
    files = services.organisation.current.files
    return answer(
        {
            "manifest": b64(files["manifest.json"]),
            "signature": b64(files["manifest.sig"]),
            "policy": b64(files["policy.json"]),
            "catalogue": b64(files["catalogue.json"]),
            "log_policy": None if LOG_POLICY not in files else b64(files[LOG_POLICY]),
            "today": services.today().isoformat(),
        }
    )


async def queue(asked: Asked) -> web.Response:
    """GET /v1/queue."""
    services, rules = asked.services, asked.services.rules()
    found = await services.threads.read(lambda: services.office.queue(asked.person, rules))
    return answer(
        {"today": rules.today.isoformat(), "cases": [wire.summary(each) for each in found]}
    )


async def show(asked: Asked) -> web.Response:
    """GET /v1/cases/{case}."""
    services, case = asked.services, asked.case
    rules = services.rules()
    found = await services.threads.read(lambda: services.office.show(case, asked.person, rules))
    return answer(await services.threads.read(lambda: wire.case_file(found)))


async def blob(asked: Asked) -> web.StreamResponse:
    """GET /v1/cases/{case}/blobs/{id}: ciphertext, in pieces."""
    services, case = asked.services, asked.case
    identifier = BlobId(asked.request.match_info["id"])
    size = await services.threads.read(
        lambda: services.office.blob_size(case, asked.person, identifier)
    )
    response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
    response.content_length = size
    disk = services.threads.disk
    file = await disk(lambda: services.blobs.open(identifier))
    try:
        await response.prepare(asked.request)
        while piece := await disk(lambda: file.read(PIECE)):
            await response.write(piece)
        await response.write_eof()
    finally:
        file.close()
    return response


async def submit(asked: Asked) -> web.Response:
    """POST /v1/cases/{case}/acts."""
    services, case = asked.services, asked.case
    submission = wire.read_submission(asked.body)
    status, overview = await services.threads.write(
        lambda: services.office.submit(case, asked.person, submission, services.rules())
    )
    if status is Status.COMMITTED:
        services.puller.wake()
    return answer({"status": status.value, "summary": wire.summary(overview)})


async def confirm(asked: Asked) -> web.Response:
    """POST /v1/cases/{case}/proposal/confirm."""
    services, case = asked.services, asked.case
    act, signature = wire.read_confirmation(asked.body)
    overview = await services.threads.write(
        lambda: services.office.confirm(case, asked.person, act, signature, services.rules())
    )
    services.puller.wake()
    return answer({"status": Status.COMMITTED.value, "summary": wire.summary(overview)})


async def hand_back(asked: Asked) -> web.Response:
    """POST /v1/cases/{case}/proposal/return."""
    services, case = asked.services, asked.case
    act = wire.read_return(asked.body)
    overview = await services.threads.write(
        lambda: services.office.hand_back(case, asked.person, act, services.rules())
    )
    return answer({"status": "returned", "summary": wire.summary(overview)})


async def note(asked: Asked) -> web.Response:
    """POST /v1/cases/{case}/notes."""
    services, case = asked.services, asked.case
    container = wire.read_note(asked.body)
    await services.threads.write(
        lambda: services.office.add_note(case, asked.person, container, services.rules())
    )
    return answer({"status": "kept"})


async def ledger(asked: Asked) -> web.Response:
    """GET /v1/ledger: the acts this person may see, no content."""
    services, rules = asked.services, asked.services.rules()
    acts = await services.threads.read(lambda: services.office.ledger(asked.person, rules))
    return answer({"acts": [wire.signed_act(signed) for signed in acts]})


async def status(asked: Asked) -> web.Response:
    """GET /v1/status: how the collection from the intake fares."""
    keeper = asked.services.keeper
    log = None if keeper is None else keeper.status.to_object()
    return answer({"feed": asked.services.puller.status.to_object(), "log": log})


ROUTES: Final = (
    Route("GET", "/v1/queue", queue),
    Route("GET", "/v1/cases/{case}", show),
    Route("GET", "/v1/cases/{case}/blobs/{id}", blob),
    Route("POST", "/v1/cases/{case}/acts", submit),
    Route("POST", "/v1/cases/{case}/proposal/confirm", confirm),
    Route("POST", "/v1/cases/{case}/proposal/return", hand_back),
    Route("POST", "/v1/cases/{case}/notes", note),
    Route("GET", "/v1/ledger", ledger),
    Route("GET", "/v1/status", status),
    *(Route(*row) for row in publication_api.ROUTES),
)
OPEN_ROUTES: Final = (("GET", "/v1/organisation", organisation),)


def install(app: web.Application) -> None:
    """Put the table into an application."""
    for method, path, public in OPEN_ROUTES:
        app.router.add_route(method, path, public)
    for route in ROUTES:
        app.router.add_route(route.method, route.path, _signed(route.handler))


def _signed(handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await handler(await ask(request))

    return handle
