# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle install` shows first, does what it showed, and overwrites nothing unasked."""

import pwd
from pathlib import Path

import pytest

from whistle.cli import main
from whistle.commands import install

PREFIX = "/opt/whistle"


def run(root: Path, *words: str, prefix: str = PREFIX) -> int:
    return main(["install", "--root", str(root), "--prefix", prefix, *words])


def written(root: Path) -> dict[str, Path]:
    return {str(path.relative_to(root)): path for path in root.rglob("*") if path.is_file()}


def test_without_apply_nothing_is_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path) == 0
    assert written(tmp_path) == {}
    said = capsys.readouterr().out
    assert said.count("  new ") == len(install.PLACES)
    assert "Nothing was changed" in said


def test_what_was_shown_is_done(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "--apply") == 0
    files = written(tmp_path)
    assert set(files) == {place for _, place in install.PLACES}
    for path in files.values():
        text = path.read_text(encoding="utf-8")
        assert install.PREFIX_MARK not in text
        assert path.stat().st_mode & 0o777 == 0o644
    unit = files["etc/systemd/system/whistle-intake.service"].read_text(encoding="utf-8")
    assert f"ExecStart={PREFIX}/bin/python3 -P -m whistle intake" in unit
    capsys.readouterr()
    assert run(tmp_path, "--apply") == 0
    assert capsys.readouterr().out.count("  same ") == len(install.PLACES)


def test_a_file_that_differs_stays_unless_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "etc/sysusers.d/whistle.conf"
    own.parent.mkdir(parents=True)
    own.write_text("# mine\n", encoding="utf-8")
    assert run(tmp_path, "--apply") == 1
    assert own.read_text(encoding="utf-8") == "# mine\n"
    assert set(written(tmp_path)) == {"etc/sysusers.d/whistle.conf"}
    assert "--replace" in capsys.readouterr().err
    assert run(tmp_path, "--apply", "--replace") == 0
    assert own.read_text(encoding="utf-8") != "# mine\n"


@pytest.mark.parametrize(
    "prefix",
    [
        "relative",
        "/opt/a b",
        "/opt/x\nUser=root",
        '/opt/"',
        "/home/a/venv",
        pwd.getpwuid(0).pw_dir + "/venv",
    ],
)
def test_a_prefix_that_cannot_work_is_refused(tmp_path: Path, prefix: str) -> None:
    assert run(tmp_path, "--apply", prefix=prefix) == 1
    assert written(tmp_path) == {}


def test_a_root_runs_no_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(install.subprocess, "run", never)
    assert run(tmp_path, "--apply") == 0


def test_a_command_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(install.CommandError, match="“/nonexistent x” failed"):
        install.carry_out([], [("/nonexistent", "x")])
