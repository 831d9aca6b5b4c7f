# SPDX-License-Identifier: AGPL-3.0-or-later
"""A report sealed with a stock age implementation (npm age-encryption) reaches a desk and opens
there: real programs, nothing of ours on the reporter's side.
"""

import asyncio
import subprocess
from pathlib import Path

import aiohttp
import pytest

from crypto.private.age_open import open_all
from crypto.private.keystore import open_keystore
from tests.support.http_reporter import HttpReporter, words_of
from tests.support.service import Service, running
from tests.support.vectors import FOLDER, npm_package

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]

STORY = "Kenari-7391: diminta Rp 150.000 di loket 3, padahal tarifnya nol.\n" * 40


def seal_with_stock_age(manifest: bytes, folder: Path) -> Path:
    npm_package("age-encryption")
    (folder / "manifest.json").write_bytes(manifest)
    (folder / "laporan.txt").write_text(STORY, encoding="utf-8")
    command = ["node", "stock-age.mjs"]
    paths = [str(folder / name) for name in ("manifest.json", "laporan.txt", "laporan.txt.age")]
    subprocess.run([*command, *paths], cwd=FOLDER, check=True)
    return folder / "laporan.txt.age"


def opened_with_keystore(service: Service, person: str, data: bytes) -> bytes:
    """What the key of one person's desk opens."""
    keystore = Path(service.ready["keystores"][person]["path"]).read_bytes()
    passphrase = Path(service.ready["passphrase_file"]).read_text(encoding="utf-8").strip()
    return open_all(open_keystore(keystore, passphrase).recipient_seed, data)


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
        desk = service.desk("pengawas")
        (case,) = await asyncio.to_thread(desk.wait_for, 1)
        await asyncio.to_thread(desk.run, "files", case["case"], "--to", tmp_path / "evidence")
        saved = {path.name: path.read_bytes() for path in (tmp_path / "evidence").iterdir()}
        assert data in saved.values(), sorted(saved)
        assert opened_with_keystore(service, "penyidik-1", data) == STORY.encode()
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
