# SPDX-License-Identifier: AGPL-3.0-or-later
"""The intake promises again only what it has forwarded; anything else could never be kept."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from crypto.bundle import parse_head
from crypto.encoding import unb64
from crypto.frame import Origin
from crypto.promise import commitment, verify_promise
from crypto.receipt import derive, parse_receipt
from crypto.signing import public_from_seed
from tests.support.http_reporter import HttpReporter
from tests.support.intake import Intake, multipart
from tests.support.sealed_client import SealedClient, Sealer
from tests.support.thread_story import ARRIVAL, Story, published
from whistle.intake.replies import History, read_thread

FOREIGN = bytes(range(32))
WITHOUT = pytest.mark.parametrize("forwarded", [None, FOREIGN], ids=["none", "foreign"])


def altered(bundle: bytes, forwarded: bytes | None) -> bytes:
    """The same bundle with another commitment: nothing in it is signed over that."""
    at = 8 + int.from_bytes(bundle[4:8], "big")
    return replace(parse_head(bundle[8:at]), commitment=forwarded).encode() + bundle[at:]


async def send(intake: Intake, bundle: bytes) -> int:
    head = b'name="bundle"; filename="laporan.whb"\r\nContent-Type: application/octet-stream'
    return (await intake.post("/en/sealed", multipart((head, bundle)))).status


async def evidence(reporter: HttpReporter, words: list[str]) -> dict[str, Any]:
    await reporter.look(words)
    content: dict[str, Any] = json.loads(await reporter.get("/id/status/evidence"))
    return content


def promised(intake: Intake, content: dict[str, Any]) -> bytes:
    service = public_from_seed(intake.org.service_seeds["intake"])
    return verify_promise(service, unb64(content["promise"])).commitment


@WITHOUT
async def test_a_bundle_without_its_own_commitment_gets_no_promise(
    intake: Intake, reporter: HttpReporter, forwarded: bytes | None
) -> None:
    sealer = Sealer(intake.org, origin=Origin.TOOL)
    assert await send(intake, altered(sealer.bundle("x"), forwarded)) == 200
    content = await evidence(reporter, list(sealer.receipt.words("id")))
    assert content["promise"] is None
    assert content["notices"] == []


@WITHOUT
async def test_nor_does_a_client(
    intake: Intake, reporter: HttpReporter, forwarded: bytes | None
) -> None:
    sealer = Sealer(intake.org)
    value = sealer.report("x")
    value["commitment"] = None if forwarded is None else forwarded.hex()
    async with SealedClient(intake.base) as client:
        assert (await client.report(sealer, value))[0] == 200
    content = await evidence(reporter, list(sealer.receipt.words("id")))
    assert content["promise"] is None


async def test_what_was_forwarded_is_promised_again_after_it_was_collected(
    intake: Intake, reporter: HttpReporter
) -> None:
    tool, browser = Sealer(intake.org, origin=Origin.TOOL), Sealer(intake.org)
    assert await send(intake, tool.bundle("x")) == 200
    async with SealedClient(intake.base) as client:
        assert (await client.report(browser, browser.report("x")))[0] == 200
    words = await reporter.send(await reporter.draft({"story": "x"}))
    store = intake.services.store
    await store.acknowledge([one.id for one in store.records(10, 1 << 20)])
    for sealer in (tool, browser):
        content = await evidence(reporter, list(sealer.receipt.words("id")))
        assert promised(intake, content) == commitment(sealer.keys)
    keys = derive(parse_receipt(" ".join(words)), intake.org.instance_id)
    assert promised(intake, await evidence(reporter, words)) == commitment(keys)


def told(forwarded: bytes | None) -> History:
    """A thread whose first notice names the day of the report's own entry, long after it."""
    by = ARRIVAL + timedelta(days=196)
    log = {"case": "00" * 16, "code": 0, "wait": 0, "nonce": None, "by": by.isoformat()}
    view = replace(Story("promised").received(notice={"log": log}).view, commitment=forwarded)
    today = by + timedelta(days=1)
    history = read_thread(view, published().keys, published().office, today)
    return history.resolved(lambda _: None, 100, today)


@WITHOUT
def test_what_cannot_be_in_the_log_is_not_overdue(forwarded: bytes | None) -> None:
    history = told(forwarded)
    assert [item.code for item in history.context.timeline] == ["received"]
    assert (history.logged, history.context.has_log, history.context.is_unlogged) == (
        (), False, False,
    )  # fmt: skip


def test_what_was_forwarded_and_is_not_in_the_log_is() -> None:
    history = told(commitment(published().keys))
    assert [one.kind for one in history.logged] == ["overdue"]
    assert history.context.is_unlogged
