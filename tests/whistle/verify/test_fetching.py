# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle verify --from`: whole archives from a running intake, and nothing else."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from crypto.promise import sign_promise
from tests.support.intake import Intake, running_intake
from tests.support.published import write
from tests.whistle.verify.conftest import Scene
from whistle.cli import main


def publish(scene: Scene, intake: Intake) -> None:
    """Everything of the third release, and its log, to a running intake of the same town."""
    public, folder = intake.services.public, scene.third
    files = sorted(each for each in folder.rglob("*") if each.is_file())
    for each in files:
        name = each.relative_to(folder).as_posix()
        public.put(f"releases/2024-q3/{name}", each.read_bytes())
        if name.startswith("log/"):
            public.put(name, each.read_bytes())


async def verify(*words: object) -> tuple[int | None, dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "whistle", "verify", *map(str, words), "--json",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    out, _ = await process.communicate()
    return process.returncode, json.loads(out or b"{}")


async def test_release_and_log_from_a_site(scene: Scene, tmp_path: Path) -> None:
    async with running_intake(tmp_path / "site") as intake:
        publish(scene, intake)
        code, found = await verify("release", "2024-q3", "--from", intake.base, "--quick")
        assert (code, found["good"]) == (0, True)
        code, _ = await verify("release", "2024-q2", "--from", intake.base, "--quick")
        assert code == 1
        # the site's own signed files belong to another town than this log
        case, org = scene.city.cases[0], scene.town.org
        write(
            tmp_path / "promise",
            sign_promise(
                org.service_seeds["intake"], org.instance_id, case.commitment, case.arrival
            ),
        )
        code, found = await verify("promise", tmp_path / "promise", "--from", intake.base)
        assert code == 1


@pytest.mark.parametrize(
    "words",
    [
        ["--from", "https://example.org"],
        ["--from", f"http://{'a' * 56}.onion", "--proxy", "socks5://127.0.0.1:9"],
        ["--from", "http://127.0.0.1:9"],
    ],
)
def test_addresses_that_are_not_reached(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", "release", "2024-q3", *words]) == 1
    assert capsys.readouterr().err


@pytest.mark.parametrize("name", ["../manifest.json", "2024-Q3", "log", "2024-q3/x"])
def test_names_that_are_no_release(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "release", name, "--from", "http://127.0.0.1:9", "--lang", "en"]) == 1
    assert "is not the name of a release" in capsys.readouterr().err
