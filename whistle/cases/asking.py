# SPDX-License-Identifier: AGPL-3.0-or-later
"""A request to the desk's interface: verified, bounded, with whoever asks; and how it is answered.

Invariant: a handler gets an `Asked` only after the key was found in the manifest in force, the body
was read within its limits, and the signature was fresh and covered all of it.

Specification: docs/spec/case-api.md, section 2.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from case_mgmt.acts import CASE_ID
from case_mgmt.errors import UnknownCaseError
from case_mgmt.model import CaseId
from crypto.encoding import canonical_json, unhex
from crypto.errors import MalformedError
from crypto.manifest import Person
from crypto.requests import KEY_HEADER
from whistle.cases.errors import ApiError
from whistle.cases.limits import BODY_TIMEOUT, MAX_FILE_BODY, MAX_JSON_BODY, PIECE
from whistle.cases.services import SERVICES, CasesServices
from whistle.errors import RefusedError
from whistle.http.signed import require_signed


@dataclass(frozen=True)
class Asked:
    """A verified request: who asks what of whom."""

    services: CasesServices
    person: Person
    request: web.Request
    body: bytes

    @property
    def case(self) -> CaseId:
        """The case named in the path.  Raises UnknownCaseError."""
        text = self.request.match_info["case"]
        if CASE_ID.fullmatch(text) is None:
            raise UnknownCaseError("no such case")
        return CaseId(text)


def answer(content: Any, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(
        body=canonical_json(content), status=status, content_type="application/json"
    )


async def ask(request: web.Request) -> Asked:
    """Verify a request.

    1. the key is in the manifest in force  2. the body fits and arrives in time
    3. the signature is fresh and covers method, target and body
    """
    services = request.app[SERVICES]
    # 1
    person = _person(services, request)
    # 2
    body = await read_body(request, _most(request))
    # 3
    try:
        require_signed(request, body, services.verifier, services.now())
    except RefusedError as error:
        raise ApiError("unsigned") from error
    return Asked(services, person, request, body)


async def read_body(request: web.Request, most: int = MAX_JSON_BODY) -> bytes:
    """The whole body, bounded in size and time."""
    data = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            async for piece in request.content.iter_chunked(PIECE):
                data += piece
                if len(data) > most:
                    raise ApiError("too_large")
    except TimeoutError as error:
        raise ApiError("timeout") from error
    return bytes(data)


def _most(request: web.Request) -> int:
    """Bytes a body may have: more where a file of a release is handed in."""
    return MAX_FILE_BODY if request.path.endswith("/files") else MAX_JSON_BODY


def _person(services: CasesServices, request: web.Request) -> Person:
    try:
        key = unhex(request.headers.get(KEY_HEADER), 32)
    except MalformedError as error:
        raise ApiError("unsigned") from error
    person = services.organisation.current.manifest.person_by_desk_key(key)
    if person is None:
        raise ApiError("unknown_signer")
    return person
