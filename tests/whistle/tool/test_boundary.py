# SPDX-License-Identifier: AGPL-3.0-or-later
"""The reporter's tools load nothing that can open a report, and no server."""

import json
import subprocess
import sys

import pytest

COMMANDS = ("seal", "read", "verify_site", "poster")


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_that_opens_reports_is_loaded(command: str) -> None:
    program = (
        f"import sys, json, whistle.commands.{command}\nprint(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True
    )
    loaded = json.loads(done.stdout)
    guilty = ("crypto.private", "case_mgmt.desk", "whistle.desk", "whistle.cases", "sqlalchemy")
    assert not [name for name in loaded if name.startswith(guilty)]
