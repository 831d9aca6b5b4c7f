# SPDX-License-Identifier: AGPL-3.0-or-later
"""One server for one state directory."""

import subprocess
import sys
from pathlib import Path

import pytest

from whistle import statelock
from whistle.errors import ConfigError

HOLD = """
import sys
from pathlib import Path
from whistle.statelock import hold
lock = hold(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_the_second_is_refused_until_the_first_lets_go(tmp_path: Path) -> None:
    first = statelock.hold(tmp_path)
    with pytest.raises(ConfigError, match="another server"):
        statelock.hold(tmp_path)
    first.release()
    first.release()
    statelock.hold(tmp_path).release()
    assert (tmp_path / statelock.NAME).stat().st_mode & 0o777 == 0o600


def test_two_directories_do_not_meet(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with statelock.hold(tmp_path), statelock.hold(tmp_path / "other"):
        pass
    with statelock.hold(tmp_path):
        pass


def test_a_killed_server_leaves_no_lock(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(ConfigError, match="another server"):
            statelock.hold(tmp_path)
        other.kill()
    statelock.hold(tmp_path).release()


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        statelock.hold(tmp_path / "missing")
