# SPDX-License-Identifier: AGPL-3.0-or-later
"""The feed: who may use it, what it hands out, what it forgets."""

import json
import stat

import pytest

from crypto.encoding import b64
from crypto.requests import sign_request
from crypto.rng import system_rng
from tests.support.http_reporter import HttpReporter, visible
from tests.support.intake import Answer, Intake
from tests.support.office import Office

RECORDS = "/feed/v1/records"
STATISTICS = {
    "v": 1, "as_of": "2026-04-07", "received": 120, "open": 40, "followed_up_7": 100,
    "followed_up_30": 110, "closed": 80, "overdue": None, "outcomes": {"upheld_action": 12},
}  # fmt: skip


async def _reported(reporter: HttpReporter) -> list[str]:
    return await reporter.send(await reporter.draft({"story": "x"}, [("a", b"isi")]))


async def test_nobody_else_gets_in(intake: Intake) -> None:
    body = b""
    signed = intake.feed_headers("GET", RECORDS)
    wrong_key = sign_request(
        intake.org.service_seeds["intake"], intake.org.instance_id, "GET", RECORDS, body,
        intake.calendar.unix, system_rng,
    )  # fmt: skip
    elsewhere = sign_request(
        intake.org.service_seeds["cases"], bytes(32), "GET", RECORDS, body,
        intake.calendar.unix, system_rng,
    )  # fmt: skip
    desk = sign_request(
        intake.org.identities["pengawas"].device_seed, intake.org.instance_id, "GET", RECORDS,
        body, intake.calendar.unix, system_rng,
    )  # fmt: skip
    unsigned = dict.fromkeys(signed, "")
    for headers in (unsigned, wrong_key, elsewhere, desk):
        answer = await intake.feed("GET", RECORDS, **headers)
        assert answer.status == 401
        assert json.loads(answer.body) == {"error": {"code": "unsigned"}}
    assert (await intake.feed("GET", RECORDS + "?limit=1", **signed)).status == 401
    assert (await intake.feed("GET", RECORDS, **signed)).status == 200
    assert (await intake.feed("GET", RECORDS, **signed)).status == 401  # replayed


async def test_old_requests_are_refused(intake: Intake) -> None:
    headers = intake.feed_headers("GET", RECORDS)
    intake.calendar.unix += 121
    assert (await intake.feed("GET", RECORDS, **headers)).status == 401


async def test_the_socket_is_private(intake: Intake) -> None:
    assert stat.S_IMODE(intake.feed_socket.stat().st_mode) == 0o600


async def test_the_public_side_has_no_feed(intake: Intake) -> None:
    answer = await intake.raw(b"GET /feed/v1/records HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.status == 404


async def test_acknowledged_records_are_erased(intake: Intake, reporter: HttpReporter) -> None:
    words = await _reported(reporter)
    office = Office(intake)
    (record,) = await office.records()
    (blob,) = record["blobs"]
    for _ in range(2):
        answer = await intake.feed("POST", "/feed/v1/ack", {"records": [record["id"]]})
        assert answer.status == 200
    assert await office.records() == []
    assert intake.blob_files() == []
    assert (await intake.feed("GET", f"/feed/v1/blobs/{blob['id']}")).status == 404
    reading = intake.services.store._reading
    assert reading.execute("SELECT count(*) FROM records").fetchone() == (0,)
    assert reading.execute("SELECT count(*) FROM threads").fetchone() == (1,)
    assert 'action="/id/status/message"' in await reporter.look(words)


async def test_listing_is_bounded(intake: Intake, reporter: HttpReporter) -> None:
    for _ in range(3):
        await _reported(reporter)
    for target, wanted in (("?limit=2", 2), ("?limit=0", 1), ("?limit=99999", 3), ("", 3)):
        answer = await intake.feed("GET", RECORDS + target)
        assert len(json.loads(answer.body)["records"]) == wanted
    for target in ("?limit=x", "?after=x", "?after=", "?after=" + "AB" * 16):
        assert (await intake.feed("GET", RECORDS + target)).status == 400


async def test_a_listing_goes_on_behind_a_record(intake: Intake, reporter: HttpReporter) -> None:
    for _ in range(3):
        await _reported(reporter)

    async def listed(target: str) -> tuple[list[str], bool]:
        answer = json.loads((await intake.feed("GET", RECORDS + target)).body)
        return [record["id"] for record in answer["records"]], answer["more"]

    whole, more = await listed("")
    assert not more
    assert await listed("?limit=2") == (whole[:2], True)
    assert await listed(f"?limit=2&after={whole[0]}") == (whole[1:], False)
    assert await listed(f"?limit=1&after={whole[0]}") == (whole[1:2], True)
    assert await listed(f"?after={whole[2]}") == ([], False)
    assert await listed("?after=" + "ab" * 16) == (whole, False)  # collected meanwhile


async def test_mailbox_places_never_change(intake: Intake, reporter: HttpReporter) -> None:
    await _reported(reporter)
    office = Office(intake)
    (case,) = await office.collect()
    assert await office.push(case, 1, b"box") == 200
    assert await office.push(case, 1, b"box") == 200
    assert await office.push(case, 1, b"other") == 409
    both = [
        {"thread": case.thread.hex(), "seq": 2, "box": b64(b"new")},
        {"thread": case.thread.hex(), "seq": 1, "box": b64(b"other")},
    ]
    answer = await intake.feed("POST", "/feed/v1/mailbox", {"entries": both})
    assert answer.status == 409
    view = intake.services.store.thread(case.thread)
    assert view is not None
    assert view.boxes == ((1, b"box"),)


async def test_statistics_are_kept_and_shown(intake: Intake, reporter: HttpReporter) -> None:
    assert (await intake.feed("POST", "/feed/v1/statistics", STATISTICS)).status == 200
    assert "120" in visible(await reporter.get("/id/statistics"))
    assert intake.services.store.statistics() == json.dumps(STATISTICS)


async def test_a_lost_blob_is_said_to_be_gone(intake: Intake, reporter: HttpReporter) -> None:
    await _reported(reporter)
    (record,) = await Office(intake).records()
    (blob,) = record["blobs"]
    intake.services.blobs.remove([blob["id"]])
    answer = await intake.feed("GET", f"/feed/v1/blobs/{blob['id']}")
    assert answer.status == 410
    assert json.loads(answer.body) == {"error": {"code": "gone"}}
    answer = await intake.feed("POST", "/feed/v1/ack", {"records": [record["id"]]})
    assert answer.status == 200
    assert await Office(intake).records() == []


THREAD = "00" * 16
MALFORMED: dict[str, tuple[str, object]] = {
    "not json": ("/feed/v1/ack", "text"),
    "list": ("/feed/v1/ack", []),
    "no records": ("/feed/v1/ack", {}),
    "records no list": ("/feed/v1/ack", {"records": "x"}),
    "record no hex": ("/feed/v1/ack", {"records": ["zz" * 16]}),
    "record too short": ("/feed/v1/ack", {"records": ["00"]}),
    "too many records": ("/feed/v1/ack", {"records": ["00" * 16] * 501}),
    "entry no object": ("/feed/v1/mailbox", {"entries": [1]}),
    "entry without seq": ("/feed/v1/mailbox", {"entries": [{"thread": THREAD, "box": ""}]}),
    "seq true": ("/feed/v1/mailbox", {"entries": [{"thread": THREAD, "seq": True, "box": ""}]}),
    "seq negative": ("/feed/v1/mailbox", {"entries": [{"thread": THREAD, "seq": -1, "box": ""}]}),
    "box no base64": ("/feed/v1/mailbox", {"entries": [{"thread": THREAD, "seq": 1, "box": "+"}]}),
}
STRANGE_NUMBERS: dict[str, dict[str, object]] = {
    "no day": {"as_of": None},
    "another day": {"as_of": "soon"},
    "nine": {"received": 9},
    "zero": {"overdue": 0},
    "negative": {"open": -1},
    "true": {"closed": True},
    "text": {"received": "120"},
    "list": {"received": [120]},
    "object": {"open": {"x": 1}},
    "unknown outcome": {"outcomes": {"invented": 12}},
    "small outcome": {"outcomes": {"upheld_action": 3}},
    "outcomes no object": {"outcomes": [1]},
    "outcomes null": {"outcomes": None},
    "immense": {"received": 10**13},
}


@pytest.mark.parametrize("change", STRANGE_NUMBERS.values(), ids=STRANGE_NUMBERS.keys())
async def test_numbers_that_may_not_be_shown_are_never_stored(
    intake: Intake, reporter: HttpReporter, change: dict[str, object]
) -> None:
    answer = await intake.feed("POST", "/feed/v1/statistics", {**STATISTICS, **change})
    assert answer.status == 422
    assert json.loads(answer.body) == {"error": {"code": "statistics"}}
    assert intake.services.store.statistics() is None
    for path in ("/id", "/en", "/id/statistics", "/en/statistics"):
        await reporter.get(path)


@pytest.mark.parametrize(("target", "value"), MALFORMED.values(), ids=MALFORMED.keys())
async def test_malformed_pushes_are_refused(intake: Intake, target: str, value: object) -> None:
    answer = await intake.feed("POST", target, value)
    assert answer.status == 400, answer.body


async def test_a_box_for_nobody_is_a_conflict(intake: Intake) -> None:
    entry = {"thread": THREAD, "seq": 1, "box": b64(b"x")}
    assert (await intake.feed("POST", "/feed/v1/mailbox", {"entries": [entry]})).status == 409


async def test_unknown_places_answer_in_json(intake: Intake) -> None:
    for method, target, status in (
        ("GET", "/feed/v1/nothing", 404),
        ("GET", "/feed/v1/blobs/" + "0" * 32, 404),
        ("GET", "/feed/v1/blobs/..%2F..%2Fdb.key", 404),
        ("POST", "/feed/v1/records", 405),
    ):
        answer: Answer = await intake.feed(method, target)
        assert answer.status == status
        assert "code" in json.loads(answer.body)["error"]
