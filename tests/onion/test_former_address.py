# SPDX-License-Identifier: AGPL-3.0-or-later
"""After a change of address the one before goes on answering, from the same socket, and no other.

Keys made by `whistle rotate onion` are keys that the real tor takes for its own.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from onion.client_auth import ClientKey
from onion.service import OnionPlan, _prepare
from onion.state import open_state
from tests.support.org import seed
from whistle.backup.newkeys import _write_onion

DESK = ClientKey(b"\x07" * 32).public_text


def prepared(root: Path, *, with_cases: bool = True) -> list[tuple[str, str]]:
    plan = OnionPlan(
        state=root, intake_target=Path("/i.sock"),
        cases_target=Path("/c.sock") if with_cases else None, authorised_desks={"desk-1": DESK},
    )  # fmt: skip
    with open_state(root) as state:
        return [(each.directory.name, each.target.name) for each in _prepare(plan, state)]


def test_without_a_change_there_is_one_address(tmp_path: Path) -> None:
    assert prepared(tmp_path) == [("hs-intake", "i.sock"), ("hs-cases", "c.sock")]


def test_both_addresses_lead_to_the_intake(tmp_path: Path) -> None:
    (tmp_path / "hs-intake.former").mkdir()
    assert prepared(tmp_path) == [
        ("hs-intake", "i.sock"), ("hs-cases", "c.sock"), ("hs-intake.former", "i.sock"),
    ]  # fmt: skip
    assert prepared(tmp_path, with_cases=False) == [
        ("hs-intake", "i.sock"), ("hs-intake.former", "i.sock"),
    ]  # fmt: skip


@pytest.mark.tor
def test_tor_takes_our_keys_for_its_own(tmp_path: Path) -> None:
    """It finds the address we wrote: it would have written another one beside a key it dislikes."""
    tor = shutil.which("tor")
    assert tor is not None
    for name in ("torrc", "defaults"):
        (tmp_path / name).touch()
    for number in range(3):
        folder = tmp_path / str(number)
        _write_onion(folder, seed(f"onion {number}"))
        ours = (folder / "hostname").read_text()
        secret = (folder / "hs_ed25519_secret_key").read_bytes()
        (folder / "hostname").unlink()
        process = subprocess.Popen(
            [tor, "-f", str(tmp_path / "torrc"), "--defaults-torrc", str(tmp_path / "defaults"),
             "--quiet", "--DisableNetwork", "1", "--SocksPort", "0",
             "--DataDirectory", str(tmp_path / f"data{number}"),
             "--HiddenServiceDir", str(folder), "--HiddenServicePort", "80 unix:/nowhere"],
        )  # fmt: skip
        try:
            for _ in range(300):
                if (folder / "hostname").exists() and (folder / "hostname").read_text():
                    break
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(0.1)
        finally:
            process.terminate()
            process.wait(20)
        assert (folder / "hostname").read_text() == ours
        assert (folder / "hs_ed25519_secret_key").read_bytes() == secret
