# SPDX-License-Identifier: AGPL-3.0-or-later
"""docs/spec/case-api.md says what the server does: routes, codes, the shape of each example."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from case_mgmt.errors import REFUSALS
from case_mgmt.statistics import publish
from crypto.encoding import b64
from tests.support.case_office import TODAY, a_report, container, feed_item
from tests.support.case_server import CaseServer
from whistle.cases.api import OPEN_ROUTES, ROUTES
from whistle.cases.errors import ANSWERS, GATE_STATUS
from whistle.cases.feed import FeedClient

TEXT = (Path(__file__).resolve().parents[3] / "docs/spec/case-api.md").read_text(encoding="utf-8")
EXAMPLES: dict[str, Any] = {
    name: json.loads(body)
    for name, body in re.findall(r"```json ([a-z ]+)\n(.*?)```", TEXT, flags=re.DOTALL)
}


def shape(value: Any) -> Any:
    """Fields and types; a list by its first element, null fits anything."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return None if value is None else type(value).__name__


def fits(one: Any, two: Any) -> bool:
    if one is None or two is None or one == [] or two == []:
        return True
    if isinstance(one, dict) and isinstance(two, dict):
        return set(one) == set(two) and all(fits(one[key], two[key]) for key in one)
    if isinstance(one, list) and isinstance(two, list):
        return fits(one[0], two[0])
    return bool(one == two)


def agrees(name: str, real: Any) -> None:
    assert fits(shape(EXAMPLES[name]), shape(real)), (name, shape(real))


def test_the_routes_are_those_of_the_code() -> None:
    section = TEXT.split("## 2. Routes")[1].split("## 3.")[0]
    listed = set(re.findall(r"^\| (GET|POST) \| `([^`]+)`", section, flags=re.MULTILINE))
    existing = {(route.method, route.path) for route in ROUTES}
    assert listed == existing | {(method, path) for method, path, _ in OPEN_ROUTES}


def test_the_codes_stand_at_their_status() -> None:
    rows = dict(re.findall(r"^\| (\d{3}) \| (.*) \|$", TEXT, flags=re.MULTILINE))
    for code, status in [*GATE_STATUS.items(), *((c, a.status) for c, a in ANSWERS.items())]:
        assert f"`{code}`" in rows[str(status)]
    assert set(GATE_STATUS) <= set(REFUSALS)


def test_the_feed_routes_are_those_of_the_client() -> None:
    section = TEXT.split("## 7.")[1]
    source = Path(FeedClient.__init__.__code__.co_filename).read_text(encoding="utf-8")
    for path in re.findall(r"`(/feed/v1/[a-z]+)", section):
        assert path in source


async def test_every_answer_has_the_shape_of_its_example(server: CaseServer) -> None:
    case = server.take_in(a_report(1, blobs=1))
    agrees("organisation", (await server.ask(None, "GET", "/v1/organisation")).json)
    note = {"container": b64(container(3))}
    kept = await server.ask("pengawas", "POST", f"/v1/cases/{case}/notes", note)
    agrees("note answer", kept.json)
    agrees("note request", note)
    body = await server.act(case, "pengawas", "assessing")
    agrees("act request", body)
    done = await server.ask("pengawas", "POST", f"/v1/cases/{case}/acts", body)
    agrees("act answer", done.json)
    again = await server.ask("pengawas", "POST", f"/v1/cases/{case}/acts", body)
    assert again.json == EXAMPLES["error"]
    await server.submit(case, "pengawas", "outside_mandate", reason="kpk")
    agrees("queue", (await server.ask("pengawas", "GET", "/v1/queue")).json)
    agrees("case", (await server.ask("pengawas", "GET", f"/v1/cases/{case}")).json)
    agrees("ledger", (await server.ask("pengawas", "GET", "/v1/ledger")).json)
    agrees("status", (await server.ask("pengawas", "GET", "/v1/status")).json)
    confirmation = await server.confirmation(case, "penyidik-1")
    agrees("confirm request", confirmation)
    agrees("return request", {"act_hash": confirmation["act_hash"]})


def test_the_feeds_examples_have_the_shape_of_the_real_thing() -> None:
    agrees("feed records", {"records": [feed_item()], "more": False})
    agrees("feed ack", {"records": [feed_item()["id"]]})
    agrees("feed mailbox", {"entries": [{"thread": "", "seq": 1, "box": ""}]})
    agrees("feed statistics", publish([], TODAY))


CHECKED = {
    "error", "organisation", "queue", "case", "ledger", "status", "act request", "act answer",
    "confirm request", "return request", "note request", "note answer", "feed records",
    "feed ack", "feed mailbox", "feed statistics",
}  # fmt: skip


def test_no_example_is_unchecked() -> None:
    assert set(EXAMPLES) == CHECKED


@pytest.mark.parametrize("wrong", [{"status": 7}, {"state": "kept"}, ["kept"]])
def test_the_comparison_can_fail(wrong: Any) -> None:
    with pytest.raises(AssertionError):
        agrees("note answer", wrong)
