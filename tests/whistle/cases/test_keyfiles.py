# SPDX-License-Identifier: AGPL-3.0-or-later
"""Key files: whole or not at all, never replaced."""

import os
import stat
from pathlib import Path

import pytest

from crypto.rng import system_rng
from whistle.cases.keyfiles import load_or_create_secret
from whistle.errors import ConfigError


def test_made_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "x.key"
    made = load_or_create_secret(path, system_rng, may_create=True)
    assert load_or_create_secret(path, system_rng, may_create=False) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.stat().st_nlink == 1
    assert [each.name for each in tmp_path.iterdir()] == ["x.key"]


def test_not_made_where_one_was_lost(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"x\.key is missing"):
        load_or_create_secret(tmp_path / "x.key", system_rng, may_create=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "12", "zz" * 32, "AB" * 32, "ab" * 33])
def test_a_damaged_key_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.key"
    path.write_text(text, encoding="ascii")
    with pytest.raises(ConfigError, match=r"x\.key"):
        load_or_create_secret(path, system_rng, may_create=True)
    assert path.read_text(encoding="ascii") == text


def test_an_interrupted_writing_leaves_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.key"
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(ConfigError, match="cannot be made"):
            load_or_create_secret(path, system_rng, may_create=True)
    assert not path.exists()
    assert len(load_or_create_secret(path, system_rng, may_create=True)) == 64


def full(_descriptor: int) -> None:
    raise OSError("no space left")
