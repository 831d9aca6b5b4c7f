# SPDX-License-Identifier: AGPL-3.0-or-later
"""The desk's interface over a real socket: shapes, the quartet, sizes, replay."""

import json
from datetime import timedelta
from typing import Any

import pytest

from case_mgmt.gate import MAX_MESSAGE_FRAME
from case_mgmt.policy import parse_policy
from crypto.encoding import b64, unb64
from crypto.manifest import verify_manifest
from tests.support.case_office import TODAY, a_message, a_report, container
from tests.support.case_server import CaseServer, Reply

SUMMARY = {
    "case",
    "state",
    "assignee",
    "received",
    "next_due",
    "due_kind",
    "overall_due",
    "update_due",
    "overdue_since",
    "contest_until",
    "paused",
    "new_material",
    "proposal",
    "allowed",
}


async def test_the_organisation_is_open_to_all(server: CaseServer) -> None:
    answer = await server.ask(None, "GET", "/v1/organisation")
    assert answer.status == 200
    manifest = verify_manifest(
        unb64(answer.json["manifest"]),
        unb64(answer.json["signature"]),
        server.org.instance_id,
        TODAY,
    )
    assert manifest.serial == 1
    assert parse_policy(unb64(answer.json["policy"])).assess == 3
    assert answer.json["today"] == "2026-04-07"


async def test_the_queue(server: CaseServer) -> None:
    empty = await server.ask("pengawas", "GET", "/v1/queue")
    assert empty.json == {"today": "2026-04-07", "cases": []}
    case = server.take_in()
    (summary,) = (await server.ask("pengawas", "GET", "/v1/queue")).json["cases"]
    assert set(summary) == SUMMARY
    assert summary["case"] == case
    assert summary["allowed"] == [
        {"to": "assessing", "needs_second": False, "needs_reason": False},
        {"to": "set_aside", "needs_second": True, "needs_reason": True},
    ]
    assert (summary["next_due"], summary["due_kind"]) == ("2026-04-10", "assess")


async def test_a_case(server: CaseServer) -> None:
    case = server.take_in(a_report(7, blobs=2))
    found = (await server.ask("pengawas", "GET", f"/v1/cases/{case}")).json
    assert set(found) == SUMMARY | {
        "thread",
        "messages",
        "history",
        "head",
        "next_seq",
        "pending",
        "notes",
        "returns",
        "card",
    }
    assert found["thread"] == f"{7:032x}"
    assert found["next_seq"] == 3
    (message,) = found["messages"]
    assert unb64(message["container"]) == container(3)
    assert [blob["size"] for blob in message["blobs"]] == [100, 101]
    assert [entry["act"]["kind"] for entry in found["history"]] == ["received", "assign"]
    assert found["pending"] is None


async def test_an_act_is_committed(server: CaseServer) -> None:
    case = server.take_in()
    body = await server.act(case, "pengawas", "assessing")
    answer = await server.ask("pengawas", "POST", f"/v1/cases/{case}/acts", body)
    assert answer.status == 200
    assert answer.json["status"] == "committed"
    assert answer.json["summary"]["state"] == "assessing"
    found = (await server.ask("pengawas", "GET", f"/v1/cases/{case}")).json
    assert found["history"][-1]["container"] == body["container"]


async def test_a_closing_waits_is_returned_and_is_confirmed(server: CaseServer) -> None:
    case = server.take_in()
    await server.submit(case, "pengawas", "assessing")
    first = await server.submit(case, "pengawas", "outside_mandate", reason="kpk")
    assert first.json["status"] == "awaiting_second"
    assert first.json["summary"]["proposal"] == {"to": "outside_mandate", "by": "pengawas"}
    again = await server.ask(
        "penyidik-1",
        "POST",
        f"/v1/cases/{case}/proposal/return",
        {"act_hash": (await server.confirmation(case, "penyidik-1"))["act_hash"]},
    )
    assert again.json["status"] == "returned"
    assert again.json["summary"]["proposal"] is None
    (returned,) = (await server.ask("pengawas", "GET", f"/v1/cases/{case}")).json["returns"]
    assert (returned["proposed_by"], returned["by"]) == ("pengawas", "penyidik-1")
    assert (returned["to"], returned["day"]) == ("outside_mandate", "2026-04-07")
    await server.submit(case, "pengawas", "outside_mandate", reason="kpk")
    done = await server.confirm(case, "penyidik-2")
    assert done.status == 200
    assert done.json["summary"]["state"] == "outside_mandate"
    assert done.json["summary"]["contest_until"] == "2026-04-21"
    found = (await server.ask("pengawas", "GET", f"/v1/cases/{case}")).json
    assert found["history"][-1]["countersigner"] == server.headers(
        "penyidik-2", "GET", "/", b""
    ).get("Whistle-Key")


async def test_notes_are_kept(server: CaseServer) -> None:
    case = server.take_in()
    sent = {"container": b64(container(3))}
    answer = await server.ask("penyidik-1", "POST", f"/v1/cases/{case}/notes", sent)
    assert answer.json == {"status": "kept"}
    found = (await server.ask("penyidik-2", "GET", f"/v1/cases/{case}")).json
    assert found["notes"] == [{"person": "penyidik-1", "day": "2026-04-07", **sent}]


async def test_blobs_come_in_pieces(server: CaseServer) -> None:
    record = a_report(3, blobs=1)
    blob = record.blobs[0]
    content = bytes(range(blob.size))
    receiving = server.services.blobs.receive(blob.id, blob.size)
    receiving.write(content)
    receiving.finish(TODAY)
    case = server.take_in(record)
    answer = await server.ask("pengawas", "GET", f"/v1/cases/{case}/blobs/{blob.id}")
    assert answer.status == 200
    assert answer.body == content
    assert answer.headers["Content-Type"] == "application/octet-stream"


async def test_the_ledger_is_for_everybody_of_the_manifest(server: CaseServer) -> None:
    server.take_in()
    answer = await server.ask("pemeriksa", "GET", "/v1/ledger")
    assert [entry["act"]["seq"] for entry in answer.json["acts"]] == [1, 2]
    assert all("container" not in entry for entry in answer.json["acts"])


async def test_the_status_tells_how_the_feed_fares(server: CaseServer) -> None:
    answer = await server.ask("pemeriksa", "GET", "/v1/status")
    assert answer.json["feed"]["connected"] is False


async def test_answers_carry_the_common_headers(server: CaseServer) -> None:
    for target in ("/v1/organisation", "/v1/queue", "/nowhere"):
        answer = await server.ask(None, "GET", target)
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Server" not in answer.headers
        assert "Date" not in answer.headers


# --- refusals -------------------------------------------------------------------------------


def refused(answer: Reply, status: int, code: str) -> None:
    assert (answer.status, answer.code) == (status, code)
    assert set(answer.json["error"]["message"]) == {"id", "en"}


async def test_addresses_that_do_not_exist(server: CaseServer) -> None:
    refused(await server.ask("pengawas", "GET", "/v1/nothing"), 404, "not_found")
    refused(await server.ask("pengawas", "DELETE", "/v1/queue"), 405, "method")
    for case in ("WH-00000000", "WH-1", "..%2F..", "WH-0000000I"):
        refused(await server.ask("pengawas", "GET", f"/v1/cases/{case}"), 404, "unknown_case")
    case = server.take_in()
    for blob in ("0" * 32, "..", "x", "%2e%2e%2fservice.key"):
        target = f"/v1/cases/{case}/blobs/{blob}"
        answer = await server.ask("pengawas", "GET", target)
        assert answer.status == 404


async def test_a_request_is_accepted_once(server: CaseServer) -> None:
    headers = server.headers("pengawas", "GET", "/v1/queue", b"")
    fixed = {name.replace("-", "_"): value for name, value in headers.items()}
    assert (await server.ask(None, "GET", "/v1/queue", **fixed)).status == 200
    refused(await server.ask(None, "GET", "/v1/queue", **fixed), 401, "unsigned")


async def test_a_signature_fits_one_request_only(server: CaseServer) -> None:
    case = server.take_in()
    headers = server.headers("pengawas", "GET", "/v1/queue", b"")
    fixed = {name.replace("-", "_"): value for name, value in headers.items()}
    refused(await server.ask(None, "GET", f"/v1/cases/{case}", **fixed), 401, "unsigned")
    refused(await server.ask(None, "GET", "/v1/queue?x=1", **fixed), 401, "unsigned")
    refused(await server.ask(None, "GET", "/v1/queue", body=b"x", **fixed), 401, "unsigned")


async def test_an_old_request_is_refused(server: CaseServer) -> None:
    headers = server.headers("pengawas", "GET", "/v1/queue", b"")
    fixed = {name.replace("-", "_"): value for name, value in headers.items()}
    server.calendar.unix += 121
    refused(await server.ask(None, "GET", "/v1/queue", **fixed), 401, "unsigned")


BAD_BODIES: dict[str, Any] = {
    "acts": [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b"null",
        b'{"act":{},"act":{},"container":null,"signature":""}',
        b'{"act":{},"container":7,"signature":""}',
        b'{"act":{},"container":null,"signature":7}',
        b'{"act":{},"container":null,"signature":"="}',
    ],
    "proposal/confirm": [
        b"{}",
        b'{"act_hash":"","countersignature":""}',
        b'{"act_hash":7,"countersignature":""}',
        b'{"act_hash":"' + b"00" * 32 + b'","countersignature":null}',
    ],
    "proposal/return": [b"{}", b'{"act_hash":null}', b'{"act_hash":"' + b"00" * 31 + b'"}'],
    "notes": [b"{}", b'{"container":null}', b'{"container":"*"}'],
}


@pytest.mark.parametrize("path", BAD_BODIES)
async def test_bodies_out_of_form_are_refused_and_change_nothing(
    server: CaseServer, path: str
) -> None:
    case = server.take_in()
    before = (await server.ask("pengawas", "GET", f"/v1/cases/{case}")).json
    for body in BAD_BODIES[path]:
        answer = await server.ask("pengawas", "POST", f"/v1/cases/{case}/{path}", body=body)
        assert answer.status in (400, 422)
        assert answer.code in ("bad_request", "act_format")
    assert (await server.ask("pengawas", "GET", f"/v1/cases/{case}")).json == before


async def test_sizes(server: CaseServer) -> None:
    case = server.take_in()
    huge = b'{"container":"' + b"A" * (2 * 1024 * 1024) + b'"}'
    answer = await server.ask("pengawas", "POST", f"/v1/cases/{case}/notes", body=huge)
    refused(answer, 413, "too_large")
    beyond = await server.submit(case, "pengawas", "assessing", container=container(1, 1024 * 1024))
    refused(beyond, 422, "message_too_large")
    largest = container(1, MAX_MESSAGE_FRAME)
    done = await server.submit(case, "pengawas", "assessing", container=largest)
    assert done.status == 200


async def test_refusals_of_the_gate_have_their_status(server: CaseServer) -> None:
    case = server.take_in()
    good = await server.act(case, "pengawas", "assessing")
    target = f"/v1/cases/{case}/acts"
    for change, status, code in (
        ({"signature": b64(bytes(64))}, 422, "bad_signature"),
        ({"container": None}, 422, "message_missing"),
        ({"container": b64(container(3))}, 422, "message_mismatch"),
        ({"act": {**good["act"], "v": 2}}, 422, "act_format"),
        ({"act": {**good["act"], "day": "2026-04-06"}}, 422, "bad_signature"),
    ):
        answer = await server.ask("pengawas", "POST", target, {**good, **change})
        refused(answer, status, code)
    assert (await server.ask("pengawas", "POST", target, good)).status == 200
    refused(await server.ask("pengawas", "POST", target, good), 409, "stale_head")
    unknown = {"act_hash": "00" * 32, "countersignature": b64(bytes(64))}
    answer = await server.ask("pengawas", "POST", f"/v1/cases/{case}/proposal/confirm", unknown)
    refused(answer, 409, "no_proposal")


async def test_yesterdays_act_is_refused(server: CaseServer) -> None:
    case = server.take_in()
    body = await server.act(case, "pengawas", "assessing")
    server.calendar.day += timedelta(days=1)
    answer = await server.ask("pengawas", "POST", f"/v1/cases/{case}/acts", body)
    refused(answer, 422, "wrong_day")


async def test_two_desks_at_once_one_wins(server: CaseServer) -> None:
    case = server.take_in(a_report(1, recipients=("penyidik-1", "pengawas")))
    one = await server.act(case, "penyidik-1", "assessing")
    two = await server.act(case, "pengawas", "assessing")
    target = f"/v1/cases/{case}/acts"
    first = await server.ask("penyidik-1", "POST", target, one)
    second = await server.ask("pengawas", "POST", target, two)
    assert first.status == 200
    refused(second, 409, "stale_head")


async def test_a_new_message_shows_as_new_material(server: CaseServer) -> None:
    case = server.take_in()
    server.take_in(a_message(1, 1))
    summary = (await server.ask("pengawas", "GET", "/v1/queue")).json["cases"][0]
    assert summary["new_material"] is True
    found = (await server.ask("pengawas", "GET", f"/v1/cases/{case}")).json
    assert [message["kind"] for message in found["messages"]] == ["report", "follow_up"]


async def test_an_accident_tells_no_details(
    server: CaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(server.services.office, "queue", fail)
    answer = await server.ask("pengawas", "GET", "/v1/queue")
    refused(answer, 500, "internal")
    assert b"secret" not in answer.body
    assert json.loads(answer.body)
