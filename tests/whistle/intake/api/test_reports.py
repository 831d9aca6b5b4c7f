# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sealed reports: taken once, whole, by the right key, and opened by the desk."""

import asyncio
from typing import Any

import pytest

from crypto.body import ReportBody
from crypto.encoding import b64, unb64
from crypto.envelope import seal_message
from crypto.frame import Origin
from crypto.private.open_report import open_attachment, open_message
from crypto.promise import commitment, verify_promise
from crypto.rng import system_rng
from crypto.signing import public_from_seed
from tests.support.intake import Calendar, Intake
from tests.support.office import Office
from tests.support.sealed_client import SealedClient, Sealer, seal_file
from whistle.intake.reporter_keys import Action

CONTENT = system_rng(1_300_000)
SMALL = seal_file(b"isi")


async def test_a_sealed_report_with_a_file_reaches_the_desk(
    intake: Intake, client: SealedClient, sealer: Sealer
) -> None:
    file = seal_file(CONTENT)
    await client.upload(file)
    status, answer = await client.report(sealer, sealer.report("Diminta lagi.", [file]))
    assert status == 200, answer
    assert (answer["day"], answer["due"]) == ("2026-04-07", "2026-04-10")
    intake_key = public_from_seed(intake.org.service_seeds["intake"])
    promise = verify_promise(intake_key, unb64(answer["promise"]))
    assert promise.commitment == commitment(sealer.keys)

    (record,) = await Office(intake).records()
    assert record["thread"] == sealer.keys.lookup_id.hex()
    assert record["mailbox_key"] == sealer.keys.mailbox_key.hex()
    assert record["recipients"] == sealer.people
    seed = intake.org.identities["pengawas"].recipient_seed
    frame, _ = open_message(
        seed, unb64(record["container"]), intake.org.instance_id, sealer.keys.lookup_id
    )
    assert frame.origin is Origin.BROWSER
    body = ReportBody.parse(frame.body)
    assert body.fields == {"story": "Diminta lagi."}
    assert record["blobs"] == [{"id": file.id, "size": len(file.data)}]
    blob = await intake.feed("GET", f"/feed/v1/blobs/{file.id}")
    assert open_attachment(body.attachments[0], blob.body) == CONTENT
    assert intake.services.store.uploads.find(file.id) is None
    view = intake.services.store.thread(sealer.keys.lookup_id)
    assert view is not None
    assert view.mode == "browser"
    await intake.feed("POST", "/feed/v1/ack", {"records": [record["id"]]})
    assert intake.blob_files() == []


async def test_the_same_report_again_gets_the_same_answer(
    intake: Intake, client: SealedClient, sealer: Sealer, calendar: Calendar
) -> None:
    await client.upload(SMALL)
    value = sealer.report("x", [SMALL])
    first = await client.report(sealer, value)
    assert first[0] == 200
    calendar.pass_days(1)
    assert await client.report(sealer, value) == first
    listed = await Office(intake).records()
    assert len(listed) == 1
    await intake.feed("POST", "/feed/v1/ack", {"records": [listed[0]["id"]]})
    assert await client.report(sealer, value) == first
    assert await Office(intake).records() == []


async def test_the_same_report_at_once_is_stored_once(
    intake: Intake, client: SealedClient, sealer: Sealer
) -> None:
    await client.upload(SMALL)
    value = sealer.report("x", [SMALL])
    answers = await asyncio.gather(*(client.report(sealer, value) for _ in range(8)))
    assert {status for status, _ in answers} == {200}
    assert len({answer["promise"] for _, answer in answers}) == 1
    assert len(await Office(intake).records()) == 1


@pytest.mark.parametrize("changed", ["container", "mailbox_key", "commitment"])
async def test_another_report_under_the_same_receipt_is_a_conflict(
    intake: Intake, client: SealedClient, sealer: Sealer, changed: str
) -> None:
    value = sealer.report("x")
    assert (await client.report(sealer, value))[0] == 200
    other = {**value, changed: sealer.report("y")["container"]}
    if changed != "container":
        other[changed] = "00" * 32
    assert await client.report(sealer, other) == (409, {"error": "conflict"})
    assert len(await Office(intake).records()) == 1


async def test_without_a_commitment_there_is_no_promise(
    client: SealedClient, sealer: Sealer
) -> None:
    value = sealer.report("x")
    del value["commitment"]
    status, answer = await client.report(sealer, value)
    assert (status, answer["promise"]) == (200, None)


def stripped(value: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: one for key, one in value.items() if key != name}


MISSING = (
    *("lookup_id", "auth_public", "nonce", "signature", "mailbox_key"),
    *("dossier", "recipients", "container", "blobs"),
)


WRONG = ("absent", None, 7, "", "zz", [], {}, ["x", 1], "00" * 32 + "0")
MALFORMED = {(400, "bad_request"), (400, "container"), (422, "recipients")}


@pytest.mark.parametrize("name", MISSING)
async def test_malformed_members(
    intake: Intake, client: SealedClient, sealer: Sealer, name: str
) -> None:
    report = sealer.report("x")
    for wrong in WRONG:
        if name == "blobs" and wrong == []:
            continue
        value = {**sealer.signed(await client.nonce(), Action.APPEND), **report}
        value = stripped(value, name) if wrong == "absent" else {**value, name: wrong}
        status, answer = await client.call("POST", "/api/v1/reports", value)
        assert (status, answer["error"]) in MALFORMED, wrong
    assert intake.services.store.records(10, 10**6) == []


NO_JSON = (
    *(b"", b"{", b"[]", b"null", b'"x"', b'{"lookup_id":1.5}', b'{"a":1,"a":2}', b"\xff\xfe"),
    *(b"[" * 5000, b'{"x":NaN}', b'{"lookup_id":"\\ud800"}'),
)


@pytest.mark.parametrize("path", ["reports", "threads/read", "threads/append"])
async def test_bodies_that_are_no_json_of_ours(client: SealedClient, path: str) -> None:
    for body in NO_JSON:
        answer = await client.call("POST", f"/api/v1/{path}", body)
        assert answer == (400, {"error": "bad_request"}), body


async def test_a_body_too_large(intake: Intake) -> None:
    head = b"POST /api/v1/reports HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n"
    answer = await intake.raw(head)
    assert (answer.status, answer.body) == (413, b'{"error":"too_large"}')
    assert intake.services.disk.memory.used == 0


def bad_containers(sealer: Sealer) -> dict[str, bytes]:
    good = unb64(sealer.report("x")["container"])
    return {
        "cut": good[:-1],
        "longer": good + b"x",
        "empty": b"",
        "no age": b"x" * len(good),
        "other stanza": good.replace(b"mlkem768x25519", b"mlkem768x2551A"),
        "grease": good.replace(b"\n--- ", b"\n-> grease x\n\n--- ", 1),
    }


async def test_containers_of_another_form(
    intake: Intake, client: SealedClient, sealer: Sealer
) -> None:
    for name, container in bad_containers(sealer).items():
        value = {**sealer.report("x"), "container": b64(container)}
        assert await client.report(sealer, value) == (400, {"error": "container"}), name
    assert intake.services.store.records(10, 10**6) == []


@pytest.mark.parametrize(
    "people",
    [["penyidik-1"], ["penyidik-1", "penyidik-2", "nobody"], ["penyidik-1"] * 3,
     ["penyidik-1", "penyidik-2", "pengawas", "pengawas"]],
)  # fmt: skip
async def test_recipients_must_be_people_and_as_many_as_stanzas(
    client: SealedClient, sealer: Sealer, people: list[str]
) -> None:
    value = {**sealer.report("x"), "recipients": people}
    assert await client.report(sealer, value) == (422, {"error": "recipients"})


@pytest.mark.parametrize("length", [0, 28, 283, 285, 4124])
async def test_dossiers_of_another_length(
    client: SealedClient, sealer: Sealer, length: int
) -> None:
    value = {**sealer.report("x"), "dossier": b64(bytes(length))}
    assert await client.report(sealer, value) == (400, {"error": "bad_request"})


async def test_nothing_is_stored_before_its_files_are_here(
    intake: Intake, client: SealedClient, sealer: Sealer
) -> None:
    file = seal_file(CONTENT)
    value = sealer.report("x", [file])
    refused = (409, {"error": "incomplete"})
    assert await client.report(sealer, value) == refused
    await client.put(file, 1)
    assert await client.report(sealer, value) == refused
    assert intake.services.store.thread(sealer.keys.lookup_id) is None
    await client.put(file, 0)
    stolen = {**file.claim, "upload": b64(bytes(32))}
    assert await client.report(sealer, {**value, "blobs": [stolen]}) == refused
    shorter = {**file.claim, "size": len(SMALL.data)}
    assert await client.report(sealer, {**value, "blobs": [shorter]}) == refused
    odd = {**file.claim, "size": len(file.data) - 1}
    assert await client.report(sealer, {**value, "blobs": [odd]}) == (400, {"error": "size"})
    twice = [file.claim, file.claim]
    answer = await client.report(sealer, {**value, "blobs": twice})
    assert answer == (400, {"error": "bad_request"})
    many = [{**file.claim, "id": f"{number:032x}"} for number in range(17)]
    assert (await client.report(sealer, {**value, "blobs": many}))[0] == 400
    assert (await client.report(sealer, value))[0] == 200


async def test_a_file_that_is_not_sealed_is_refused(
    intake: Intake, client: SealedClient, sealer: Sealer
) -> None:
    plain = type(SMALL)(b"plain".ljust(len(SMALL.data), b"x"), SMALL.reference)
    await client.upload(plain)
    answer = await client.report(sealer, sealer.report("x", [plain]))
    assert answer == (400, {"error": "container"})
    assert intake.services.store.thread(sealer.keys.lookup_id) is None


async def test_two_reports_cannot_take_the_same_file(
    intake: Intake, client: SealedClient, sealer: Sealer
) -> None:
    await client.upload(SMALL)
    other = Sealer(intake.org)
    answers = await asyncio.gather(
        client.report(sealer, sealer.report("x", [SMALL])),
        client.report(other, other.report("y", [SMALL])),
    )
    assert sorted(status for status, _ in answers) == [200, 409]


async def test_signatures(client: SealedClient, sealer: Sealer, intake: Intake) -> None:
    value = sealer.report("x")
    refused = (403, {"error": "signature"})
    for proof in (
        Sealer(intake.org).signed(await client.nonce(), Action.APPEND)["signature"],
        sealer.signed(await client.nonce(), Action.READ)["signature"],
        sealer.signed("00" * 32, Action.APPEND)["signature"],
        b64(bytes(64)),
        b64(b"\xff" * 64),
    ):
        members = {
            **sealer.signed(await client.nonce(), Action.APPEND), **value, "signature": proof,
        }  # fmt: skip
        assert await client.call("POST", "/api/v1/reports", members) == refused
    small_order = {**value, "auth_public": "01" + "00" * 31}
    assert await client.report(sealer, small_order) == refused


async def test_a_nonce_works_once_and_five_minutes(
    client: SealedClient, sealer: Sealer, calendar: Calendar
) -> None:
    refused = (401, {"error": "nonce"})
    value = sealer.report("x")
    proof = sealer.signed(await client.nonce(), Action.APPEND)
    assert (await client.call("POST", "/api/v1/reports", {**proof, **value}))[0] == 200
    assert await client.call("POST", "/api/v1/reports", {**proof, **value}) == refused
    read = sealer.signed(proof["nonce"], Action.READ)
    assert await client.call("POST", "/api/v1/threads/read", read) == refused
    late = sealer.signed(await client.nonce(), Action.READ)
    calendar.seconds += 300
    assert await client.call("POST", "/api/v1/threads/read", late) == refused
    made_up = sealer.signed("11" * 32, Action.READ)
    assert await client.call("POST", "/api/v1/threads/read", made_up) == refused


async def test_one_bigger_frame_fits(client: SealedClient, sealer: Sealer) -> None:
    value = sealer.report("x" * 900_000)
    assert len(unb64(value["container"])) > 1_048_576
    assert (await client.report(sealer, value))[0] == 200


async def test_a_manifest_out_of_force_takes_nothing(
    client: SealedClient, sealer: Sealer, calendar: Calendar
) -> None:
    calendar.pass_days(900)
    assert await client.report(sealer, sealer.report("x")) == (503, {"error": "busy"})


async def test_a_frame_for_one_person_less_is_refused(client: SealedClient, sealer: Sealer) -> None:
    container = seal_message(bytes(4096), sealer._recipients()[:2], system_rng)
    value = {**sealer.report("x"), "container": b64(container)}
    assert await client.report(sealer, value) == (422, {"error": "recipients"})
