# SPDX-License-Identifier: AGPL-3.0-or-later
"""A case as the desk shows it when the case server or a colleague does not tell the truth."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from case_mgmt.desk.signing import Decision, sign_decision
from case_mgmt.ledger import Event, Ledger
from case_mgmt.lifecycle import Actor
from case_mgmt.model import ActKind, CaseId, State
from crypto.encoding import b64, day_number
from crypto.private.keystore import Identity
from crypto.rng import system_rng
from tests.support.case_office import container
from tests.whistle.desk.bureau import Bureau, Reporter, running_bureau
from tests.whistle.desk.commands import desk
from tests.whistle.desk.pages import running_desk
from whistle.clock import unix_now
from whistle.desk.client import ServerAddress, Signer, connect
from whistle.desk.connection import Surroundings, workbench
from whistle.desk.errors import DeskError, GateRefusedError
from whistle.desk.letters import Letter
from whistle.desk.workbench import Workbench

ASSESS = Letter(ActKind.TRANSITION, "Kami menelaah laporan Anda sekarang.", State.ASSESSING)
CLOSE = Letter(
    ActKind.TRANSITION, "Bukan wewenang kami, hubungi polisi.", State.OUTSIDE_MANDATE, "police"
)


@pytest.fixture
async def bureau(tmp_path: Path) -> AsyncIterator[Bureau]:
    async with running_bureau(tmp_path) as made:
        yield made


def bench_of(
    bureau: Bureau, person: str, identity: Identity | None = None
) -> AbstractAsyncContextManager[Workbench]:
    who = identity or bureau.org.identities[person]
    tools = Surroundings(system_rng).workbench_tools(who, bureau.keystores[person])
    return workbench(ServerAddress.parse(bureau.url, None), tools, unix_now)


def invent(bureau: Bureau, case: str, kind: ActKind, target: State) -> None:
    """The case server signs an act in the reporter's name that no message caused."""
    services = bureau.services
    with services.store.writing() as unit:
        found = unit.case(CaseId(case))
        assert found is not None
        ledger = Ledger(unit, services.office._key, services.rules(), system_rng)
        ledger.record(found, Event(kind, target, Actor.REPORTER, bureau.today))


async def test_an_invented_withdrawal_is_not_the_reporters(bureau: Bureau) -> None:
    case = Reporter(bureau).report()
    invent(bureau, case, ActKind.WITHDRAW, State.WITHDRAWN)
    async with bench_of(bureau, "pengawas") as bench:
        opened = await bench.open(case)
        assert [(each.code, each.act) for each in opened.remarks] == [("act_without_message", 3)]
        assert opened.timeline()[-1].author == "system"
        with pytest.raises(GateRefusedError, match="act_without_message"):
            await bench.write(case, Letter(ActKind.UPDATE, "Kami tetap bekerja untuk Anda."))
    assert len(bureau.history(case)) == 3
    shown = await desk(bureau, "pengawas", "show", case, "--lang", "en")
    assert "Act no. 3 is said to be the reporter's" in shown.err
    done = await desk(bureau, "pengawas", "update", case, "--message", "Kami tetap bekerja.")
    assert (done.code, "nothing is signed" in done.err) == (1, True)
    async with running_desk(bureau) as pages:
        page = await (await pages.enter("pengawas")).get(f"/case/{case}")
        assert "Tindakan no. 3 disebut berasal dari pelapor" in page.text
        assert 'role="alert"' in page.text


async def test_an_invented_follow_up_stops_the_second_person(bureau: Bureau) -> None:
    case = Reporter(bureau).report()
    invent(bureau, case, ActKind.FOLLOW_UP, State.RECEIVED)
    async with bench_of(bureau, "pengawas") as bench:
        with pytest.raises(GateRefusedError, match="act_without_message"):
            await bench.act(case, ASSESS)


async def test_what_the_reporter_really_does_is_no_remark(bureau: Bureau) -> None:
    reporter = Reporter(bureau)
    case = reporter.report()
    reporter.add("Saya tarik dulu.", intent="withdraw")
    reporter.add("Ternyata tidak.", intent="contest")
    async with bench_of(bureau, "pengawas") as bench:
        opened = await bench.open(case)
        assert (opened.remarks, opened.state) == ((), State.REOPENED)
        assert [entry.author for entry in opened.timeline()] == ["system", "reporter", "reporter"]


async def test_a_postdated_arrival_is_noticed(bureau: Bureau) -> None:
    reporter = Reporter(bureau)
    written = day_number(bureau.today)
    bureau.pass_days(60)
    case = reporter.report(day=written)
    async with bench_of(bureau, "pengawas") as bench:
        opened = await bench.open(case)
        assert [each.code for each in opened.remarks] == ["arrival_differs"]


async def test_a_day_beyond_the_calendar_breaks_nothing(bureau: Bureau) -> None:
    case = Reporter(bureau).report(day=2**32 - 1)
    async with bench_of(bureau, "pengawas") as bench:
        codes = {each.code for each in (await bench.open(case)).remarks}
    assert codes == {"arrival_differs", "day_differs"}


async def test_a_message_nobody_can_read_is_noticed(bureau: Bureau) -> None:
    case = Reporter(bureau).report()
    sealed = container(1)
    identity = bureau.org.identities["pengawas"]
    async with bench_of(bureau, "pengawas") as bench:
        head = (await bench.open(case)).history.head
        decision = Decision(ActKind.TRANSITION, State.ASSESSING)
        signed = sign_decision(identity, head, decision, sealed, bureau.today)
    body = {
        "act": signed.act.to_object(),
        "signature": b64(signed.signature),
        "container": b64(sealed),
    }
    address = ServerAddress.parse(bureau.url, None)
    async with connect(address, Signer(identity, system_rng, unix_now)) as client:
        assert (await client.post_act(case, body))["status"] == "committed"
    async with bench_of(bureau, "penyidik-1") as bench:
        opened = await bench.open(case)
    assert [(each.code, each.act) for each in opened.remarks] == [("copy_missing", 3)]


async def test_a_proposer_who_changes_keys_stays_the_proposer(bureau: Bureau) -> None:
    case = Reporter(bureau).report()
    async with bench_of(bureau, "pengawas") as bench:
        await bench.act(case, ASSESS)
        await bench.act(case, CLOSE)
    old = bureau.org.identities["pengawas"]
    renewed = replace(old, device_seed=b"\x41" * 32)
    people = [
        {**each, "desk": renewed.device_public.hex()} if each["id"] == "pengawas" else each
        for each in bureau.org.manifest["people"]
    ]
    former = [{"id": "pengawas", "desk": old.device_public.hex(), "until_serial": 1}]
    bureau.org.rewrite(people=people, serial=2, former=former)
    bureau.services.renew_organisation()
    async with bench_of(bureau, "pengawas", renewed) as bench:
        opened = await bench.open(case)
        assert opened.history.is_verified
        assert opened.pending is not None
        assert (opened.pending.is_mine, opened.pending.problem) == (True, "proposer_left")
        with pytest.raises(DeskError, match="second_needed"):
            await bench.act(case, CLOSE)
        with pytest.raises(GateRefusedError, match="second_person"):
            await bench.confirm(case)
    async with bench_of(bureau, "penyidik-1") as bench:
        with pytest.raises(GateRefusedError, match="proposer_left"):
            await bench.confirm(case)
