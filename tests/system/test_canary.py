# SPDX-License-Identifier: AGPL-3.0-or-later
"""Canary run: unique strings in every field, file, file name, message and code; none may be found
anywhere.

Searched afterwards: the state directory, the temporary directory the processes were given, logs
and captured output, in every encoding of `tests.support.canaries`. The same search finds a planted
leak.
"""

import asyncio
import base64
import gzip
import os
import secrets
import sqlite3
from pathlib import Path

import pytest
import sqlcipher3.dbapi2 as sqlcipher

from tests.support.canaries import find, find_in_files
from tests.support.http_reporter import HttpReporter
from tests.support.service import Service, files_below
from whistle.intake.fields import REPORT_FIELDS, Kind

pytestmark = pytest.mark.slow


def canary(name: str) -> str:
    return f"KENARI{name}{secrets.token_hex(10)}"


def answers() -> tuple[dict[str, str], list[str]]:
    """A canary in every field that takes free text."""
    free = [field.name for field in REPORT_FIELDS if field.kind in {Kind.LINE, Kind.TEXT}]
    fields = {name: canary(name) for name in free}
    return fields, list(fields.values())


async def play(service: Service) -> list[str]:
    """One report with files, follow-ups both ways and a wrong code; returns every canary used."""
    fields, canaries = answers()
    file_names = [canary("nama") + ".bin", canary("nama") + ".txt"]
    contents = [canary("isi").encode() * 3000, canary("isi").encode()]
    async with HttpReporter(service.ready["reporter"]) as reporter:
        draft = await reporter.draft(fields, list(zip(file_names, contents, strict=True)))
        words = await reporter.send(draft)
        wrong = [*words[:-1], "salah" + canary("kode").lower()]
        await reporter.look(wrong)
        page = await reporter.look(words)
        later = canary("susulan")
        await reporter.write(page, later, [(canary("nama") + ".dat", contents[1])])
    pengawas = service.desk("pengawas")
    case = (await asyncio.to_thread(pengawas.wait_for, 1))[0]["case"]
    answer, note = canary("jawaban"), canary("catatan")
    await asyncio.to_thread(pengawas.run, "act", case, "--to", "assessing", "--message", answer)
    await asyncio.to_thread(pengawas.run, "note", case, "--text", note)
    async with HttpReporter(service.ready["reporter"]) as reporter:
        for _ in range(60):
            page = await reporter.look(words)
            if answer in page:
                break
            await asyncio.sleep(0.25)
        assert answer in page
        assert later in page
    texts = [
        contents[0][:40].decode(),
        contents[1].decode(),
        *file_names,
        answer,
        note,
        later,
        wrong[-1],
    ]
    separators = (" ", "-", "+", "\n", ",", '", "')
    codes = [
        separator.join(words[start : start + 3]) for separator in separators for start in range(10)
    ]
    return [*canaries, *texts, *codes]


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    return Service(tmp_path / "state", "--no-tor")


def test_nothing_a_reporter_wrote_is_found_anywhere(service: Service, tmp_path: Path) -> None:
    service.start()
    try:
        canaries = asyncio.run(play(service))
        assert find_in_files(canaries, files_below(tmp_path)) == []
    finally:
        service.stop()
    assert find_in_files(canaries, files_below(tmp_path)) == []
    assert service.output.exists()
    _databases_need_their_key(service.state)


def _databases_need_their_key(state: Path) -> None:
    databases = sorted(state.rglob("*.db"))
    assert {path.name for path in databases} == {"intake.db", "cases.db"}
    for path in databases:
        with pytest.raises(sqlite3.DatabaseError, match="not a database"):
            sqlite3.connect(path).execute("SELECT count(*) FROM sqlite_master")
        for key in ("'wrong'", f"\"x'{'00' * 32}'\""):
            connection = sqlcipher.connect(str(path))
            connection.execute("PRAGMA cipher_log_level = NONE")
            connection.execute(f"PRAGMA key = {key}")
            with pytest.raises(sqlcipher.DatabaseError, match="not a database"):
                connection.execute("SELECT count(*) FROM sqlite_master")
            connection.close()


def test_the_search_finds_a_planted_leak(tmp_path: Path) -> None:
    word = canary("uji")
    leaks = {
        "plain.log": f"text before {word} after".encode(),
        "utf16.bin": word.encode("utf-16-le"),
        "hex.txt": word.encode().hex().encode(),
        "b64-0.txt": base64.b64encode(word.encode() + b"xyz"),
        "b64-1.txt": base64.b64encode(b"a" + word.encode() + b"xyz"),
        "b64-2.txt": base64.urlsafe_b64encode(b"ab" + word.encode()),
        "deflated.gz": gzip.compress(os.urandom(50) + word.encode()),
    }
    for name, content in leaks.items():
        (tmp_path / name).write_bytes(content)
    found = find_in_files([word], sorted(tmp_path.iterdir()))
    assert {line.split(":")[0] for line in found} == set(leaks)
    assert find([word], os.urandom(10_000)) == []
