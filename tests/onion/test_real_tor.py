# SPDX-License-Identifier: AGPL-3.0-or-later
"""The real tor program without a network: addresses at once and for ever, private folders, a
clean end, and an end with us when we are killed.
"""

import asyncio
import os
import signal
import stat
import sys
from pathlib import Path

import pytest

from onion.client_auth import ClientKey
from onion.errors import TorFailedError
from onion.service import Addresses, Habits, OnionPlan, OnionServices, Progress
from tests.onion.fake_tor import until

pytestmark = [pytest.mark.tor, pytest.mark.slow]

DESK = ClientKey(b"\x07" * 32).public_text
OFFLINE = "DisableNetwork 1"

PARENT = """
import asyncio, sys
from pathlib import Path
from onion.service import OnionPlan, OnionServices

async def main():
    root = Path(sys.argv[1])
    plan = OnionPlan(root / "tor", root / "intake.sock", None, {}, ("DisableNetwork 1",))
    services = OnionServices(plan)
    await services.start(lambda progress: None)
    print(services.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def plan(root: Path, *extra: str) -> OnionPlan:
    return OnionPlan(
        state=root / "tor", intake_target=root / "intake.sock", cases_target=root / "cases.sock",
        authorised_desks={"desk-1": DESK}, extra_torrc=(OFFLINE, *extra),
    )  # fmt: skip


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def one_run(root: Path) -> Addresses:
    services = OnionServices(plan(root))
    addresses = await services.start(lambda _: None)
    pid = services.pid
    assert pid is not None
    await services.stop()
    assert not is_running(pid)
    return addresses


@pytest.mark.parametrize("depth", [1, 120], ids=["short path", "long path"])
async def test_the_addresses_come_at_once_and_stay(tmp_path: Path, depth: int) -> None:
    root = tmp_path / ("d" * depth)
    async with asyncio.timeout(20):
        first = await one_run(root)
    assert first.cases is not None
    assert first.cases != first.intake
    assert await one_run(root) == first


async def test_each_state_has_its_own_address(tmp_path: Path) -> None:
    assert await one_run(tmp_path / "one") != await one_run(tmp_path / "two")


async def test_the_state_is_private(tmp_path: Path) -> None:
    await one_run(tmp_path)
    loose = [
        path
        for path in (tmp_path / "tor").rglob("*")
        if stat.S_IMODE(path.stat().st_mode) & 0o077 and path.name != "torrc-defaults"
    ]
    assert loose == []


async def test_silence_is_told_and_tor_goes_on(tmp_path: Path) -> None:
    told: list[Progress] = []
    services = OnionServices(plan(tmp_path), Habits(patience=0.3))
    await services.start(told.append)
    await until(lambda: bool(told))
    assert told == [Progress(0, "tor cannot reach the network so far; it goes on trying.")]
    assert services.pid is not None
    assert is_running(services.pid)
    await services.stop()


async def test_a_configuration_tor_refuses(tmp_path: Path) -> None:
    services = OnionServices(plan(tmp_path, "NoSuchOption 1"))
    with pytest.raises(TorFailedError, match="tor ended"):
        await services.start(lambda _: None)
    assert services.pid is None


async def test_two_at_once_in_one_state_are_refused(tmp_path: Path) -> None:
    services = OnionServices(plan(tmp_path))
    addresses = await services.start(lambda _: None)
    with pytest.raises(TorFailedError):
        await OnionServices(plan(tmp_path)).start(lambda _: None)
    await services.stop()
    assert await one_run(tmp_path) == addresses


async def test_a_killed_tor_comes_back(tmp_path: Path) -> None:
    told: list[Progress] = []
    services = OnionServices(plan(tmp_path), Habits(first_pause=0.05))
    await services.start(told.append)
    first = services.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    hostname = tmp_path / "tor" / "hs-intake" / "hostname"
    await until(lambda: services.pid not in {None, first} and hostname.exists())
    await services.stop()
    assert [progress.text for progress in told] == ["tor ended by itself; it is started again."]


async def test_tor_ends_when_we_are_killed(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(tmp_path), stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    assert is_running(pid)
    parent.kill()
    await parent.wait()
    await until(lambda: not is_running(pid))
