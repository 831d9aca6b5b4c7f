# SPDX-License-Identifier: AGPL-3.0-or-later
"""The route tables as data: method, path, handler. Nothing else is answered."""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from whistle.intake import feed
from whistle.intake.api import handlers as client
from whistle.intake.handlers import (
    actions,
    files,
    public,
    publication,
    report,
    sealed,
    sitefiles,
    status,
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_LANG: Final = "/{lang:id|en}"
_RELEASE: Final = "/releases/{id:[0-9a-z-]+}"

PUBLIC: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("GET", "/", public.landing),
    ("GET", _LANG, public.landing),
    ("GET", _LANG + "/report", report.form),
    ("POST", _LANG + "/report", report.submit),
    ("GET", _LANG + "/status", status.entry),
    ("POST", _LANG + "/status", status.by_code),
    ("GET", _LANG + "/status/view", status.view),
    ("GET", _LANG + "/status/evidence", status.evidence_file),
    ("POST", _LANG + "/status/message", actions.message),
    ("POST", _LANG + "/status/contest", actions.contest),
    ("POST", _LANG + "/status/withdraw", actions.withdraw),
    ("POST", _LANG + "/status/leave", actions.leave),
    ("GET", _LANG + "/status/files", files.form),
    ("POST", _LANG + "/status/files", files.submit),
    ("GET", _LANG + "/sealed", sealed.form),
    ("POST", _LANG + "/sealed", sealed.submit),
    ("GET", _LANG + "/safety", public.safety),
    ("GET", _LANG + "/statistics", public.statistics),
    ("GET", _LANG + "/keys", public.keys),
    ("GET", r"/{file:[a-z-]+-[0-9a-f]{16}\.(?:css|js|txt|html)}", public.static_file),
    (
        "GET",
        "/{name:(?:manifest|policy|catalogue)\\.json|manifest\\.sig}",
        public.organisation_file,
    ),
    ("GET", _LANG + "/offline.html", sitefiles.offline),
    ("GET", "/verify.html", sitefiles.verifier),
    ("GET", "/{name:site-manifest\\.(?:json|sig)}", sitefiles.site_list),
    ("GET", "/instance.id", sitefiles.instance),
    ("GET", "/keys.png", sitefiles.image),
    ("GET", "/promise/{promise:[A-Za-z0-9_-]{187}}.png", report.promise_image),
    ("GET", "/promise/{promise:[A-Za-z0-9_-]{187}}.txt", report.promise_file),
    ("GET", "/robots.txt", public.robots),
    ("GET", "/log-policy.txt", public.log_policy),
    ("GET", "/log.tar", publication.log_tar),
    ("GET", "/log/{path:checkpoint|tile/[a-z0-9./]+}", publication.log_file),
    ("GET", _RELEASE + ".tar", publication.release_tar),
    ("GET", _RELEASE, publication.release_folder),
    ("GET", _RELEASE + "/{lang:id|en}", publication.release_folder),
    ("GET", _RELEASE + "/{path:[A-Za-z0-9._/-]*}", publication.release_file),
)

CLIENT: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("GET", "/api/v1/nonce", client.nonce),
    ("PUT", "/api/v1/blobs/{id:[0-9a-f]{32}}/{n:0|[1-9][0-9]{0,3}}", client.put_piece),
    ("GET", "/api/v1/blobs/{id:[0-9a-f]{32}}", client.pieces),
    ("POST", "/api/v1/reports", client.report),
    ("POST", "/api/v1/threads/read", client.read),
    ("POST", "/api/v1/threads/append", client.append),
)

FEED: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("GET", "/feed/v1/records", feed.records),
    ("GET", "/feed/v1/blobs/{id:[0-9a-f]{32}}", feed.blob),
    ("POST", "/feed/v1/ack", feed.acknowledge),
    ("POST", "/feed/v1/mailbox", feed.mailbox),
    ("POST", "/feed/v1/statistics", feed.statistics),
    ("GET", "/feed/v1/files", feed.files),
    ("POST", "/feed/v1/files", feed.put_files),
)


def install(app: web.Application, table: tuple[tuple[str, str, Handler], ...]) -> None:
    """Add a table's routes; GET also answers HEAD."""
    for method, path, handler in table:
        if method == "GET":
            app.router.add_get(path, handler)
        else:
            app.router.add_route(method, path, handler)
