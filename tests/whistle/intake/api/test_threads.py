# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reading and adding: for whoever can sign, and the same silence for everybody else."""

import asyncio
from typing import Any

import pytest

from case_mgmt.model import ActKind, State
from crypto.encoding import b64, canonical_json, unb64
from crypto.mailbox import open_notice, open_own_copy
from tests.support.http_reporter import HttpReporter, visible
from tests.support.intake import Intake
from tests.support.office import Office
from tests.support.sealed_client import SealedClient, Sealer, seal_file
from whistle import limits
from whistle.intake import reporter_keys
from whistle.intake.reporter_keys import Action
from whistle.limits import READ_STEP


@pytest.fixture
async def begun(client: SealedClient, sealer: Sealer) -> Sealer:
    """A thread with a report."""
    assert (await client.report(sealer, sealer.report("x")))[0] == 200
    return sealer


async def test_messages_and_notices_come_back_sealed(
    intake: Intake, client: SealedClient, begun: Sealer
) -> None:
    file = seal_file(b"isi")
    await client.upload(file)
    value = begun.message("lagi", [file])
    assert await client.append(begun, value) == (200, {"day": "2026-04-07"})
    office = Office(intake)
    records = await office.records()
    assert [one["kind"] for one in records] == ["report", "follow_up"]
    assert records[1]["recipients"] == begun.people
    assert records[1]["blobs"] == [{"id": file.id, "size": len(file.data)}]
    box = bytes(8192 + 28)
    entry = {"thread": begun.keys.lookup_id.hex(), "seq": 1, "box": b64(box)}
    assert (await intake.feed("POST", "/feed/v1/mailbox", {"entries": [entry]})).status == 200

    status, answer = await client.read(begun)
    assert status == 200
    assert answer["day"] == "2026-04-07"
    assert answer["boxes"] == [{"seq": 1, "box": b64(box)}]
    (own,) = answer["own"]
    assert (own["id"], own["day"]) == (value["own"]["id"], "2026-04-07")
    keys = begun.keys
    text = open_own_copy(
        keys.state_key, keys.lookup_id, bytes.fromhex(own["id"]), unb64(own["box"])
    )
    assert '"text": "lagi"' in text
    assert len(canonical_json(answer)) == READ_STEP


async def test_a_message_with_a_file_at_once_is_stored_once(
    intake: Intake, client: SealedClient, begun: Sealer
) -> None:
    file = seal_file(b"isi")
    await client.upload(file)
    value = begun.message("lagi", [file])
    answers = await asyncio.gather(*(client.append(begun, value) for _ in range(6)))
    assert answers == [(200, {"day": "2026-04-07"})] * 6
    assert len(await Office(intake).records()) == 2


async def test_a_message_is_stored_once(
    intake: Intake, client: SealedClient, begun: Sealer
) -> None:
    value = begun.message("lagi")
    answers = [await client.append(begun, value) for _ in range(3)]
    assert answers == [(200, {"day": "2026-04-07"})] * 3
    assert len(await Office(intake).records()) == 2


@pytest.mark.parametrize("intent", ["message", "contest", "withdraw"])
async def test_intents_reach_the_feed(
    intake: Intake, client: SealedClient, begun: Sealer, intent: str
) -> None:
    assert (await client.append(begun, begun.message("x", intent=intent)))[0] == 200
    assert (await Office(intake).records())[1]["intent"] == intent


async def test_recipients_may_be_absent(
    intake: Intake, client: SealedClient, begun: Sealer
) -> None:
    value = begun.message("x")
    del value["recipients"]
    assert (await client.append(begun, value))[0] == 200
    assert (await Office(intake).records())[1]["recipients"] == []


async def raw_read(
    intake: Intake, client: SealedClient, value: dict[str, Any]
) -> tuple[bytes, bytes]:
    answer = await intake.post("/api/v1/threads/read", canonical_json(value), b"application/json")
    return answer.raw_head, answer.body


async def test_unknown_and_wrongly_signed_look_like_a_known_thread(
    intake: Intake, client: SealedClient, begun: Sealer
) -> None:
    stranger = Sealer(intake.org)
    known = await raw_read(intake, client, begun.signed(await client.nonce(), Action.READ))
    unknown = await raw_read(intake, client, stranger.signed(await client.nonce(), Action.READ))
    nonce = await client.nonce()
    forged = {**stranger.signed(nonce, Action.READ), "lookup_id": begun.keys.lookup_id.hex()}
    wrong = await raw_read(intake, client, forged)
    other_action = await raw_read(intake, client, begun.signed(await client.nonce(), Action.APPEND))
    assert unknown == wrong == other_action
    assert known[0] == unknown[0]
    assert len(known[1]) == len(unknown[1]) == READ_STEP
    assert known[1] != unknown[1]


async def test_the_same_work_for_unknown_threads(
    intake: Intake, client: SealedClient, begun: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[bytes] = []
    looked: list[bytes] = []
    verify, thread = reporter_keys.verify, type(intake.services.store).thread

    def counting(public: bytes, *rest: Any) -> None:
        verified.append(public)
        verify(public, *rest)

    def looking(self: Any, lookup_id: bytes) -> Any:
        looked.append(lookup_id)
        return thread(self, lookup_id)

    monkeypatch.setattr(reporter_keys, "verify", counting)
    monkeypatch.setattr(type(intake.services.store), "thread", looking)
    await client.read(begun)
    await client.read(Sealer(intake.org))
    assert len(verified) == len(looked) == 2
    assert verified == [begun.keys.auth_public, reporter_keys.NOBODY]


async def test_nobody_adds_without_the_key(
    intake: Intake, client: SealedClient, begun: Sealer
) -> None:
    stranger = Sealer(intake.org)
    refused = (403, {"error": "signature"})
    assert await client.append(stranger, stranger.message("x")) == refused
    forged = {**stranger.message("x"), "lookup_id": begun.keys.lookup_id.hex()}
    assert await client.append(stranger, forged) == refused
    proof = begun.signed(await client.nonce(), Action.READ)
    answer = await client.call("POST", "/api/v1/threads/append", {**proof, **begun.message("x")})
    assert answer == refused
    assert len(await Office(intake).records()) == 1


HOSTILE: list[dict[str, Any]] = [
    {"intent": "delete"}, {"intent": None}, {"own": None}, {"own": {"id": "00", "box": "AAAA"}},
    {"own": {"id": "00" * 16, "box": b64(bytes(4096))}}, {"own": {"id": "00" * 16, "box": 5}},
    {"blobs": None}, {"blobs": [{}]}, {"recipients": []}, {"lookup_id": "x"}, {"container": "!"},
]  # fmt: skip


async def test_malformed_additions(intake: Intake, client: SealedClient, begun: Sealer) -> None:
    for change in HOSTILE:
        answer = await client.append(begun, {**begun.message("x"), **change})
        assert answer == (400, {"error": "bad_request"}), change
    assert len(await Office(intake).records()) == 1


async def test_additions_are_checked_like_reports(client: SealedClient, begun: Sealer) -> None:
    value = begun.message("x")
    cut = {**value, "container": b64(unb64(value["container"])[:-1])}
    assert await client.append(begun, cut) == (400, {"error": "container"})
    fewer = {**value, "recipients": begun.people[:2]}
    assert await client.append(begun, fewer) == (422, {"error": "recipients"})
    lost = {**value, "blobs": [seal_file(b"x").claim]}
    assert await client.append(begun, lost) == (409, {"error": "incomplete"})
    assert (await client.append(begun, value))[0] == 200


async def test_answers_grow_by_whole_steps(
    intake: Intake, client: SealedClient, begun: Sealer
) -> None:
    thread = begun.keys.lookup_id.hex()
    entries = [{"thread": thread, "seq": n, "box": b64(bytes(8220))} for n in range(1, 6)]
    await intake.feed("POST", "/feed/v1/mailbox", {"entries": entries})
    _, answer = await client.read(begun)
    assert len(canonical_json(answer)) == 2 * READ_STEP
    assert [one["seq"] for one in answer["boxes"]] == [1, 2, 3, 4, 5]


async def test_a_code_of_a_browser_works_without_a_script_and_the_server_knows_the_mode(
    intake: Intake, client: SealedClient, begun: Sealer
) -> None:
    await client.append(begun, begun.message("dari peramban"))
    office = Office(intake)
    (case,) = await office.collect()
    await office.act(case, ActKind.RECEIVED, State.RECEIVED)
    assert await office.act(case, ActKind.TRANSITION, State.ASSESSING, "Kami baca.") == 200
    async with HttpReporter(intake.base) as reporter:
        page = await reporter.look(begun.receipt.words("id"))
        assert "dari peramban" in visible(page)
        assert "Kami baca." in visible(page)
        page = await reporter.write(page, "tanpa skrip")
        assert "tanpa skrip" in visible(page)
    _, answer = await client.read(begun)
    assert len(answer["own"]) == 2
    keys = begun.keys
    notice = open_notice(keys.mailbox_key, keys.lookup_id, 2, unb64(answer["boxes"][1]["box"]))
    assert notice.container is not None


async def test_a_full_thread_takes_no_more(
    client: SealedClient, begun: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Objections and withdrawals, whose truth the server cannot judge here, have a little more."""
    monkeypatch.setattr(limits, "MAX_OWN_MESSAGES", 1)
    monkeypatch.setattr(limits, "SPARE_OWN", 1)
    assert (await client.append(begun, begun.message("one")))[0] == 200
    full = (409, {"error": "full"})
    assert await client.append(begun, begun.message("two")) == full
    assert (await client.append(begun, begun.message("three", intent="contest")))[0] == 200
    assert await client.append(begun, begun.message("four", intent="contest")) == full
    assert len((await client.read(begun))[1]["own"]) == 2
