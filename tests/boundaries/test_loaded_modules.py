# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a server process really loads, seen from a fresh interpreter.

import-linter reads the source; this looks at `sys.modules`, so it also catches package `__init__`
files and dynamic imports.
"""

import json
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import case_mgmt
import crypto
import onion
import whistle

SERVERS = {
    "intake": [
        "whistle.cli",
        "whistle.commands.intake",
        "whistle.intake.app",
        "whistle.intake.wiring",
    ],
    "cases": ["whistle.cli", "whistle.commands.cases", "whistle.cases.app", "whistle.cases.wiring"],
    "witness": ["whistle.cli", "whistle.commands.witness", "whistle.witness.client"],
    "run": [
        "whistle.cli",
        "whistle.commands.run",
        "whistle.commands.init",
        "whistle.commands.doctor",
        "whistle.commands.backup",
        "whistle.commands.restore",
        "whistle.commands.rotate",
    ],
}
OPENING_CODE = ("crypto.private", "case_mgmt.desk", "whistle.desk")
PACKAGES = ("whistle", "crypto", "onion", "case_mgmt")


def loaded_after(imports: list[str]) -> set[str]:
    """The modules of an interpreter that imported these and nothing else."""
    script = "import sys, json\n" + "".join(f"import {name}\n" for name in imports)
    script += "print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("server", SERVERS)
def test_a_server_loads_nothing_that_can_open_a_report(server: str) -> None:
    loaded = loaded_after(SERVERS[server])
    guilty = {name for name in loaded if name.startswith(OPENING_CODE)}
    assert guilty == set()


def test_the_check_would_notice_the_desk() -> None:
    loaded = loaded_after(["whistle.desk.cli"])
    assert any(name.startswith("crypto.private") for name in loaded)


def test_the_intake_stays_small() -> None:
    loaded = loaded_after(SERVERS["intake"])
    assert not {"sqlalchemy", "alembic", "holidays", "stem"} & loaded


def test_a_witness_needs_nothing_of_the_cases() -> None:
    loaded = loaded_after(["whistle.witness.server", "whistle.witness.client"])
    assert not {"sqlalchemy", "alembic", "holidays", "case_mgmt", "jinja2"} & loaded


def test_no_other_distribution_ships_our_packages() -> None:
    owners = packages_distributions()
    for package in PACKAGES:
        assert set(owners.get(package, [])) <= {"whistle-intake"}, package


def test_our_packages_come_from_one_folder() -> None:
    parents = {
        Path(m.__file__ or "").resolve().parents[1] for m in (whistle, crypto, onion, case_mgmt)
    }
    assert len(parents) == 1
