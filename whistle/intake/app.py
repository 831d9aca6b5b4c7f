# SPDX-License-Identifier: AGPL-3.0-or-later
"""The two applications of the intake: the public pages and the feed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from aiohttp import hdrs, web

from crypto.errors import CryptoError
from whistle import limits, logs, troubles
from whistle.errors import RefusedError
from whistle.http.headers import harden_response
from whistle.intake import feed, routes
from whistle.intake.admission import ADMISSION, in_order
from whistle.intake.api.answers import PREFIX, problem
from whistle.intake.handlers.answers import error_page
from whistle.intake.memory import MEMORY, Budget
from whistle.intake.problems import ProblemError
from whistle.intake.services import SERVICES, IntakeServices

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_BY_STATUS: Final = {404: "not_found", 405: "method", 413: "too_large"}
HOUSEKEEPING: Final = 600.0  # seconds between looks at the calendar
WARM_UP_AFTER: Final = 0.3  # seconds: the first answer comes first
WARM_UP_PAUSE: Final = 0.01  # seconds between templates, in which requests are answered


def create_public_app(services: IntakeServices) -> web.Application:
    """Return the pages for reporters and the public."""
    app = web.Application(middlewares=[errors, in_order])
    app[SERVICES] = services
    app[MEMORY] = services.disk.memory
    app[ADMISSION] = services.admission
    app.on_response_prepare.append(harden_response)
    app.cleanup_ctx.append(housekeeping)
    app.cleanup_ctx.append(warming_up)
    routes.install(app, routes.PUBLIC)
    routes.install(app, routes.CLIENT)
    return app


def create_feed_app(services: IntakeServices) -> web.Application:
    """Return the feed for the case server."""
    app = web.Application(middlewares=[feed.only_cases])
    app[SERVICES] = services
    app[MEMORY] = Budget(limits.FEED_MEMORY)
    app.on_response_prepare.append(harden_response)
    routes.install(app, routes.FEED)
    return app


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every refusal and every accident into a plain page without details."""
    try:
        return await handler(request)
    except RefusedError as error:
        return _explain(request, error)
    except (ProblemError, CryptoError) as error:
        if not request.path.startswith(PREFIX):
            raise
        return problem(error)
    except web.HTTPException as error:
        answer = _explain(request, RefusedError(_BY_STATUS.get(error.status, "bad_request")))
        if "Allow" in error.headers:
            answer.headers["Allow"] = error.headers["Allow"]
        return answer
    except ConnectionError:
        raise
    except Exception as error:
        logs.get("intake").error("unexpected error", **logs.describe(error))
        # What only the operator can mend: a reporter gets the typed text back and comes again.
        return _explain(request, RefusedError("busy" if troubles.kind_of(error) else "generic"))


def _explain(request: web.Request, error: RefusedError) -> web.Response:
    """Explain a refusal to a person, or to a client."""
    is_client = request.path.startswith(PREFIX)
    answer = problem(error) if is_client else error_page(request, error)
    if error.key == "busy":
        answer.headers[hdrs.RETRY_AFTER] = str(limits.RETRY_AFTER)
    return answer


async def housekeeping(app: web.Application) -> AsyncIterator[None]:
    """Destroy secrets of past days and uploads nobody took, while the server runs."""
    services = app[SERVICES]

    async def keep_house() -> None:
        while True:
            try:
                await services.sealing.forget_old_secrets(services.today())
                await services.pieces.expire(services.today())
                look_at_clock(services)
            except Exception as error:  # tried again at the next look
                logs.get("intake").error("house not kept", **logs.describe(error))
            await asyncio.sleep(HOUSEKEEPING)

    task = asyncio.create_task(keep_house())
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def look_at_clock(services: IntakeServices) -> None:
    """Tell the operator when the calendar says a day before one on which a report was stored."""
    newest = services.store.newest_day()
    if newest is not None and services.today() < newest:
        logs.get("intake").warning("it was later before", kind=troubles.CLOCK_WENT_BACK)


async def warming_up(app: web.Application) -> AsyncIterator[None]:
    """Compile all templates soon after the start, in small steps between requests."""
    pages = app[SERVICES].organisation.pages

    async def warm_up() -> None:
        await asyncio.sleep(WARM_UP_AFTER)
        try:
            for _ in pages.compile_all():
                await asyncio.sleep(WARM_UP_PAUSE)
        except Exception as error:  # a page that needs this template says so again
            logs.get("intake").error("a template is broken", **logs.describe(error))

    task = asyncio.create_task(warm_up())
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
