# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a tor program is able to do, read from its own answers."""

from pathlib import Path

import pytest

from onion import tor_build
from onion.errors import TorFailedError, TorMissingError
from onion.tor_build import (
    FLOOR,
    TorBuild,
    Version,
    find_tor,
    parse_has_proof_of_work,
    parse_version,
)

MODULES = "relay: yes\ndirauth: yes\ndircache: yes\npow: {}\n"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("Tor version 0.4.9.11.\nThis build of Tor is covered by ...", (0, 4, 9, 11)),
        ("Tor version 0.4.7.16 (git-1a2b).", (0, 4, 7, 16)),
        ("Tor version 0.5.0.1-alpha-dev.", (0, 5, 0, 1)),
        ("Nov 21 [warn] something\nTor version 1.2.3.4.", (1, 2, 3, 4)),
    ],
)
def test_versions(text: str, version: Version) -> None:
    assert parse_version(text) == version


@pytest.mark.parametrize("text", ["", "Tor version", "Tor version 0.4.9", "tor 0.4.9.11"])
def test_no_version(text: str) -> None:
    with pytest.raises(TorFailedError):
        parse_version(text)


@pytest.mark.parametrize(
    ("text", "has"),
    [
        (MODULES.format("yes"), True),
        (MODULES.format("no"), False),
        ("relay: yes\n", False),
        ("", False),
        ("nopow: yes\n", False),
    ],
)
def test_modules(text: str, *, has: bool) -> None:
    assert parse_has_proof_of_work(text) is has


@pytest.mark.parametrize(
    ("version", "has", "old", "use"),
    [
        (FLOOR, True, False, True),
        (FLOOR, False, False, False),
        ((0, 4, 9, 10), True, True, False),
        ((0, 4, 8, 99), True, True, False),
        ((0, 5, 0, 0), True, False, True),
    ],
)
def test_proof_of_work_only_where_it_is_safe(
    version: Version, *, has: bool, old: bool, use: bool
) -> None:
    build = TorBuild(Path("/usr/bin/tor"), version, has)
    assert build.is_old is old
    assert build.use_proof_of_work is use


async def test_an_empty_path_has_no_tor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TorMissingError, match="apt install tor"):
        await find_tor()


async def test_a_program_that_is_no_tor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "tor"
    fake.write_text("#!/bin/sh\necho hello\n")
    fake.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TorFailedError):
        await find_tor()


async def test_a_program_that_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tor_build, "ANSWER_TIMEOUT", 0.1)
    fake = tmp_path / "tor"
    fake.write_text("#!/bin/sh\nwhile :; do :; done\n")
    fake.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TorFailedError, match="does not answer"):
        await find_tor()


@pytest.mark.tor
async def test_the_installed_tor_is_recent() -> None:
    build = await find_tor()
    assert not build.is_old
    assert build.has_proof_of_work
