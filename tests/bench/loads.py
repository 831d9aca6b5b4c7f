# SPDX-License-Identifier: AGPL-3.0-or-later
"""Many reporters at once: whole report flows, and looks at a status."""

import asyncio

from tests.bench.client import Connection, Load, get, load
from tests.bench.forms import SAMPLE_TOKEN, code_request, report, token_of, words_of
from tests.bench.report import Report
from tests.bench.servers import Running

LEVELS = (1, 8, 32)
KEEP_CODES = 2_000
FLOW_BUDGET = 200
FLOW_P99 = 0.3
STATUS_BUDGET = 400
STATUS_BUDGET_LEVEL = 8
SAMPLE_CODE = "x" * 80


class Reporters:
    """What reporters do, against our intake or against the bare handler; keeps some codes."""

    def __init__(self) -> None:
        self.codes: list[str] = []

    async def flow(self, connection: Connection, number: int) -> bool:
        """Landing page, form, report of 2 KB, receipt."""
        first, _, _ = await connection.exchange(get("/"))
        second, _, page = await connection.exchange(get("/id/report"))
        third, _, receipt = await connection.exchange(report(token_of(page), number))
        if third == 200 and len(self.codes) < KEEP_CODES:
            self.codes.append(words_of(receipt))
        return (first, second, third) == (200, 200, 200)

    async def bare_flow(self, connection: Connection, number: int) -> bool:
        """The same three requests to the baseline."""
        for request in (get("/"), get("/id/report"), report(SAMPLE_TOKEN, number)):
            status, _, _ = await connection.exchange(request)
            if status != 200:
                return False
        return True

    async def status(self, connection: Connection, number: int) -> bool:
        """A code typed, the status page read."""
        code = self.codes[number % len(self.codes)]
        answer, _, _ = await connection.exchange(code_request(code))
        return answer == 200

    async def bare_status(self, connection: Connection, _number: int) -> bool:
        """One request of the same size to the baseline."""
        answer, _, _ = await connection.exchange(code_request(SAMPLE_CODE))
        return answer == 200


def measure_flows(
    report_to: Report, reporters: Reporters, ours: Running, base: Running, total: int
) -> None:
    """Report flows at every level."""
    for level in LEVELS:
        count = total // 4 if level == 1 else total
        measured = asyncio.run(load(ours.port, level, count, reporters.flow))
        plain = asyncio.run(load(base.port, level, count, reporters.bare_flow))
        budget = FLOW_BUDGET if level > 1 else None
        _lines(report_to, f"report flow, {level} parallel", measured, plain, budget)


def measure_statuses(
    report_to: Report, reporters: Reporters, ours: Running, base: Running, total: int
) -> None:
    """Looks at a status at every level."""
    for level in LEVELS:
        measured = asyncio.run(load(ours.port, level, total, reporters.status))
        plain = asyncio.run(load(base.port, level, total, reporters.bare_status))
        budget = STATUS_BUDGET if level == STATUS_BUDGET_LEVEL else None
        _lines(report_to, f"status by code, {level} parallel", measured, plain, budget)


def _lines(report_to: Report, name: str, ours: Load, base: Load, budget: int | None) -> None:
    report_to.line(
        name, f"{ours.rate:.0f}/s", f"≥ {budget}/s" if budget else None,
        budget is None or ours.rate >= budget, f"{ours.rate / base.rate:.2f} of bare",
    )  # fmt: skip
    limit = FLOW_P99 if budget == FLOW_BUDGET else None
    report_to.line(
        "  p50 / p99", f"{ours.p50 * 1e3:.1f} / {ours.p99 * 1e3:.1f} ms",
        f"p99 ≤ {limit * 1e3:.0f} ms" if limit else None, limit is None or ours.p99 <= limit,
        f"bare {base.p50 * 1e3:.1f} / {base.p99 * 1e3:.1f} ms",
    )  # fmt: skip
    if ours.failed:
        report_to.line("  failed", str(ours.failed), "0", met=False)
