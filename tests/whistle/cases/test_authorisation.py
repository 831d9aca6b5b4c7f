# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every route against everybody: the matrix is made from the route table, none may be missing."""

from pathlib import Path
from typing import Any

import pytest

from crypto.encoding import b64
from crypto.requests import sign_request
from crypto.rng import system_rng
from tests.support.case_office import TODAY, a_report, container
from tests.support.case_server import CaseServer, all_acts
from tests.support.org import seed
from whistle.cases.api import OPEN_ROUTES, ROUTES

CALLERS = ("unsigned", "unknown", "service", "auditor", "publisher", "conflicted", "unassigned",
           "assigned", "supervisor")  # fmt: skip

IDENTITY = {
    "auditor": "pemeriksa",
    "publisher": "penerbit",
    "conflicted": "penyidik-2",
    "unassigned": "penyidik-1",
    "assigned": "penyidik-1",
    "supervisor": "pengawas",
}
"""`penyidik-2` belongs to the accused unit: the report is not sealed to them."""

OK = 200
LIST = dict.fromkeys(CALLERS, OK) | {"unsigned": 401, "unknown": 403, "service": 403}
SEALED_TO = LIST | {"auditor": 403, "publisher": 403, "conflicted": 403}
PUBLISHERS = dict.fromkeys(CALLERS, 403) | {"unsigned": 401, "publisher": OK}
AUDITORS = dict.fromkeys(CALLERS, 403) | {"unsigned": 401, "auditor": OK}
NO_FILE, NO_CARD = 404, 422
"""Let in, and then told that there is no such file, or that this is no card for this log."""
RELEASE_FILE = r"/v1/publication/releases/{id}/{path:[A-Za-z0-9._/-]+}"
EXPECTED: dict[tuple[str, str], dict[str, int]] = {
    ("GET", "/v1/queue"): LIST,
    ("GET", "/v1/ledger"): LIST,
    ("GET", "/v1/status"): LIST,
    ("GET", "/v1/cases/{case}"): SEALED_TO,
    ("GET", "/v1/cases/{case}/blobs/{id}"): SEALED_TO,
    ("POST", "/v1/cases/{case}/notes"): SEALED_TO,
    ("POST", "/v1/cases/{case}/proposal/return"): SEALED_TO,
    ("POST", "/v1/cases/{case}/proposal/confirm"): SEALED_TO,
    ("POST", "/v1/cases/{case}/acts"): SEALED_TO | {"unassigned": 403},
    ("GET", "/v1/organisation"): dict.fromkeys(CALLERS, OK),
    ("POST", "/v1/cases/{case}/card"): {
        caller: NO_CARD if status == OK else status for caller, status in SEALED_TO.items()
    },
    ("GET", "/v1/publication"): PUBLISHERS | {"auditor": OK},
    ("GET", "/v1/publication/cards/{after}"): PUBLISHERS,
    ("GET", "/v1/publication/openings"): AUDITORS,
    ("GET", RELEASE_FILE): PUBLISHERS | {"publisher": NO_FILE, "auditor": NO_FILE},
    ("POST", "/v1/publication/releases/{id}/files"): PUBLISHERS,
    ("POST", "/v1/publication/releases/{id}"): PUBLISHERS | {"publisher": NO_FILE},
}
CODES = {
    "unsigned": "unsigned",
    "unknown": "unknown_signer",
    "service": "unknown_signer",
    "auditor": "conflicted",
    "publisher": "conflicted",
    "conflicted": "conflicted",
    "unassigned": "unassigned",
}


def refusal(path: str, caller: str) -> str:
    """What somebody who is known, but not let in, is told."""
    if path.startswith("/v1/publication") and IDENTITY.get(caller):
        return "not_publisher"
    return CODES[caller]


def test_no_route_is_missing_from_the_matrix() -> None:
    existing = {(route.method, route.path) for route in ROUTES}
    existing |= {(method, path) for method, path, _ in OPEN_ROUTES}
    assert existing == set(EXPECTED)
    assert all(set(row) == set(CALLERS) for row in EXPECTED.values())


async def prepare(server: CaseServer, caller: str) -> tuple[str, str]:
    """A case the report of which went to penyidik-1 and pengawas, with a blob."""
    record = a_report(1, recipients=("penyidik-1", "pengawas"), blobs=1)
    blob = record.blobs[0]
    receiving = server.services.blobs.receive(blob.id, blob.size)
    receiving.write(bytes(blob.size))
    receiving.finish(TODAY)
    case = server.take_in(record)
    if caller == "unassigned":
        done = await server.submit(
            case, "pengawas", kind="assign", container=None, assignee="pengawas"
        )
        assert done.status == OK
    return case, blob.id


async def body_for(server: CaseServer, path: str, case: str, who: str) -> Any:
    if path.endswith("/acts"):
        return await server.act(case, who, "assessing")
    if path.endswith("/notes"):
        return {"container": b64(container(3))}
    if path.endswith("/card"):
        return {"container": b64(container(1))}
    if path.endswith("/files"):
        return {"path": "index.html", "content": b64(b"<!doctype html>")}
    if "/proposal/" not in path:
        return None
    proposer = "penyidik-1" if who == "pengawas" else "pengawas"
    for step in ("assessing", "outside_mandate"):
        reason = "kpk" if step == "outside_mandate" else None
        assert (await server.submit(case, proposer, step, reason=reason)).status == OK
    confirmation = await server.confirmation(case, who)
    return confirmation if path.endswith("confirm") else {"act_hash": confirmation["act_hash"]}


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize(("method", "path"), EXPECTED)
async def test_the_matrix(server: CaseServer, method: str, path: str, caller: str) -> None:
    case, blob = await prepare(server, caller)
    who = IDENTITY.get(caller, "pengawas")
    body = await body_for(server, path, case, who)
    target = target_of(path, case, blob)
    before = all_acts(server.services)
    answer = await call(server, caller, method, target, body)
    expected = EXPECTED[(method, path)][caller]
    assert answer.status == expected
    if expected in (NO_FILE, NO_CARD):
        assert answer.code == ("not_found" if expected == NO_FILE else "card_malformed")
    elif expected != OK:
        assert answer.code == refusal(path, caller)
    if expected != OK:
        assert all_acts(server.services) == before
        assert case.encode() not in answer.body


def target_of(path: str, case: str, blob: str) -> str:
    if path.startswith("/v1/publication"):
        released = path.replace("{id}", "2026-q1").replace("{after}", "start")
        return released.partition("{path")[0] + ("index.html" if "{path" in path else "")
    return path.replace("{case}", case).replace("{id}", blob)


async def call(server: CaseServer, caller: str, method: str, target: str, body: Any) -> Any:
    if caller == "unsigned":
        return await server.ask(None, method, target, body)
    if caller == "unknown":
        headers = sign_request(
            seed("device stranger"),
            server.org.instance_id,
            method,
            target,
            b"",
            server.calendar.now(),
            system_rng,
        )
        fixed = {name.replace("-", "_"): value for name, value in headers.items()}
        return await server.ask(None, method, target, **fixed)
    who = "cases" if caller == "service" else IDENTITY[caller]
    return await server.ask(who, method, target, body)


async def test_a_conflicted_person_sees_no_trace_of_the_case(server: CaseServer) -> None:
    case, _ = await prepare(server, "conflicted")
    queue = await server.ask("penyidik-2", "GET", "/v1/queue")
    assert queue.json["cases"] == []
    assert case.encode() not in queue.body


async def test_the_ledger_is_shown_no_more_widely_than_the_cases(server: CaseServer) -> None:
    case, _ = await prepare(server, "conflicted")
    for who, visible in (
        ("penyidik-2", False),
        ("penyidik-1", True),
        ("pengawas", True),
        ("pemeriksa", True),
    ):
        answer = await server.ask(who, "GET", "/v1/ledger")
        assert answer.status == OK
        assert (case.encode() in answer.body) == visible
        assert bool(answer.json["acts"]) == visible


async def test_a_revoked_key_is_unknown_at_once(server: CaseServer, tmp_path: Path) -> None:
    del tmp_path
    case, _ = await prepare(server, "assigned")
    people = [each for each in server.org.manifest["people"] if each["id"] != "penyidik-1"]
    server.org.rewrite(serial=2, people=people)
    await server.services.threads.write(server.services.renew_organisation)
    answer = await server.ask("penyidik-1", "GET", f"/v1/cases/{case}")
    assert (answer.status, answer.code) == (403, "unknown_signer")
    assert (await server.submit(case, "pengawas", "assessing")).status == OK
