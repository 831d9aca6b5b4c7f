# SPDX-License-Identifier: AGPL-3.0-or-later
import re
import subprocess
import sys
from pathlib import Path

import pytest

from whistle import __version__
from whistle.cli import COMMANDS, main

ROOT = Path(__file__).resolve().parents[2]


def test_without_a_command_it_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(f"  {name} " in out for name in COMMANDS)


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["publsh"]) == 2
    assert "publsh" in capsys.readouterr().err


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert __version__ in capsys.readouterr().out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([name, "--help"])
    assert stop.value.code == 0
    out = capsys.readouterr().out
    assert out.startswith(f"usage: whistle {name}")
    assert "None" not in out


@pytest.mark.parametrize("name", COMMANDS)
def test_the_specification_names_every_flag(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([name, "--help"])
    flags = set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out)) - {"--help"}
    papers = [ROOT / "docs" / "spec" / f"{paper}.md" for paper in ("run", "offline", "backup")]
    text = "".join(paper.read_text(encoding="utf-8") for paper in papers)
    assert {flag for flag in flags if flag not in text} == set()


def test_the_installed_programs_answer() -> None:
    for program in ("whistle", "whistle-desk"):
        command = [str(Path(sys.executable).with_name(program)), "--help"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert program in done.stdout
