# SPDX-License-Identifier: AGPL-3.0-or-later
"""One run of a stand-in tor: what it has to bring, and that a failure leaves nothing behind."""

import asyncio
from pathlib import Path

import pytest

from onion import launch as launch_module
from onion.errors import TorFailedError
from onion.launch import Launch, LaunchPlan, Listener
from onion.progress import Progress
from onion.publication import Step, Upload
from onion.state import TorState
from onion.torrc import HiddenService, TorSettings, render
from tests.onion import fake_tor
from tests.onion.fake_tor import CASES, INTAKE, FakeControl


class Bench:
    """A state directory with a configuration, and what a run told."""

    def __init__(self, root: Path, *extra: str) -> None:
        self.state = TorState(root, root)
        self.state.make()
        self.services = (self.state.intake, self.state.cases)
        self.control = FakeControl()
        self.told: list[Progress] = []
        self.uploads: list[Upload] = []
        for folder in self.services:
            self.state.make_service(folder, {})
        settings = TorSettings(
            data=self.state.data, control_socket=self.state.control_socket, owner=1,
            services=tuple(HiddenService(folder, root / "t") for folder in self.services),
            proof_of_work=False, extra=extra,
        )  # fmt: skip
        self.state.torrc.write_text(render(settings))
        self.program = fake_tor.install(root)

    def launch(self, patience: float = 20.0) -> Launch:
        plan = LaunchPlan(
            program=self.program, state=self.state, services=self.services,
            make_control=lambda: self.control, patience=patience,
        )  # fmt: skip
        return Launch(plan, Listener(self.told.append, self.uploads.append))


async def test_the_addresses_come_in_the_services_order(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "#fake say [notice] Bootstrapped 100% (done): Done")
    launch = bench.launch()
    assert await launch.start() == (INTAKE, CASES)
    await fake_tor.until(lambda: launch.is_connected)
    assert bench.control.opened == [bench.state.control_socket]
    bench.control.upload(INTAKE)
    assert bench.uploads == [Upload(INTAKE, Step.BEGUN), Upload(INTAKE, Step.ARRIVED)]
    await launch.stop()
    assert bench.control.closed == 1


async def test_a_stale_address_is_not_believed(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "#fake fail no")
    (bench.state.intake / "hostname").write_text(CASES)
    (bench.state.cases / "hostname").write_text(CASES)
    with pytest.raises(TorFailedError, match="tor ended: no"):
        await bench.launch().start()


@pytest.mark.parametrize("address", ["x.onion", INTAKE[:-7] + "a.onion", f"{INTAKE} {CASES}"])
async def test_a_wrong_address_ends_the_run(tmp_path: Path, address: str) -> None:
    bench = Bench(tmp_path, f"#fake address {address}")
    launch = bench.launch()
    with pytest.raises(TorFailedError) as caught:
        await launch.start()
    assert address not in str(caught.value)
    await asyncio.wait_for(launch.wait(), 5)


async def test_without_control_the_run_ends(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.control.refuse = True
    launch = bench.launch()
    with pytest.raises(TorFailedError):
        await launch.start()
    await asyncio.wait_for(launch.wait(), 5)


async def test_a_tor_that_does_nothing_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch_module, "READY_TIMEOUT", 0.2)
    bench = Bench(tmp_path)
    bench.program.write_text("#!/bin/sh\nexec sleep 60\n")
    launch = bench.launch()
    with pytest.raises(TorFailedError, match="was not ready"):
        await launch.start()
    await asyncio.wait_for(launch.wait(), 5)


async def test_silence_is_told_and_tor_goes_on(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "#fake say [notice] Bootstrapped 5% (conn): Connecting")
    launch = bench.launch(patience=0.05)
    await launch.start()
    await fake_tor.until(lambda: len(bench.told) >= 2)
    await asyncio.sleep(0.2)
    assert [progress.percent for progress in bench.told][-1] == 5
    assert [p.text for p in bench.told if "cannot reach" in p.text].count(
        "tor cannot reach the network so far; it goes on trying."
    ) in {1, 2}  # once before 5 % on a slow machine, once after
    await launch.stop()
