# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who gets into the desk: the browser with the address, once, from its own pages."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.whistle.desk.bureau import PASSPHRASE, Bureau, Reporter, running_bureau
from tests.whistle.desk.pages import Browser, RunningDesk, outline, running_desk


@pytest.fixture
async def bureau(tmp_path: Path) -> AsyncIterator[Bureau]:
    async with running_bureau(tmp_path) as made:
        yield made


@pytest.fixture
async def desk(bureau: Bureau) -> AsyncIterator[RunningDesk]:
    async with running_desk(bureau) as made:
        yield made


async def test_the_token_opens_once(desk: RunningDesk) -> None:
    first = await desk.browser.ask("GET", desk.entry)
    assert (first.status, first.headers["Location"]) == (303, "/")
    cookie = first.headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=Strict", "Path=/"):
        assert part in cookie
    assert (await desk.browser.get("/")).status == 200
    assert (await desk.browser.get(desk.entry)).status == 200
    stranger = Browser(desk.browser.session, desk.browser.base)
    again = await stranger.ask("GET", desk.entry)
    assert again.status == 403
    assert "Set-Cookie" not in again.headers


@pytest.mark.parametrize("path", ["/", "/?token=", "/?token=00", "/case/WH-00000000", "/unlock"])
async def test_without_token_or_cookie_nothing_opens(desk: RunningDesk, path: str) -> None:
    answer = await desk.browser.ask("GET", path)
    assert answer.status == 403
    assert answer.headers["Content-Type"].startswith("text/plain")


async def test_a_wrong_cookie_does_not_open(desk: RunningDesk) -> None:
    desk.browser.cookie = "whistle-desk=" + "0" * 48
    assert (await desk.browser.ask("GET", "/")).status == 403


@pytest.mark.parametrize("cookie", ["whistle-desk=\udcff", "whistle-desk=é", "whistle-desk=%ff"])
async def test_a_cookie_that_is_no_text_does_not_open(desk: RunningDesk, cookie: str) -> None:
    request = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{desk.port}\r\nCookie: {cookie}\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", desk.port)
    writer.write(f"{request}Connection: close\r\n\r\n".encode("utf-8", "surrogateescape"))
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize("token", ["%ff", "%00", "%C3%A9", "%ed%b3%bf"])
async def test_a_token_that_is_no_text_does_not_open(desk: RunningDesk, token: str) -> None:
    assert (await desk.browser.ask("GET", f"/?token={token}")).status == 403


async def test_a_wrong_token_does_not_use_the_right_one_up(desk: RunningDesk) -> None:
    assert (await desk.browser.ask("GET", "/?token=" + "0" * 48)).status == 403
    assert (await desk.browser.get(desk.entry)).status == 200


async def test_the_token_counts_only_at_the_entry(desk: RunningDesk) -> None:
    path = desk.entry.replace("/?", "/unlock?")
    assert (await desk.browser.ask("GET", path)).status == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "localhost:{port}", "127.0.0.1", "[::1]:{port}",
             "127.0.0.1:{port}.evil.example", "127.0.0.1:1"],
)  # fmt: skip
async def test_a_rebound_name_is_refused(desk: RunningDesk, host: str) -> None:
    await desk.enter()
    answer = await desk.browser.ask("GET", "/", headers={"Host": host.format(port=desk.port)})
    assert answer.status == 403


@pytest.mark.parametrize(
    "origin", ["null", "http://evil.example", "https://127.0.0.1:{port}", "http://127.0.0.1",
               "http://localhost:{port}", "http://127.0.0.1:{port}.evil.example", ""],
)  # fmt: skip
async def test_a_foreign_form_is_refused(desk: RunningDesk, origin: str) -> None:
    await desk.enter()
    headers = {"Origin": origin.format(port=desk.port)}
    answer = await desk.browser.ask("POST", "/lock", data={}, headers=headers)
    assert answer.status == 403
    assert desk.desk.vault.identity is not None


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_request_another_site_caused_is_refused(desk: RunningDesk, site: str) -> None:
    await desk.enter()
    headers = {"Sec-Fetch-Site": site}
    assert (await desk.browser.ask("GET", "/", headers=headers)).status == 403
    assert (await desk.browser.ask("POST", "/lock", data={}, headers=headers)).status == 403


async def test_every_answer_carries_the_headers(desk: RunningDesk) -> None:
    answers = [await desk.browser.ask("GET", "/"), await desk.browser.ask("GET", desk.entry)]
    for path in ("/", "/unlock", "/nowhere", "/case/x", desk.desk.pages.style_path):
        answers.append(await desk.browser.ask("GET", path))
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "script-src" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert not {"Server", "Date"} & set(answer.headers)
    assert answers[0].headers["Cache-Control"] == "no-store"


async def test_no_page_needs_or_holds_script(desk: RunningDesk, bureau: Bureau) -> None:
    case = Reporter(bureau).report()
    browser = await desk.enter()
    for path in ("/", f"/case/{case}", f"/case/{case}/write?to=assessing"):
        for tag, attributes in outline((await browser.get(path)).text):
            assert tag != "script"
            assert not any(name.startswith("on") or name == "style" for name in attributes)


async def test_locking_and_unlocking(bureau: Bureau) -> None:
    async with running_desk(bureau, unlocked=False) as desk:
        page = await desk.browser.get(desk.entry)
        assert 'type="password"' in page.text
        wrong = await desk.browser.post("/unlock", keystore="pengawas", passphrase="salah")
        assert wrong.status == 403
        assert "Kata sandinya salah" in wrong.text
        assert (await desk.browser.post("/unlock", keystore="../x", passphrase="x")).status == 403
        opened = await desk.browser.post("/unlock", keystore="pengawas", passphrase=PASSPHRASE)
        assert "<h1>Perkara</h1>" in opened.text
        assert "Kunci</button>" in opened.text
        locked = await desk.browser.post("/lock")
        assert 'type="password"' in locked.text
        assert desk.desk.vault.identity is None


async def test_an_idle_desk_locks_itself(bureau: Bureau) -> None:
    async with running_desk(bureau, unlocked=False) as desk:
        await desk.enter("pengawas")
        desk.clock.seconds += 899
        assert "<h1>Perkara</h1>" in (await desk.browser.get("/")).text
        desk.clock.seconds += 901
        assert 'type="password"' in (await desk.browser.get("/")).text
        assert desk.desk.vault.identity is None


async def test_an_idle_desk_locks_itself_without_being_asked(bureau: Bureau) -> None:
    async with running_desk(bureau, unlocked=False) as desk:
        await desk.enter("pengawas")
        desk.clock.seconds += 899
        await asyncio.sleep(0.05)
        assert desk.desk.vault.identity is not None
        desk.clock.seconds += 2
        async with asyncio.timeout(5):
            while desk.desk.vault.identity is not None:
                await asyncio.sleep(0.01)


async def test_with_a_passphrase_file_changing_the_person_is_one_click(desk: RunningDesk) -> None:
    browser = await desk.enter()
    assert "<b>pengawas</b>" in (await browser.get("/")).text
    page = await browser.post("/unlock", keystore="penyidik-2")
    assert "<b>penyidik-2</b>" in page.text
    desk.clock.seconds += 10_000
    assert "<b>penyidik-2</b>" in (await browser.get("/")).text


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/case/WH-00000000", "/case/WH-00000000"), ("//evil.example", "/"), ("/\\evil", "/"),
     ("https://evil.example", "/"), ("/a\r\nX: y", "/"), ("", "/"), ("/\t/evil.example", "/"),
     ("/\x00/evil.example", "/"), ("/ /evil.example", "/"), ("/\x0b//evil", "/"), ("\t//evil", "/"),
     ("/case/WH-00000000\n", "/"), ("/..//evil.example", "/"), ("/\u2028/evil", "/"), ("/", "/")],
)  # fmt: skip
async def test_changing_the_language_stays_on_the_desk(
    desk: RunningDesk, path: str, expected: str
) -> None:
    browser = await desk.enter()
    answer = await browser.ask("POST", "/language", data={"lang": "en", "path": path})
    assert answer.headers["Location"] == expected
    assert "<h1>Cases</h1>" in (await browser.get("/")).text


async def test_an_unknown_language_changes_nothing(desk: RunningDesk) -> None:
    browser = await desk.enter()
    await browser.post("/language", lang="xx", path="/")
    assert desk.desk.lang == "id"


BAD_FORMS = {
    "json": ({"json": {"keystore": "x"}}, {}),
    "twice": ({"data": b"draft=a&draft=b"}, {"Content-Type": "application/x-www-form-urlencoded"}),
    "too many": (
        {"data": b"&".join(b"a%d=1" % number for number in range(40))},
        {"Content-Type": "application/x-www-form-urlencoded"},
    ),
    "not utf-8": ({"data": b"a=%ff"}, {"Content-Type": "application/x-www-form-urlencoded"}),
    "raw bytes": ({"data": b"a=\xff"}, {"Content-Type": "application/x-www-form-urlencoded"}),
    "too large": (
        {"data": b"a=" + b"x" * 600_000},
        {"Content-Type": "application/x-www-form-urlencoded"},
    ),
}


@pytest.mark.parametrize("name", BAD_FORMS)
async def test_unreadable_forms(desk: RunningDesk, name: str) -> None:
    browser = await desk.enter()
    more, headers = BAD_FORMS[name]
    answer = await browser.ask("POST", "/case/WH-00000000/sign", headers=headers, **more)
    assert answer.status == 400


async def test_unknown_pages_and_methods(desk: RunningDesk) -> None:
    browser = await desk.enter()
    assert (await browser.ask("GET", "/nowhere")).status == 404
    assert (await browser.ask("GET", "/lock")).status == 405
    assert "Halaman itu tidak ada" in (await browser.ask("GET", "/nowhere")).text


async def test_a_server_that_is_gone_is_said_plainly(bureau: Bureau) -> None:
    async with running_desk(bureau, server="http://127.0.0.1:9") as desk:
        page = await desk.browser.get(desk.entry)
        assert page.status == 503
        assert "Server perkara tidak menjawab" in page.text
