# SPDX-License-Identifier: AGPL-3.0-or-later
"""The signed list of a site's files, from the root key to a visitor's verdict."""

import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from crypto.private.root import seal_root
from crypto.rng import system_rng
from tests.support.intake import Intake
from tests.support.org import Org
from tests.whistle.desk.commands import run as desk
from tests.whistle.tool.running import pinned, tool
from whistle.intake.served import served_files
from whistle.sitefiles import verify_list
from whistle.tool import sitecheck
from whistle.tool.sitecheck import PAGES, _Finder
from whistle.verify.offline_page import offline_page

PASSPHRASE = "enam kata acak yang panjang sekali"


def sign_site(org: Org, folder: Path, *words: object) -> Any:
    """Sign the list with the organisation's root key, as its keeper does."""
    root, passphrase = folder / "root.key", folder / "passphrase"
    if not root.exists():
        root.write_bytes(
            seal_root(org.root_seed, PASSPHRASE, system_rng, opslimit=1, memlimit=1 << 26)
        )
        passphrase.write_text(PASSPHRASE)
    done = desk(
        "root", "sign-site", "--root", root, "--passphrase-file", passphrase,
        "--org", org.dir, "--max-file-mib", "5", "--json", "--lang", "en", *words,
    )  # fmt: skip
    assert done.code == 0, done.err
    return done.json


async def fetch(intake: Intake, path: str) -> tuple[int, bytes, Any]:
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.get(intake.base + path, skip_auto_headers=["Accept-Encoding"]) as answer,
    ):
        return answer.status, await answer.read(), answer.headers


async def verify(intake: Intake, *words: object) -> Any:
    return await tool("verify-site", intake.base, *pinned(intake), *words)


async def test_site_as_signed(intake: Intake, tmp_path: Path) -> None:
    signed = sign_site(intake.org, tmp_path)
    assert signed["serial"] == 1
    done = await verify(intake, "--json")
    assert done.code == 0, done.err
    assert done.json["good"]
    assert {file["path"] for file in done.json["files"]} == {f["path"] for f in signed["files"]}
    people = await verify(intake)
    assert f"All {len(signed['files'])} files are what the organisation signed" in people.out
    assert people.out.count("as signed") == len(signed["files"])


async def test_every_served_file_is_what_was_listed(intake: Intake, tmp_path: Path) -> None:
    sign_site(intake.org, tmp_path)
    _status, data, _headers = await fetch(intake, "/site-manifest.json")
    _status, signature, _headers = await fetch(intake, "/site-manifest.sig")
    listed = verify_list(data, signature, intake.org.instance_id)
    assert {file.path for file in listed.files} == set(
        served_files(intake.services.organisation, offline_page())
    )
    for file in listed.files:
        status, body, _headers = await fetch(intake, file.path)
        assert status == 200, file.path
        assert (len(body), hashlib.sha256(body).hexdigest()) == (file.size, file.sha256)


async def test_list_grows_and_never_goes_back(intake: Intake, tmp_path: Path) -> None:
    memory = tmp_path / "seen.json"
    assert sign_site(intake.org, tmp_path)["serial"] == 1
    assert sign_site(intake.org, tmp_path)["serial"] == 2
    assert (await verify(intake, "--remember", memory)).code == 0
    sign_site(intake.org, tmp_path, "--serial", "1")
    done = await verify(intake, "--remember", memory)
    assert done.code == 1
    assert "older than one seen before" in done.err


async def test_changed_file_is_named(
    intake: Intake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_site(intake.org, tmp_path)
    pages = intake.services.organisation.pages
    style = pages.files[pages.style_path]
    object.__setattr__(style, "body", style.body + b"\n")
    done = await verify(intake, "--json")
    assert done.code == 1
    bad = [file for file in done.json["files"] if file["verdict"] != "same"]
    assert bad == [{"path": pages.style_path, "verdict": "differs", "page": None}]
    assert "NOT what the organisation signed" in done.err


async def test_missing_and_unlisted_files_are_named(intake: Intake, tmp_path: Path) -> None:
    sign_site(intake.org, tmp_path)
    pages = intake.services.organisation.pages
    old = pages.style_path
    del pages.files[old]  # type: ignore[attr-defined]
    done = await verify(intake, "--json")
    assert [f["path"] for f in done.json["files"] if f["verdict"] == "missing"] == [old]


async def test_unsigned_site_and_foreign_signature(intake: Intake, tmp_path: Path) -> None:
    done = await verify(intake)
    assert done.code == 1
    assert "no signed list" in done.err
    sign_site(intake.org, tmp_path)
    (intake.org.dir / "site-manifest.sig").write_bytes(bytes(64))
    done = await verify(intake)
    assert done.code == 1
    assert "not signed by this organisation" in done.err


def test_another_root_key_cannot_sign(intake: Intake, tmp_path: Path) -> None:
    root, passphrase = tmp_path / "other.key", tmp_path / "p"
    root.write_bytes(seal_root(bytes(32), PASSPHRASE, system_rng, opslimit=1, memlimit=1 << 26))
    passphrase.write_text(PASSPHRASE)
    done = desk(
        "root", "sign-site", "--root", root, "--passphrase-file", passphrase,
        "--org", intake.org.dir, "--lang", "en",
    )  # fmt: skip
    assert done.code == 2
    assert not (intake.org.dir / "site-manifest.json").exists()


def test_what_a_page_would_load_is_seen() -> None:
    finder = _Finder()
    finder.feed(
        '<link rel="icon" href="data:,"><link rel=stylesheet href="/s.css"><script>x</script>'
        '<script src="https://evil/x.js"></script><img src="//evil/p.png" onerror="x()">'
        '<p style="color:red">x</p><style>p{}</style><script type="application/json">{}</script>'
    )
    verdicts = {each: sitecheck._judge(each, frozenset({"/s.css"})) for each in finder.found}
    assert verdicts == {
        "data:,": "same", "/s.css": "same", "<script>": "inline", "<style>": "inline",
        "https://evil/x.js": "foreign", "//evil/p.png": "foreign", "on…=": "inline",
        "style=": "inline",
    }  # fmt: skip
    assert sitecheck._judge("/other.js", frozenset({"/s.css"})) == "unlisted"


async def test_pages_name_only_listed_files(intake: Intake) -> None:
    """What WEBCAT asks of pages: nothing inline, nothing from elsewhere, everything listed."""
    served = served_files(intake.services.organisation, offline_page())
    for page in PAGES:
        status, body, headers = await fetch(intake, page)
        assert status == 200, page
        assert "unsafe" not in headers["Content-Security-Policy"]
        finder = _Finder()
        finder.feed(body.decode())
        for address in finder.found:
            assert sitecheck._judge(address, frozenset(served)) == "same", (page, address)


class _Form(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"input", "select", "textarea"}:
            self.names.append(dict(attrs).get("name") or "")


@pytest.mark.parametrize("lang", ["id", "en"])
async def test_offline_page_is_complete_and_closed(intake: Intake, lang: str) -> None:
    status, body, headers = await fetch(intake, f"/{lang}/offline.html")
    assert status == 200
    assert headers["Content-Disposition"] == 'attachment; filename="whistle-offline.html"'
    page = body.decode()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert "connect-src" not in policy[1]
    assert policy[1].startswith("default-src &#39;none&#39;;")
    data = re.search(r'id="whistle-data">(.*?)</script>', page, re.S)
    assert data is not None
    assert json.loads(data[1])["instance"] == intake.org.instance_id.hex()
    finder = _Finder()
    finder.feed(page)
    assert finder.found == {"<style>", "<script>"}
    form = _Form()
    form.feed(page)
    asked = {name for name in form.names if name}
    online = _Form()
    online.feed((await fetch(intake, f"/{lang}/report"))[1].decode())
    assert asked == {name for name in online.names if name} - {"token"}


async def test_fingerprint_on_the_keys_page(intake: Intake) -> None:
    total = 0
    for path in ("/en/keys", "/keys.png"):
        status, body, headers = await fetch(intake, path)
        assert status == 200
        total += len(body)
    assert total <= 40_000
    assert headers["Content-Type"] == "image/png"
    _status, page, _headers = await fetch(intake, "/en/keys")
    assert b'<img src="/keys.png"' in page
    assert intake.org.instance_id.hex().encode() in page
    _status, offered, _headers = await fetch(intake, "/instance.id")
    assert offered.decode().strip() == intake.org.instance_id.hex()
