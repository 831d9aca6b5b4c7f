# SPDX-License-Identifier: AGPL-3.0-or-later
"""The case server's application: routes, one error table, and what runs beside them.

Invariants
* Every error becomes a JSON answer of the table in errors.py; an accident tells no details.
* The puller and the look for newer organisation files run exactly as long as the application.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Final

from aiohttp import web

from case_mgmt.errors import GateError, UnknownCaseError
from whistle import logs
from whistle.cases import api
from whistle.cases.asking import answer
from whistle.cases.errors import ANSWERS, GATE_DEFAULT, GATE_STATUS, ApiError
from whistle.cases.limits import ORG_CHECK_EVERY
from whistle.cases.services import SERVICES, CasesServices
from whistle.http.headers import harden_response

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_BY_STATUS: Final = {404: "not_found", 405: "method", 413: "too_large"}


def create_app(services: CasesServices) -> web.Application:
    """The application of the desk's interface."""
    app = web.Application(middlewares=[errors])
    app[SERVICES] = services
    app.on_response_prepare.append(harden_response)
    app.cleanup_ctx.append(pull)
    app.cleanup_ctx.append(watch_organisation)
    app.cleanup_ctx.append(keep_log)
    api.install(app)
    return app


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every refusal and every accident into a JSON answer."""
    try:
        return await handler(request)
    except GateError as error:
        return _problem(GATE_STATUS.get(error.code, GATE_DEFAULT), error.code, dict(error.texts))
    except ApiError as error:
        return _listed(error.code)
    except UnknownCaseError:
        return _listed("unknown_case")
    except web.HTTPException as error:
        return _listed(_BY_STATUS.get(error.status, "bad_request"))
    except ConnectionError:
        raise
    except Exception as error:
        logs.get("cases").error("unexpected error", **logs.describe(error))
        return _listed("internal")


async def pull(app: web.Application) -> AsyncIterator[None]:
    """Run the puller."""
    async with _beside(app[SERVICES].puller.run()):
        yield


async def watch_organisation(app: web.Application) -> AsyncIterator[None]:
    """Look for newer organisation files now and then."""
    services = app[SERVICES]

    async def watch() -> None:
        while True:
            await asyncio.sleep(ORG_CHECK_EVERY)
            try:
                await services.threads.write(services.renew_organisation)
            except Exception as error:
                logs.get("cases").error("organisation not renewed", **logs.describe(error))

    async with _beside(watch()):
        yield


async def keep_log(app: web.Application) -> AsyncIterator[None]:
    """Publish the log week by week, if there is one."""
    keeper = app[SERVICES].keeper
    if keeper is None:
        yield
        return
    async with _beside(keeper.run()):
        yield


@contextlib.asynccontextmanager
async def _beside(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _listed(code: str) -> web.Response:
    row = ANSWERS[code]
    return _problem(row.status, code, dict(row.texts))


def _problem(status: int, code: str, texts: dict[str, str]) -> web.Response:
    return answer({"error": {"code": code, "message": texts}}, status)
