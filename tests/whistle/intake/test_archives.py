# SPDX-License-Identifier: AGPL-3.0-or-later
"""The log and a release as one download: whole, the same for everybody, bounded."""

import asyncio
import io
import json
import tarfile
from collections.abc import Mapping

import aiohttp
import pytest

from crypto.rng import system_rng
from crypto.tlog.tiles import tile_paths, write_tiles
from crypto.tlog.tree import Tree, leaf_hash
from tests.support.intake import Intake
from tests.whistle.intake.test_public_files import ENTRIES, checkpoint
from whistle import limits
from whistle.intake import archives as subject
from whistle.intake.public_files import PublicFolder

ORG = {
    "manifest.json": b"{}", "manifest.sig": b"s", "policy.json": b"{}", "log-policy.txt": b"log\n",
    "catalogue.json": b"{}",
}  # fmt: skip
INSTANCE = bytes(range(32))
RELEASE = "2026-q3"


def log_of(folder: PublicFolder, size: int, since: int = 0) -> None:
    """Let the log grow to this size, as the case server hands it over: the checkpoint last."""
    tree = Tree(leaf_hash(each) for each in ENTRIES[:size])
    for path, data in write_tiles(ENTRIES[:size], tree, since).items():
        folder.put(f"log/{path}", data)
    folder.put("log/checkpoint", checkpoint(size))


def release_in(folder: PublicFolder, *, complete: bool = True) -> dict[str, bytes]:
    files = {"index.html": b"<p>", "data/weekly.csv": b"a,b\n", "log/tile/0/000": bytes(64)}
    files["release.sig"] = b"{}"
    names = {name: "00" * 32 for name in files if name != "release.sig"}
    files["release.json"] = json.dumps({"files": names}).encode()
    for name, data in files.items():
        if complete or name != "release.json":
            folder.put(f"releases/{RELEASE}/{name}", data)
    return files


def unpacked(data: bytes) -> Mapping[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data)) as file:
        contents = {each.name: file.extractfile(each) for each in file}
    return {name: content.read() for name, content in contents.items() if content is not None}


async def fetch(
    intake: Intake, path: str, method: str = "GET"
) -> tuple[int, bytes, Mapping[str, str]]:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, intake.base + path) as answer,
    ):
        return answer.status, await answer.read(), answer.headers


@pytest.mark.parametrize("size", [1, 255, 256, 257, 300])
def test_paths_are_those_that_are_written(size: int) -> None:
    tree = Tree(leaf_hash(each) for each in ENTRIES[:size])
    assert set(tile_paths(size)) == set(write_tiles(ENTRIES[:size], tree))


def test_the_log_is_one_snapshot(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = PublicFolder(tmp_path_factory.mktemp("public"), system_rng)
    assert subject.log_archive(folder, ORG, INSTANCE) is None
    log_of(folder, 200)
    before = subject.log_archive(folder, ORG, INSTANCE)
    assert before is not None
    pieces = before.pieces(1000)
    start = next(pieces)
    log_of(folder, 300, since=200)  # a batch arrives while somebody downloads
    found = unpacked(start + b"".join(pieces))
    assert found["whistle-log/log/checkpoint"] == checkpoint(200)
    assert found["whistle-log/instance.id"] == INSTANCE.hex().encode() + b"\n"
    assert "whistle-log/catalogue.json" not in found
    again = PublicFolder(tmp_path_factory.mktemp("public"), system_rng)
    log_of(again, 300)
    grown = [subject.log_archive(each, ORG, INSTANCE) for each in (folder, again)]
    whole = [b"".join(each.pieces(4096)) for each in grown if each is not None]
    assert len(whole) == 2
    assert whole[0] == whole[1]  # whatever lies there from before
    names = {f"whistle-log/log/{path}" for path in tile_paths(300)}
    assert {name for name in unpacked(whole[0]) if "/tile/" in name} == names


@pytest.mark.parametrize("name", ["log/tile/0/000.p/200", "log/tile/entries/000.p/200"])
def test_a_log_with_a_hole_is_no_archive(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    root = tmp_path_factory.mktemp("public")
    folder = PublicFolder(root, system_rng)
    log_of(folder, 200)
    (root / name).unlink()
    assert subject.log_archive(folder, ORG, INSTANCE) is None
    assert subject.log_archive(folder, {}, INSTANCE) is None


@pytest.mark.parametrize(
    "listed",
    [
        b"{}", b"[]", b"not json", b'{"files":[]}', b'{"files":{"../../intake.db":"00"}}',
        b'{"files":{"/etc/passwd":"00"}}', b'{"files":{"missing":"00"}}',
    ],
)  # fmt: skip
def test_a_list_that_is_none_opens_nothing(
    tmp_path_factory: pytest.TempPathFactory, listed: bytes
) -> None:
    folder = PublicFolder(tmp_path_factory.mktemp("public"), system_rng)
    release_in(folder, complete=False)
    folder.put(f"releases/{RELEASE}/release.json", listed)
    assert subject.release_archive(folder, RELEASE) is None


async def test_over_http(intake: Intake) -> None:
    public = intake.services.public
    for path in ("/log.tar", f"/releases/{RELEASE}.tar", "/releases/..%2flog.tar"):
        assert (await fetch(intake, path))[0] == 404
    files = release_in(public, complete=False)
    assert (await fetch(intake, f"/releases/{RELEASE}.tar"))[0] == 404
    release_in(public)
    public.put(f"releases/{RELEASE}/unlisted.txt", b"x")
    status, body, headers = await fetch(intake, f"/releases/{RELEASE}.tar")
    assert status == 200
    assert headers["Content-Type"] == "application/x-tar"
    assert headers["Content-Disposition"] == f'attachment; filename="whistle-{RELEASE}.tar"'
    assert "immutable" in headers["Cache-Control"]
    assert int(headers["Content-Length"]) == len(body)
    assert unpacked(body) == {f"{RELEASE}/{name}": data for name, data in files.items()}
    status, nothing, head = await fetch(intake, f"/releases/{RELEASE}.tar", "HEAD")
    assert (status, nothing, head["Content-Length"]) == (200, b"", str(len(body)))


async def test_the_verifying_page_is_a_download(intake: Intake) -> None:
    status, body, headers = await fetch(intake, "/verify.html")
    assert status == 200
    assert headers["Content-Disposition"] == 'attachment; filename="whistle-verify.html"'
    assert b"default-src &#39;none&#39;" in body


async def test_only_so_many_at_once(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_ARCHIVES", 1)
    base = f"releases/{RELEASE}/"
    release_in(intake.services.public, complete=False)
    for number in range(8):
        intake.services.public.put(f"{base}big-{number}.csv", bytes(limits.MAX_PUBLIC_FILE))
    names = {f"big-{number}.csv": "00" for number in range(8)}
    listed = json.dumps({"files": names}).encode()
    intake.services.public.put(base + "release.json", listed)
    async with aiohttp.ClientSession(read_bufsize=1024) as session:
        slow = await session.get(f"{intake.base}/{base[:-1]}.tar")
        assert await slow.content.read(1)
        assert intake.services.archives == 1
        assert (await fetch(intake, f"/{base[:-1]}.tar"))[0] == 503
        slow.close()
    async with asyncio.timeout(60):
        while intake.services.archives:
            await asyncio.sleep(0.01)
    assert (await fetch(intake, f"/{base[:-1]}.tar"))[0] == 200
