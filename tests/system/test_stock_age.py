# SPDX-License-Identifier: AGPL-3.0-or-later
"""A report sealed with a stock age implementation (npm age-encryption) reaches a desk and opens
there: real programs, nothing of ours on the reporter's side.
"""

import asyncio
import subprocess
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from tests.support.http_reporter import HttpReporter, words_of
from tests.support.service import Service, running
from tests.support.vectors import FOLDER, npm_package

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]

PEOPLE = ("penyidik-1", "penyidik-2", "pengawas")
STORY = "Kenari-7391: diminta Rp 150.000 di loket 3, padahal tarifnya nol.\n" * 40


def seal_with_stock_age(manifest: bytes, folder: Path) -> Path:
    npm_package("age-encryption")
    (folder / "manifest.json").write_bytes(manifest)
    (folder / "laporan.txt").write_text(STORY, encoding="utf-8")
    command = ["node", "stock-age.mjs"]
    paths = [str(folder / name) for name in ("manifest.json", "laporan.txt", "laporan.txt.age")]
    subprocess.run([*command, *paths], cwd=FOLDER, check=True)
    return folder / "laporan.txt.age"


async def on_the_page(service: Service, case: str, person: str) -> tuple[str, bytes]:
    """The case page of one person's desk, and what the desk opened as a download."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        entry = URL(service.ready["desk"])
        await session.get(entry)
        base, headers = entry.origin(), {"Origin": str(entry.origin())}
        await session.post(base / "unlock", data={"keystore": person}, headers=headers)
        async with session.get(base / "case" / case) as answer:
            page = await answer.text()
        async with session.get(base / "case" / case / "files" / "1" / "opened") as answer:
            assert answer.status == 200
            return page, await answer.read()


async def post(base: str, name: str, data: bytes) -> tuple[int, str]:
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("bundle", data, filename=name)
    async with (
        aiohttp.ClientSession() as session,
        session.post(base.rstrip("/") + "/id/sealed", data=form) as answer,
    ):
        return answer.status, await answer.text()


async def test_stock_age_file_reaches_the_desk_and_opens(tmp_path: Path) -> None:
    def start() -> Service:
        service = Service(tmp_path / "state", "--no-tor")
        service.start()
        return service

    service = await asyncio.to_thread(start)
    try:
        base = service.ready["reporter"]
        async with HttpReporter(base) as reporter:
            manifest = (await reporter.get("/manifest.json")).encode()
            sealed = await asyncio.to_thread(seal_with_stock_age, manifest, tmp_path)
            data = sealed.read_bytes()
            assert data.startswith(b"age-encryption.org/v1\n")
            assert b"Kenari" not in data
            status, page = await post(base, sealed.name, data)
            assert status == 200, page
            words = words_of(page)
            assert "Diterima" in await reporter.look(words)
        (case,) = await asyncio.to_thread(service.desk("pengawas").wait_for, 1)
        number = case["case"]
        for person in PEOPLE:
            desk, folder = service.desk(person), tmp_path / person
            shown = await asyncio.to_thread(desk.run, "show", number)
            (listed,) = shown["report"]["files"]
            assert listed["type"] == "application/age-encryption"
            assert (listed["opened"]["text"], listed["opened"]["problem"]) == (STORY, None)
            done = await asyncio.to_thread(desk.run, "files", number, "--to", folder)
            (file,) = done["files"]
            assert Path(file["path"]).read_bytes() == data
            assert Path(file["opened"]["path"]).read_bytes() == STORY.encode()
            assert Path(file["opened"]["path"]).name == "laporan.txt"
        page, inner = await on_the_page(service, number, "pengawas")
        assert "Kenari-7391: diminta Rp 150.000 di loket 3" in page
        assert inner == STORY.encode()
    finally:
        await asyncio.to_thread(service.stop)


async def test_a_passphrase_or_foreign_key_type_is_refused(tmp_path: Path) -> None:
    """Nobody at the office could open it; the reporter must hear so at once."""
    with running(tmp_path / "state", "--no-tor") as service:
        base = service.ready["reporter"]
        header = b"age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 18\n" + b"A" * 43 + b"\n"
        data = header + b"--- " + b"A" * 43 + b"\n" + bytes(64)
        status, _page = await post(base, "x.age", data)
        assert status == 422
        status, _page = await post(base, "x.age", b"no bundle at all")
        assert status == 422
