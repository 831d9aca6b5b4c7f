# SPDX-License-Identifier: AGPL-3.0-or-later
"""The part of the desk's interface that is about the public log and its releases.

Invariants: as in api.py; a path names a release and a file only in forms that cannot leave their
folder.

Specification: docs/spec/case-api.md, section 6.
"""

import re
from typing import Any, Final

from aiohttp import web

from case_mgmt.publishing import PublicationOffice
from crypto.encoding import b64, unhex
from crypto.errors import MalformedError
from whistle.cases import wire
from whistle.cases.asking import Asked, answer
from whistle.cases.errors import ApiError
from whistle.cases.staging import MANIFEST_FILES

_RELEASE: Final = re.compile(r"[0-9]{4}-[a-z0-9]{1,16}")
START: Final = "start"


async def card(asked: Asked) -> web.Response:
    """POST /v1/cases/{case}/card."""
    case, container = asked.case, wire.read_note(asked.body)
    rules, office = asked.services.rules(), _office(asked)
    await asked.services.threads.write(
        lambda: office.keep_card(case, asked.person, container, rules)
    )
    return answer({"status": "kept"})


async def publication(asked: Asked) -> web.Response:
    """GET /v1/publication: the log as it is public, and the releases."""
    office = _office(asked)
    copy = await asked.services.threads.read(lambda: office.log_copy(asked.person))
    files = asked.services.organisation.current.files
    return answer(
        {
            "today": asked.services.today().isoformat(),
            "note": copy.note,
            "entries": [b64(entry) for entry in copy.entries],
            "releases": [
                {"id": each.id, "sha256": each.digest.hex(), "day": each.day.isoformat()}
                for each in copy.releases
            ],
            "files": {name: b64(files[name]) for name in MANIFEST_FILES if name in files},
        }
    )


async def cards(asked: Asked) -> web.Response:
    """GET /v1/publication/cards/{after}: some cards, sealed to the publishers."""
    office, after = _office(asked), asked.request.match_info["after"]
    beyond = b"" if after == START else _hex(after)
    found = await asked.services.threads.read(lambda: office.cards(asked.person, beyond))
    return answer(
        {
            "cards": [
                {"case": each.pseudonym.hex(), "container": b64(each.container)} for each in found
            ]
        }
    )


async def openings(asked: Asked) -> web.Response:
    """GET /v1/publication/openings: what is behind the follow-up leaves, for an auditor."""
    office = _office(asked)
    found = await asked.services.threads.read(lambda: office.openings(asked.person))
    listed = [{"index": each.place, "act": each.act, "nonce": each.nonce.hex()} for each in found]
    return answer({"v": 1, "openings": listed})


async def release_file(asked: Asked) -> web.Response:
    """GET /v1/publication/releases/{id}/{path}: a file of an earlier release."""
    office, path = _office(asked), asked.request.match_info["path"]
    release = _release(asked)
    content = await asked.services.threads.read(
        lambda: office.release_file(asked.person, release, path)
    )
    if content is None:
        raise ApiError("not_found")
    return answer({"content": b64(content)})


async def stage(asked: Asked) -> web.Response:
    """POST /v1/publication/releases/{id}/files: one file of a new release."""
    _require_publisher(asked)
    release = _release(asked)
    path, content = wire.read_file(asked.body)
    await asked.services.threads.write(lambda: asked.services.staging.add(release, path, content))
    return answer({"status": "kept"})


async def submit(asked: Asked) -> web.Response:
    """POST /v1/publication/releases/{id}: judge what was gathered, and publish it for good."""
    _require_publisher(asked)
    release = _release(asked)
    await asked.services.threads.write(lambda: _accept(asked, release))
    asked.services.puller.wake()
    if asked.services.keeper is not None:
        asked.services.keeper.wake()
    return answer({"status": "published"})


def _accept(asked: Asked, release: str) -> None:
    services = asked.services
    if services.log is None:
        raise ApiError("not_found")
    current = services.organisation.current
    in_force = {name: current.files[name] for name in MANIFEST_FILES if name in current.files}
    today = services.today()
    try:
        claim, files = services.staging.judge(release, current.manifest, in_force, today)
        if not _office(asked).is_accepted(claim):
            _office(asked).check_claim(claim)
            services.log.accept_release(claim.release, files, today)
    finally:  # what was refused goes too: the next try brings every file again
        services.staging.drop(release)


def _office(asked: Asked) -> PublicationOffice:
    return asked.services.publication


def _release(asked: Asked) -> str:
    text = asked.request.match_info["id"]
    if _RELEASE.fullmatch(text) is None:
        raise ApiError("not_found")
    return text


def _hex(text: str) -> bytes:
    try:
        return unhex(text, 16)
    except MalformedError as error:
        raise ApiError("not_found") from error


def _require_publisher(asked: Asked) -> None:
    asked.services.publication.require_publisher(asked.person)


ROUTES: Final[tuple[tuple[str, str, Any], ...]] = (
    ("POST", "/v1/cases/{case}/card", card),
    ("GET", "/v1/publication", publication),
    ("GET", "/v1/publication/cards/{after}", cards),
    ("GET", "/v1/publication/openings", openings),
    ("GET", r"/v1/publication/releases/{id}/{path:[A-Za-z0-9._/-]+}", release_file),
    ("POST", "/v1/publication/releases/{id}/files", stage),
    ("POST", "/v1/publication/releases/{id}", submit),
)
