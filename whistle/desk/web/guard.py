# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who may talk to the desk's pages: only the browser that was given the address, from these pages.

The desk listens on loopback, where every web page in the same browser and every program of every
user of this computer can knock. In this order:

1. Host is exactly our authority: a name rebound to 127.0.0.1 is refused (DNS rebinding);
2. a request another site caused is refused (`Sec-Fetch-Site`), and one that changes something must
   name our own `Origin` (cross-site request forgery);
3. the one-time token of the printed address opens one session; from then on only its cookie counts
   (HttpOnly, SameSite=Strict). The token shown a second time, without the cookie, opens nothing;
4. a page that needs keys redirects to the unlock page while they are locked.

Refusals are constant and say how to get in.
"""

import hmac
import re
from dataclasses import replace
from typing import Final

from aiohttp import hdrs, web

from crypto.rng import Rng
from whistle.desk.web.tickets import Ticket, TicketFile
from whistle.http.headers import SECURITY_HEADERS

COOKIE: Final = "whistle-desk"
COOKIE_SECONDS: Final = 86_400
OPEN_PATHS: Final = ("/desk-",)
DOWNLOAD_POLICY: Final = "default-src 'none'; sandbox"
_OWN_PATH: Final = re.compile(r"/([A-Za-z0-9_-][A-Za-z0-9/_-]*)?")
_SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
_OWN_SITES: Final = frozenset({"", "none", "same-origin"})


class Door:
    """The address, its one-time token and the session it opens."""

    def __init__(self, rng: Rng, kept: TicketFile | None = None) -> None:
        """Raises: KeysError when the kept ticket cannot be used."""
        self._kept = kept
        self._ticket = Ticket.new(rng) if kept is None else kept.load()
        self._authority = ""

    def listen_at(self, port: int) -> None:
        """Fixes the one authority that is answered."""
        self._authority = f"127.0.0.1:{port}"

    @property
    def origin(self) -> str:
        """What our own pages send as Origin."""
        return f"http://{self._authority}"

    @property
    def address(self) -> str:
        """The address to open once, with its token."""
        return f"{self.origin}/?token={self._ticket.token}"

    def is_ours(self, request: web.Request) -> bool:
        """Steps 1 and 2."""
        if request.headers.getall(hdrs.HOST, []) != [self._authority]:
            return False
        if request.headers.get("Sec-Fetch-Site", "") not in _OWN_SITES:
            return False
        return request.method in _SAFE_METHODS or request.headers.get(hdrs.ORIGIN) == self.origin

    def knows(self, request: web.Request) -> bool:
        """Whether the request carries the session's cookie."""
        return _same(request.cookies.get(COOKIE, ""), self._ticket.secret)

    def admits(self, token: str) -> bool:
        """Uses the one-time token up; true exactly once, for the right token. Raises: KeysError."""
        if self._ticket.used or not _same(token, self._ticket.token):
            return False
        used = replace(self._ticket, used=True)
        if self._kept is not None:
            self._kept.save(used)  # before the door opens: a token works once, also over a crash
        self._ticket = used
        return True

    def give_cookie(self, response: web.Response) -> None:
        """Opens the session."""
        response.set_cookie(
            COOKIE,
            self._ticket.secret,
            max_age=COOKIE_SECONDS,
            httponly=True,
            samesite="Strict",
            path="/",
        )


async def restrict_downloads(_request: web.Request, response: web.StreamResponse) -> None:
    """A reporter's file gets a policy under which it can do nothing even if a browser shows it.

    SECURITY: runs after whistle.http.headers.harden_response, which sets the policy of pages
    (test_web_pages.py::test_downloads_are_attachments_and_nothing_else).
    """
    if response.headers.get(hdrs.CONTENT_DISPOSITION, "").startswith("attachment"):
        response.headers["Content-Security-Policy"] = DOWNLOAD_POLICY


def is_own_path(path: str) -> bool:
    """Whether a redirect to `path` stays on the desk's pages.

    SECURITY: browsers read `//host`, `/\\host` and `/<tab>/host` as another host; only plain paths
    pass (test_web_guard.py).
    """
    return _OWN_PATH.fullmatch(path) is not None


def _same(offered: str, secret: str) -> bool:
    """Compared in constant time; bytes that are no text are just wrong."""
    return hmac.compare_digest(offered.encode("utf-8", "replace"), secret.encode())


def refusal(text: str) -> web.Response:
    """A constant answer for whoever is not let in."""
    body = text.encode()
    return web.Response(
        body=body,
        status=403,
        content_type="text/plain",
        charset="utf-8",
        headers={**SECURITY_HEADERS, hdrs.CACHE_CONTROL: "no-store"},
    )
