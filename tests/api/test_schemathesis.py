# SPDX-License-Identifier: AGPL-3.0-or-later
"""What schemathesis makes of the OpenAPI documents, sent to real sockets: good forms, bad forms,
right and wrong signatures. Every answer has a documented status and form; none is a 5xx.
"""

import asyncio
import itertools
import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests.auth import AuthBase
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.api.__main__ import FOLDER
from tests.support.case_office import a_report
from tests.support.case_server import CaseServer, running_cases
from tests.support.intake import Intake, running_intake
from tests.support.sealed_client import Sealer
from whistle.intake.reporter_keys import Action

EXAMPLES = 4
MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    unsupported_method,
]
TIMEOUT = 20
CALLERS = ("penyidik-1", "pengawas", "pemeriksa", "penerbit", "intake", None)

Prepare = Callable[[Any, Any], AuthBase | None]
"""Makes a case (and draws for it) better than chance would, and says how it is signed."""
WAYS = ("made", "signed", "good", "stale")


def operations(name: str) -> list[Any]:
    document = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return [found.ok() for found in schemathesis.openapi.from_dict(document).get_all_operations()]


def send(name: str, base: str, prepares: Sequence[Prepare]) -> dict[str, set[int]]:
    """Send everything; return the statuses seen for each operation."""
    seen: dict[str, set[int]] = {}
    with requests.Session() as session:
        session.trust_env = False
        for operation in operations(name):
            seen[operation.label] = set()
            modes = MODES if _has_input(operation) else MODES[:1]
            for mode, prepare in itertools.product(modes, prepares):
                _send_one(operation, mode, base, session, prepare, seen[operation.label])
    return seen


def _has_input(operation: Any) -> bool:
    """Whether there is anything to get wrong."""
    return not {"parameters", "requestBody"}.isdisjoint(operation.definition.raw)


def _send_one(
    operation: Any, mode: Any, base: str, session: Any, prepare: Prepare, seen: set[int]
) -> None:
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    def check(case: Any, data: Any) -> None:
        auth = prepare(case, data.draw)
        answer = case.call(base_url=base, session=session, auth=auth, timeout=TIMEOUT)
        seen.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    check()


class SignedBy(AuthBase):
    """Signs what is really sent."""

    def __init__(self, server: CaseServer, who: str) -> None:
        self._server = server
        self._who = who

    def __call__(self, request: Any) -> Any:
        body = request.body or b""
        data = body.encode() if isinstance(body, str) else body
        target = request.path_url
        request.headers.update(self._server.headers(self._who, request.method, target, data))
        return request


def as_desk(server: CaseServer, cases: list[str], who: str | None) -> Prepare:
    """Signed by somebody, or by nobody; often about a case that exists."""

    def prepare(case: Any, draw: Any) -> AuthBase | None:
        parameters = case.path_parameters
        if isinstance(parameters, dict) and "case" in parameters and draw(st.booleans()):
            parameters["case"] = draw(st.sampled_from(cases))
        return None if who is None else SignedBy(server, who)

    return prepare


def as_reporter(intake: Intake, sealer: Sealer, way: str) -> Prepare:
    """As it is made, signed as it should be, or a good message with a right or a wrong nonce."""

    def prepare(case: Any, draw: Any) -> None:
        if not isinstance(case.body, dict) or way == "made":
            return
        path = case.operation.path
        if way != "signed" and not path.endswith("/read"):
            is_report = path.endswith("/reports")
            case.body.update(sealer.report("x") if is_report else sealer.message("y"))
        nonce = bytes(32) if way == "stale" else intake.services.nonces.issue()
        action = Action.READ if path.endswith("/read") else Action.APPEND
        case.body.update(sealer.signed(nonce.hex(), action))

    return prepare


@pytest.mark.slow
async def test_desks_interface(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with running_cases(tmp_path) as server:
        cases = [server.take_in(a_report(number)) for number in (1, 2)]
        with caplog.at_level(logging.ERROR):
            seen = await asyncio.to_thread(
                send,
                "case-api.openapi.json",
                server.base,
                [as_desk(server, list(cases), who) for who in CALLERS],
            )
        reading = {label: statuses for label, statuses in seen.items() if label.startswith("GET")}
        told = {label for label in reading if "blobs" not in label and "{path}" not in label}
        assert all(200 in reading[label] for label in told)
        assert all(401 in statuses for label, statuses in seen.items() if "organis" not in label)
        assert any(422 in statuses or 409 in statuses for statuses in seen.values())


@pytest.mark.slow
async def test_reporters_interface(tmp_path: Path) -> None:
    async with running_intake(tmp_path) as intake:
        sealer = Sealer(intake.org)
        seen = await asyncio.to_thread(
            send,
            "client-api.openapi.json",
            intake.base,
            [as_reporter(intake, sealer, way) for way in WAYS],
        )
        assert 200 in seen["GET /api/v1/nonce"]
        assert 200 in seen["POST /api/v1/threads/read"]
        for path in ("reports", "threads/append"):
            assert {200, 400, 401} <= seen[f"POST /api/v1/{path}"]
