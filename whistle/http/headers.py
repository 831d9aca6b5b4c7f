# SPDX-License-Identifier: AGPL-3.0-or-later
"""The headers of every answer.

Invariants:

* no answer names the server's software or the time of its clock: a clock skew tells an onion
  service apart;
* nothing is cached unless the answer says so itself (content-addressed stylesheet, public key
  files);
* the same set goes out on pages, redirects, error pages and answers of the HTTP parser; the two
  pages that load the script also allow it, from this origin only.

`Referrer-Policy` is `same-origin`, not `no-referrer`: under the latter browsers send `Origin: null`
with this site's own forms, and the cross-site check could not tell them from a stranger's.
"""

import re
from collections.abc import Mapping
from typing import Final

from aiohttp import hdrs, web
from multidict import CIMultiDict, CIMultiDictProxy

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
SCRIPT_POLICY: Final = (
    CONTENT_SECURITY_POLICY + "; script-src 'self'; worker-src 'self'; connect-src 'self'"
)
"""For the pages that load the script, and for the worker, which obeys the policy it came with."""
POLICY: Final = "Content-Security-Policy"
NO_STORE: Final = "no-store"
IMMUTABLE: Final = "public, max-age=31536000, immutable"

SECURITY_HEADERS: Final[Mapping[str, str]] = CIMultiDictProxy(
    CIMultiDict(
        {
            "Content-Security-Policy": CONTENT_SECURITY_POLICY,
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cross-Origin-Embedder-Policy": "require-corp",
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Permissions-Policy": (
                "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"
            ),
        }
    )
)
HTML: Final = "text/html; charset=utf-8"
_SCRIPTED: Final = re.compile(
    r"/(?:id|en)/(?:report|status(?:/[a-z]+)?)|/browser-worker-[0-9a-f]{16}\.js"
)
TEXT: Final = "text/plain; charset=utf-8"


def harden(headers: CIMultiDict[str]) -> None:
    """Put the security headers on an answer and take the telling ones off.

    An answer that brings a content policy of its own, for what is no page, keeps it.
    """
    own = headers.get(POLICY)
    headers.update(SECURITY_HEADERS)
    if own is not None:
        headers[POLICY] = own
    headers.setdefault(hdrs.CACHE_CONTROL, NO_STORE)
    headers.popall(hdrs.SERVER, None)
    headers.popall(hdrs.DATE, None)


async def harden_response(request: web.Request, response: web.StreamResponse) -> None:
    """Hook for `Application.on_response_prepare`."""
    harden(response.headers)
    if _SCRIPTED.fullmatch(request.path):
        response.headers["Content-Security-Policy"] = SCRIPT_POLICY


class HardResponse(web.Response):
    """A response that hardens itself, for answers outside any application."""

    async def _prepare_headers(self) -> None:
        await super()._prepare_headers()
        harden(self.headers)


def html(body: bytes, status: int = 200) -> web.Response:
    """Return a page; built with ready headers because this is the hottest path."""
    return web.Response(body=body, status=status, headers={hdrs.CONTENT_TYPE: HTML})
