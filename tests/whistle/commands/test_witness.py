# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle witness` as people run it: founding, serving, being killed, going on."""

import contextlib
import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto.tlog.lines import KeyType
from crypto.tlog.note import VerifierKey, open_note
from crypto.tlog.witness import AddCheckpoint
from tests.support.sample_log import FIRST, LOG, SampleLog
from whistle import cli
from whistle.commands import witness

NAME = "witness.example/university"


@pytest.fixture(autouse=True)
def unhardened(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own process keeps its umask; the real thing runs in a process of its own."""
    monkeypatch.setattr(witness, "harden_process", lambda: None)


def found(state: Path, capsys: pytest.CaptureFixture[str]) -> VerifierKey:
    assert cli.main(["witness", "init", "--name", NAME, "--state", str(state)]) == 0
    return VerifierKey.parse(capsys.readouterr().out.strip())


def test_init_prints_the_key_and_key_prints_it_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = found(tmp_path / "w", capsys)
    assert (key.name, key.kind) == (NAME, KeyType.COSIGNATURE)
    assert cli.main(["witness", "key", "--state", str(tmp_path / "w")]) == 0
    assert capsys.readouterr().out.strip() == key.encode()


@pytest.mark.parametrize(
    "words",
    [
        ["init", "--name", "two words", "--state", "STATE"],
        ["init", "--name", NAME, "--state", "/proc/nowhere"],
        ["key", "--state", "STATE"],
        ["serve", "--state", "STATE", "--log", LOG.verifier.encode()],
        ["serve", "--state", "/nowhere", "--log", LOG.verifier.encode()],
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["witness", *(word.replace("STATE", str(tmp_path)) for word in words)]) == 1
    assert capsys.readouterr().err.startswith("whistle witness: ")


def test_a_witness_is_founded_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found(tmp_path, capsys)
    assert cli.main(["witness", "init", "--name", NAME, "--state", str(tmp_path)]) == 1


@pytest.mark.parametrize("vkey", ["", "x", FIRST.verifier.encode()])
def test_only_a_log_s_key_is_watched(tmp_path: Path, vkey: str) -> None:
    with pytest.raises(SystemExit) as error:
        cli.main(["witness", "serve", "--state", str(tmp_path), "--log", vkey])
    assert error.value.code == 2


@contextlib.contextmanager
def served(state: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """A witness in a process of its own."""
    ready = state / "ready.json"
    ready.unlink(missing_ok=True)
    arguments = ["--state", str(state), "--log", LOG.verifier.encode(), "--ready-file", str(ready)]
    command = [sys.executable, "-m", "whistle", "witness", "serve", "--listen", "127.0.0.1:0"]
    process = subprocess.Popen([*command, *arguments])
    try:
        deadline = time.monotonic() + 60
        while not ready.exists():
            assert process.poll() is None, "the witness ended"
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield json.loads(ready.read_text())["url"].rstrip("/"), process
    finally:
        process.kill()
        process.wait(20)


def add(url: str, log: SampleLog, old: int) -> tuple[int, str]:
    body = AddCheckpoint(old, tuple(log.tree.consistency(old)), log.note()).encode()
    try:
        with urllib.request.urlopen(f"{url}/add-checkpoint", body, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.mark.slow
def test_what_was_cosigned_survives_a_killed_witness(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = found(tmp_path, capsys)
    log, fork = SampleLog.of(12), SampleLog.of(20, b"fork")
    with served(tmp_path) as (url, process):
        status, line = add(url, log, 0)
        process.send_signal(signal.SIGKILL)
    assert status == 200
    assert open_note(log.note() + line, [key]).verified == (key,)
    with served(tmp_path) as (url, process):
        assert add(url, fork, 0) == (409, "12\n")
        assert add(url, fork, 12)[0] == 422
        log.grow(5)
        assert add(url, log, 12)[0] == 200
        second = cli.main(
            ["witness", "serve", "--state", str(tmp_path), "--log", LOG.verifier.encode()]
        )
        assert second == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
