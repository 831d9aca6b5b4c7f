# SPDX-License-Identifier: AGPL-3.0-or-later
"""SIGKILL while a backup is being made: the shelf holds whole backups only, the next one succeeds,
and the server's database is not locked."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.house import House
from whistle.backup.keeping import inspect, prune
from whistle.backup.taking import read_org

pytestmark = pytest.mark.slow

KILLS = 5


def test_a_killed_backup_is_none(house: House, tmp_path: Path) -> None:
    chance = random.Random(7)
    for number in range(6):
        house.add_blob("intake", f"{number:032x}", 3_000_000 + number)
    recipient = tmp_path / "backup.recipient"
    recipient.write_text(house.recipients[0].to_age())
    command = [
        sys.executable, "-P", "-m", "whistle", "backup", "make", "--state", str(house.layout.state),
        "--to", str(house.shelf.folder), "--recipient", str(recipient),
    ]  # fmt: skip
    killed = 0
    manifest = read_org(house.layout.org)
    for _ in range(KILLS):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        aside = house.layout.state / "backup" / "staging"
        while not aside.exists() and process.poll() is None:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.15))
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        if house.shelf.folder.exists():
            inspect(house.shelf, manifest, deep=True)
        house.intake.execute("INSERT OR REPLACE INTO statistics VALUES (1, '{}')")  # not locked
    assert killed
    taken = house.take()
    house.open(tmp_path / "out")
    assert not aside.exists()
    prune(house.shelf, 1)
    left = {path.name for path in (house.shelf.folder / "objects").glob("??/*")}
    assert left == set(house.newest().content.objects)
    assert house.shelf.numbers() == [taken.number]
