# SPDX-License-Identifier: AGPL-3.0-or-later
"""The commands on the pages of docs/runbooks/, as they stand there, against a real installation."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.backups import PASSPHRASE
from tests.support.service import PROGRAMS, Service
from whistle.backup.databases import read_key
from whistle.backup.newkeys import _write_onion

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

RUNBOOKS = Path(__file__).parents[2] / "docs" / "runbooks"
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.M | re.S)


def blocks(page: str) -> list[str]:
    """The commands of a page, in order."""
    found = BLOCK.findall((RUNBOOKS / page).read_text(encoding="utf-8"))
    assert found, page
    return [str(block) for block in found]


@dataclass
class Site:
    """A founded installation that has run once, and the operator's drawer."""

    state: Path
    drawer: Path
    shelf: Path
    new: Path

    def run(self, block: str) -> str:
        """What a block of commands prints."""
        done = subprocess.run(
            ["bash", "-euc", block], capture_output=True, text=True, check=False, timeout=240,
            stdin=subprocess.DEVNULL,
            env={
                **os.environ,
                "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
                "LANG": "en",
                "STATE": str(self.state),
                "DRAWER": str(self.drawer),
                "SHELF": str(self.shelf),
                "NEW": str(self.new),
                "INSTANCE": (self.drawer / "instance").read_text().strip(),
            },
        )  # fmt: skip
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        return done.stdout

    def starts(self, state: Path) -> None:
        """Whether `whistle run` starts from it."""
        service = Service(state, "--no-tor")
        service.start()
        service.stop()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("site")
    made = Site(folder / "state", folder / "drawer", folder / "shelf", folder / "new")
    made.starts(made.state)
    made.drawer.mkdir()
    shutil.copyfile(made.state / "root" / "root.key", made.drawer / "root.key")
    shutil.copyfile(made.state / "root" / "passphrase.txt", made.drawer / "root.passphrase")
    shutil.copyfile(made.state / "org" / "instance.id", made.drawer / "instance")
    (made.drawer / "passphrase").write_text(PASSPHRASE + "\n")
    _write_onion(made.state / "tor" / "hs-intake", bytes(32))  # as tor would have made it
    return made


def test_every_page_is_run() -> None:
    pages = {path.name for path in RUNBOOKS.glob("*.md") if BLOCK.search(path.read_text())}
    assert pages == {"backup.md", "host-loss.md", "key-loss.md", "rotation.md"}


def test_backup_host_loss_keys_and_rotation(site: Site) -> None:
    """In the order of a bad year: each page goes on with what the one before left."""
    once, hourly, weekly, drill = blocks("backup.md")
    site.run(once)
    assert "Backup 1:" in site.run(hourly)
    assert "every byte as it was written" in site.run(weekly)
    assert "start from it and answer" in site.run(drill)

    restore, resend = blocks("host-loss.md")
    assert "Restored into" in site.run(restore)
    assert "notices wait" in site.run(resend)
    site.starts(site.new)

    identity, root = blocks("key-loss.md")
    assert "Backup 2:" in site.run(identity)
    assert "Genuine. From 2027-01-04" in site.run(root)

    database, service, onion, after = blocks("rotation.md")
    before = read_key(site.state / "cases" / "db.key")
    site.run(database)
    assert read_key(site.state / "cases" / "db.key") != before
    assert "signs with its new key" in site.run(service)
    manifest = json.loads((site.state / "org" / "manifest.json").read_bytes())
    assert len(manifest["former_services"]) == 2
    address = (site.state / "tor" / "hs-intake" / "hostname").read_text()
    assert "no more" in site.run(onion)
    assert (site.state / "tor" / "hs-intake" / "hostname").read_text() != address
    assert "Backup 3:" in site.run(after)
    site.starts(site.state)
