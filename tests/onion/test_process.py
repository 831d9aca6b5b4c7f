# SPDX-License-Identifier: AGPL-3.0-or-later
"""Our tor process: what of its log is kept, and how it ends."""

import os
from pathlib import Path

import pytest

from onion import process as process_module
from onion.errors import TorFailedError
from onion.process import TorProcess
from tests.onion.fake_tor import until

ADDRESS = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid"


def make(tmp_path: Path, script: str) -> tuple[TorProcess, list[str]]:
    program = tmp_path / "tor"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    lines: list[str] = []
    (tmp_path / "torrc").write_text("")
    return TorProcess(program, tmp_path / "torrc", lines.append), lines


async def test_each_line_is_handed_on(tmp_path: Path) -> None:
    process, lines = make(tmp_path, "echo one; echo two >&2; printf three")
    await process.start()
    await process.wait()
    assert lines == ["one", "two", "three"]
    assert process.has_ended


async def test_a_line_too_long_is_dropped_and_the_rest_is_read(tmp_path: Path) -> None:
    process, lines = make(
        tmp_path, "head -c 300000 /dev/zero | tr '\\0' x; echo; sleep 0.2; echo ok"
    )
    await process.start()
    await process.wait()
    assert lines[-1] == "ok"


async def test_bytes_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    process, lines = make(tmp_path, "printf '\\377\\376\\n'; echo ok")
    await process.start()
    await process.wait()
    assert lines[-1] == "ok"


async def test_the_reason_holds_no_address(tmp_path: Path) -> None:
    words = f"'[warn] x {ADDRESS}.onion 203.0.113.9:443 $0123456789ABCDEF0123456789ABCDEF01234567'"
    process, _ = make(tmp_path, f"echo {words}; exit 1")
    await process.start()
    await process.wait()
    assert ADDRESS not in process.obituary()
    assert "203.0.113.9" not in process.obituary()
    assert "89ABCDEF" not in process.obituary()
    assert process.obituary().startswith("tor ended: x ")


async def test_an_end_without_words(tmp_path: Path) -> None:
    process, _ = make(tmp_path, "exit 3")
    await process.start()
    await process.wait()
    assert process.obituary() == "tor ended without a reason"


async def test_it_reads_no_configuration_but_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHISTLE_TEST", "leaked")
    process, lines = make(tmp_path, 'echo "$@"; env')
    await process.start()
    await process.wait()
    defaults, torrc = tmp_path / "torrc-defaults", tmp_path / "torrc"
    assert lines[0] == f"--defaults-torrc {defaults} -f {torrc}"
    assert defaults.read_text() == ""
    assert f"HOME={tmp_path}" in lines
    assert "leaked" not in "".join(lines)


async def test_it_is_asked_first(tmp_path: Path) -> None:
    process, lines = make(
        tmp_path, "trap 'echo asked; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    )
    await process.start()
    await until(lambda: lines == ["up"])
    await process.stop()
    assert lines == ["up", "asked"]


async def test_it_is_killed_when_it_does_not_listen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_module, "STOP_TIMEOUT", 0.2)
    process, lines = make(tmp_path, "trap '' TERM; echo up; while :; do sleep 0.05; done")
    await process.start()
    await until(lambda: lines == ["up"])
    assert process.pid is not None
    await process.stop()
    assert process.has_ended
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


async def test_stopping_twice_or_before_the_start_is_nothing(tmp_path: Path) -> None:
    process, _ = make(tmp_path, "exec sleep 60")
    await process.stop()
    assert process.pid is None
    await process.start()
    await process.stop()
    await process.stop()
    assert process.has_ended


async def test_a_program_that_cannot_start(tmp_path: Path) -> None:
    (tmp_path / "torrc").write_text("")
    process = TorProcess(tmp_path / "absent", tmp_path / "torrc", lambda _: None)
    with pytest.raises(TorFailedError):
        await process.start()
    await process.stop()
