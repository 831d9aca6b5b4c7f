# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which services are published and what the operator hears, with a stand-in tor."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onion.client_auth import ClientKey
from onion.errors import ClientKeyError, TorFailedError, TorMissingError
from onion.service import Addresses, Habits, OnionPlan, OnionServices, Progress
from tests.onion import fake_tor
from tests.onion.fake_tor import CASES, INTAKE, FakeControl, until

DESK = ClientKey(b"\x07" * 32).public_text
PUBLISHED = "the onion services are published and can be reached."


class Bench:
    """An organisation's state, its services, and what was told."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.state = root / "tor-state"
        self.control = FakeControl()
        self.told: list[Progress] = []
        self.desks = {"desk-1": DESK}
        self.cases_target: Path | None = root / "cases.sock"
        self.services: list[OnionServices] = []

    def make(self, *extra: str) -> OnionServices:
        plan = OnionPlan(
            state=self.state, intake_target=self.root / "intake.sock",
            cases_target=self.cases_target, authorised_desks=self.desks, extra_torrc=extra,
        )  # fmt: skip
        made = OnionServices(plan, Habits(lambda: self.control, first_pause=0.01))
        self.services.append(made)
        return made

    async def start(self, *extra: str) -> tuple[OnionServices, Addresses]:
        services = self.make(*extra)
        return services, await services.start(self.told.append)

    @property
    def texts(self) -> list[str]:
        return [progress.text for progress in self.told]

    @property
    def torrc(self) -> str:
        return (self.state / "torrc").read_text()


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    programs = tmp_path / "bin"
    programs.mkdir()
    fake_tor.install(programs)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    made = Bench(tmp_path)
    yield made
    for services in made.services:
        await services.stop()


def is_running(pid: int | None) -> bool:
    assert pid is not None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_both_addresses(bench: Bench) -> None:
    _, addresses = await bench.start()
    assert addresses == Addresses(INTAKE, CASES)
    clients = bench.state / "hs-cases" / "authorized_clients"
    assert [path.name for path in clients.iterdir()] == ["desk-1.auth"]
    assert list((bench.state / "hs-intake" / "authorized_clients").iterdir()) == []


async def test_no_case_onion_without_a_desk(bench: Bench) -> None:
    bench.desks = {}
    _, addresses = await bench.start()
    assert addresses == Addresses(INTAKE, None)
    assert "cases" not in bench.torrc


async def test_no_case_onion_after_the_last_desk_is_gone(bench: Bench) -> None:
    services, _ = await bench.start()
    await services.stop()
    bench.desks = {}
    _, addresses = await bench.start()
    assert addresses.cases is None
    assert "cases" not in bench.torrc


async def test_no_case_onion_without_a_case_server(bench: Bench) -> None:
    bench.cases_target = None
    _, addresses = await bench.start()
    assert addresses.cases is None
    assert "cases" not in bench.torrc


@pytest.mark.parametrize(("name", "key"), [("../x", DESK), ("desk-1", DESK[:-1]), ("a", "A" * 52)])
async def test_a_wrong_desk_is_refused_before_tor_starts(bench: Bench, name: str, key: str) -> None:
    bench.desks = {name: key}
    services = bench.make()
    with pytest.raises(ClientKeyError):
        await services.start(bench.told.append)
    assert services.pid is None
    assert not (bench.state / "torrc").exists()


async def test_the_configuration_is_private_and_ends_with_the_extra_lines(bench: Bench) -> None:
    await bench.start("# one", "# two")
    assert bench.torrc.endswith("# one\n# two\n")
    assert (bench.state / "torrc").stat().st_mode & 0o777 == 0o600
    assert bench.state.stat().st_mode & 0o777 == 0o700


async def test_progress_is_told_in_order_and_without_addresses(bench: Bench) -> None:
    services, _ = await bench.start(
        "#fake say [notice] Bootstrapped 10% (conn_done): Connected",
        f"#fake say [warn] {INTAKE} 203.0.113.9",
        "#fake say [notice] Bootstrapped 100% (done): Done",
    )
    await until(lambda: "tor is connected." in bench.texts)
    bench.control.upload(CASES)
    bench.control.upload(INTAKE)
    await services.wait_published(1)
    assert [progress.percent for progress in bench.told] == [10, 100, 100]
    assert bench.texts[-1] == PUBLISHED
    assert INTAKE[:20] not in " ".join(bench.texts)


async def test_published_means_every_service(bench: Bench) -> None:
    services, _ = await bench.start()
    bench.control.upload(INTAKE)
    bench.control.upload(INTAKE)
    with pytest.raises(TorFailedError, match="did not publish"):
        await services.wait_published(0.05)
    bench.control.upload(CASES)
    await services.wait_published(1)
    bench.control.upload(CASES)
    assert bench.texts.count(PUBLISHED) == 1


async def test_an_upload_before_the_start_is_over_counts(bench: Bench) -> None:
    bench.control.at_once = (INTAKE, CASES)
    services, _ = await bench.start()
    await services.wait_published(1)


async def test_an_upload_of_a_strangers_service_does_not_count(bench: Bench) -> None:
    bench.desks = {}
    services, _ = await bench.start()
    bench.control.upload(CASES)
    with pytest.raises(TorFailedError):
        await services.wait_published(0.05)


async def test_waiting_needs_a_start(bench: Bench) -> None:
    with pytest.raises(RuntimeError):
        await bench.make().wait_published(1)


async def test_a_tor_that_refuses_its_configuration(bench: Bench) -> None:
    services = bench.make(f"#fake fail Unparseable line about {INTAKE}")
    with pytest.raises(TorFailedError, match="Unparseable line about") as caught:
        await services.start(bench.told.append)
    assert INTAKE[:20] not in str(caught.value)
    assert services.pid is None


async def test_a_control_connection_that_fails_leaves_no_tor(bench: Bench) -> None:
    bench.control.refuse = True
    services = bench.make()
    with pytest.raises(TorFailedError):
        await services.start(bench.told.append)
    assert services.pid is None


async def test_no_tor(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(bench.root))
    with pytest.raises(TorMissingError):
        await bench.make().start(bench.told.append)


async def test_an_old_tor_is_used_without_proof_of_work_and_the_operator_told(
    bench: Bench,
) -> None:
    fake_tor.install(bench.root / "bin", version="Tor version 0.4.9.8.")
    await bench.start()
    assert "known faults" in bench.texts[0]
    assert "PoW" not in bench.torrc


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_a_tor_that_is_gone_is_started_again(bench: Bench, how: signal.Signals) -> None:
    bench.control.at_once = (INTAKE, CASES)
    services, _ = await bench.start()
    first = services.pid
    assert first is not None
    bench.control.at_once = ()
    os.kill(first, how)
    await until(lambda: services.pid != first and len(bench.control.opened) == 2)
    assert bench.texts.count("tor ended by itself; it is started again.") == 1
    with pytest.raises(TorFailedError):
        await services.wait_published(0.05)
    bench.control.upload(INTAKE)
    bench.control.upload(CASES)
    await services.wait_published(1)


async def test_it_is_tried_again_until_tor_starts(bench: Bench) -> None:
    services, _ = await bench.start()
    bench.control.refuse = True
    assert services.pid is not None
    os.kill(services.pid, signal.SIGKILL)
    await until(lambda: len(bench.texts) >= 3)
    bench.control.refuse = False
    await until(lambda: len(bench.control.opened) == 2)
    assert is_running(services.pid)


async def test_stopping_ends_tor_and_says_nothing(bench: Bench) -> None:
    services, _ = await bench.start()
    pid = services.pid
    await services.stop()
    assert not is_running(pid)
    assert bench.control.closed == 1
    await services.stop()
    await asyncio.sleep(0.05)
    assert bench.told == []


@pytest.mark.parametrize("when", [0.0, 0.02, 0.05, 0.1])
async def test_a_start_that_is_given_up_leaves_no_tor(bench: Bench, when: float) -> None:
    services = bench.make()
    starting = asyncio.create_task(services.start(bench.told.append))
    await asyncio.sleep(when)
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    await services.stop()
    assert services.pid is None


async def test_a_stop_while_tor_is_started_again(bench: Bench) -> None:
    services, _ = await bench.start("#fake die-once")
    await until(lambda: bool(bench.told), seconds=20)
    await services.stop()
    assert services.pid is None
