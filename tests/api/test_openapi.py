# SPDX-License-Identifier: AGPL-3.0-or-later
"""The OpenAPI documents are whole and current, and agree with the prose beside them."""

import json
import re
from typing import Any

import jsonschema_rs
import pytest

from tests.api.__main__ import FOLDER, written
from tests.api.documents import DOCUMENTS
from whistle.cases.api import OPEN_ROUTES, ROUTES
from whistle.cases.errors import ANSWERS, GATE_STATUS
from whistle.intake import routes
from whistle.intake.problems import STATUS

NAMES = list(DOCUMENTS)
_REGEX = re.compile(r"\{(\w+):(?:[^{}]|\{[\d,]+\})+\}")


def load(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def operations(name: str) -> dict[tuple[str, str], Any]:
    paths = load(name)["paths"]
    return {
        (method.upper(), path): operation
        for path, methods in paths.items()
        for method, operation in methods.items()
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_document_is_the_one_that_is_made(name: str) -> None:
    """Otherwise: `.venv/bin/python -m tests.api`."""
    assert (FOLDER / name).read_text(encoding="utf-8") == written(name)


def test_every_route_is_described_and_no_other() -> None:
    client = {(method, _REGEX.sub(r"{\1}", path)) for method, path, _ in routes.CLIENT}
    assert set(operations("client-api.openapi.json")) == client
    desk = {(route.method, _REGEX.sub(r"{\1}", route.path)) for route in ROUTES}
    desk |= {(method, path) for method, path, _ in OPEN_ROUTES}
    assert set(operations("case-api.openapi.json")) == desk


def test_what_needs_a_signature_says_so() -> None:
    signed = {key for key, one in operations("case-api.openapi.json").items() if "security" in one}
    assert signed == {(route.method, _REGEX.sub(r"{\1}", route.path)) for route in ROUTES}


def test_every_refusal_has_a_place() -> None:
    """A status the code can answer with is one that some operation names."""
    for name, statuses in (
        ("client-api.openapi.json", set(STATUS.values())),
        ("case-api.openapi.json", {one.status for one in ANSWERS.values()} - {405, 500}),
    ):
        named = {int(one) for each in operations(name).values() for one in each["responses"]}
        assert statuses <= named, name
    assert set(GATE_STATUS.values()) <= {403, 409}


def schema_of(name: str, method: str, path: str) -> jsonschema_rs.Validator:
    document = load(name)
    operation = document["paths"][path][method]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    return jsonschema_rs.validator_for({**schema, "components": document["components"]})


SENT: dict[str, tuple[str, str]] = {
    "act request": ("case-api", "/v1/cases/{case}/acts"),
    "confirm request": ("case-api", "/v1/cases/{case}/proposal/confirm"),
    "return request": ("case-api", "/v1/cases/{case}/proposal/return"),
    "note request": ("case-api", "/v1/cases/{case}/notes"),
    "example: report": ("client-api", "/api/v1/reports"),
    "example: append": ("client-api", "/api/v1/threads/append"),
}
FILLED = {
    "{hex16}": "0f" * 16, "{hex32}": "0f" * 32, "27bf…": "0f" * 32, "aaaa…": "0f" * 32,
    "8139…": "0f" * 32, "6d1c…": "0f" * 32, '"signature":"{b64}"': f'"signature":"{"A" * 86}"',
    "q3k…": "A" * 86, "b2x…": "A" * 86, "YWd…": "YWd", '"upload":"{b64}"': f'"upload":"{"A" * 43}"',
    "{b64}": "AAAA",
}  # fmt: skip


@pytest.mark.parametrize("title", SENT)
def test_the_examples_of_the_prose_fit(title: str) -> None:
    name, path = SENT[title]
    prose = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    block = prose.split(f"```json {title}\n", 1)[1].split("```", 1)[0]
    for mark, value in FILLED.items():
        block = block.replace(mark, value)
    value = json.loads(block)
    validator = schema_of(f"{name}.openapi.json", "post", path)
    validator.validate(value)
    for member in set(value) - {"commitment", "recipients"}:
        assert not validator.is_valid({key: one for key, one in value.items() if key != member})
