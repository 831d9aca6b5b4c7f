# SPDX-License-Identifier: AGPL-3.0-or-later
"""How handlers answer: pages, redirects, error pages, in the language of the path."""

import asyncio
import math
from collections.abc import Mapping
from typing import Final

from aiohttp import hdrs, web

from whistle.errors import RefusedError
from whistle.http.headers import html
from whistle.i18n import DEFAULT_LANGUAGE, Language, parse_language
from whistle.intake.busy import TYPED, busy_page
from whistle.intake.contexts import ErrorContext
from whistle.intake.services import SERVICES, IntakeServices
from whistle.intake.sessions import COOKIE
from whistle.limits import STATUS_FLOOR

SEE_OTHER: Final = 303


def services_of(request: web.Request) -> IntakeServices:
    """Return the services of this application."""
    return request.app[SERVICES]


def language(request: web.Request) -> Language:
    """Return the language of the path; Accept-Language is ignored, it tells readers apart."""
    return parse_language(request.path[1:3]) or DEFAULT_LANGUAGE


def redirect(location: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """Send the browser on with a GET."""
    return web.Response(status=SEE_OTHER, headers={**(headers or {}), hdrs.LOCATION: location})


def error_page(request: web.Request, error: RefusedError) -> web.Response:
    """Return the page that explains a refusal; a busy server gives back what was typed."""
    pages = services_of(request).organisation.pages
    typed = request.get(TYPED)
    if error.key == "busy" and typed is not None:
        body = busy_page(pages, language(request), request.path, typed)
    else:
        body = pages.error(language(request), ErrorContext(error.page))
    return html(body, error.status)


async def in_step(start: float) -> None:
    """Wait until a whole multiple of `STATUS_FLOOR` after `start`, at least one."""
    loop = asyncio.get_running_loop()
    leaves = start + STATUS_FLOOR * max(1, math.ceil((loop.time() - start) / STATUS_FLOOR))
    await asyncio.sleep(max(0.0, leaves - loop.time()))


def session_cookie(value: str) -> str:
    """Return the Set-Cookie value of a session.

    No `Secure`: onion services speak plain HTTP inside the circuit and some browsers drop Secure
    cookies there. No Max-Age: the browser forgets it when it closes; the server forgets after 15
    minutes.
    """
    return f"{COOKIE}={value}; HttpOnly; SameSite=Strict; Path=/"


def forget_cookie() -> str:
    """Return the Set-Cookie value that ends a session."""
    return f"{COOKIE}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0"
