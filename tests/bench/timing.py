# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whether the time of an answer tells if a code is known, or if there is news.

Requests of every kind go over one connection in an order shuffled anew each round, so that all
kinds meet the same weather; each kind's durations are compared with those of its counterpart
(tests.bench.comparing). The requests of a pair have the same length.
"""

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from case_mgmt.model import ActKind, State
from crypto.receipt import derive, generate, parse_receipt
from crypto.rng import system_rng
from tests.bench.client import Connection, post
from tests.bench.comparing import CERTAIN, Comparison, compare
from tests.bench.forms import code_request
from tests.bench.report import Report
from tests.bench.servers import Running
from tests.support.http_reporter import HttpReporter
from tests.support.intake import Calendar, Intake
from tests.support.office import Office
from tests.support.org import Org
from tests.support.sealed_client import SealedClient, Sealer
from whistle.intake.reporter_keys import Action
from whistle.limits import STATUS_FLOOR

PAIRS = (
    ("status: known and unknown code", "known", "unknown"),
    ("status: two answers and unknown code", "news", "unknown"),
    ("status: news and no news", "news", "known"),
    ("status: wrong check word and unknown code", "malformed", "unknown"),
    ("client reads: known and unknown thread", "reads known", "reads unknown"),
    ("client reads: two answers and unknown", "reads news", "reads unknown"),
    ("client may not write: known and unknown", "writes known", "writes unknown"),
)
LONGEST = 200
"""Characters of a typed code: every request that types one has the same length."""

Request = Callable[[], Awaitable[bytes]]


def measure_timing(report_to: Report, org: Org, state: Path, ours: Running, *, rounds: int) -> None:
    """One line a pair."""
    report_to.title(f"time tells nothing ({rounds} answers of each kind, in shuffled order)")
    durations = asyncio.run(_measure(org, state, ours.port, rounds))
    for name, first, second in PAIRS:
        late = f"{_late(durations[first]):.1%} / {_late(durations[second]):.1%}"
        _line(report_to, name, compare(durations[first], durations[second]), late)


def _line(report_to: Report, name: str, found: Comparison, late: str) -> None:
    report_to.line(
        name, f"|z| = {abs(found.z):.1f}", f"≤ {CERTAIN}", not found.told_apart,
        f"medians {found.apart * 1e6:+.0f} µs apart, one look guesses {found.guessed:.0%}, "
        f"second step or later {late}",
    )  # fmt: skip


def _late(durations: Sequence[float]) -> float:
    """The share of answers that missed the first moment at which an answer may leave."""
    return sum(one > 1.5 * STATUS_FLOOR for one in durations) / len(durations)


async def _measure(org: Org, state: Path, port: int, rounds: int) -> Mapping[str, list[float]]:
    base = f"http://127.0.0.1:{port}"
    order = random.Random(1)
    async with SealedClient(base) as client:
        kinds = await _requests(org, state, port, client)
        durations: dict[str, list[float]] = {name: [] for name in kinds}
        connection = await Connection.open(port)
        for number in range(rounds + 5):
            for name in order.sample(sorted(kinds), len(kinds)):
                request = await kinds[name]()
                started = time.perf_counter()
                await connection.exchange(request)
                took = time.perf_counter() - started
                if number >= 5:  # the first ones warm up
                    durations[name].append(took)
        connection.close()
    return durations


async def _requests(
    org: Org, state: Path, port: int, client: SealedClient
) -> Mapping[str, Request]:
    """How each kind's next request is made; nothing of that is timed."""
    known, news = await _reported(port), await _reported(port)
    sealers = {name: Sealer(org) for name in ("known", "news", "unknown")}
    for name in ("known", "news"):
        await client.report(sealers[name], sealers[name].report("x"))
    calendar = Calendar(org.today, int(time.time()))
    office = Office(Intake(org, cast("Any", None), port, state / "feed.sock", calendar))
    thread = derive(parse_receipt(" ".join(news)), org.instance_id).lookup_id
    await _answered(office, {thread, sealers["news"].keys.lookup_id})
    return {
        "known": _typed(lambda: known),
        "news": _typed(lambda: news),
        "unknown": _typed(_unknown),
        "malformed": _typed(lambda: [*_unknown()[:11], "zzzz"]),
        "reads known": _read(client, sealers["known"]),
        "reads news": _read(client, sealers["news"]),
        "reads unknown": _read(client, sealers["unknown"]),
        "writes known": _write(client, sealers["known"]),
        "writes unknown": _write(client, sealers["unknown"]),
    }


def _unknown() -> list[str]:
    return list(generate(system_rng).words("id"))


def _typed(words: Callable[[], list[str]]) -> Request:
    async def make() -> bytes:
        return code_request(" ".join(words()).ljust(LONGEST))

    return make


def _read(client: SealedClient, sealer: Sealer) -> Request:
    async def make() -> bytes:
        return _json("read", sealer.signed(await client.nonce(), Action.READ))

    return make


def _write(client: SealedClient, sealer: Sealer) -> Request:
    """A message with the signature of another action: nobody may."""
    value = sealer.message("x")

    async def make() -> bytes:
        proof = sealer.signed(await client.nonce(), Action.READ)
        return _json("append", {**value, **proof})

    return make


def _json(what: str, value: Mapping[str, Any]) -> bytes:
    return post(f"/api/v1/threads/{what}", "application/json", json.dumps(value).encode())


async def _reported(port: int) -> list[str]:
    async with HttpReporter(f"http://127.0.0.1:{port}") as reporter:
        return await reporter.send(await reporter.draft({"story": "x"}))


async def _answered(office: Office, threads: set[bytes]) -> None:
    """The office takes these reports in and answers each twice."""
    for case in await office.collect():
        if case.thread in threads:
            await office.act(case, ActKind.RECEIVED, State.RECEIVED)
            for target in (State.ASSESSING, State.EXAMINING):
                if await office.act(case, ActKind.TRANSITION, target, "Dibaca. " * 50) != 200:
                    raise RuntimeError("the office could not answer")
