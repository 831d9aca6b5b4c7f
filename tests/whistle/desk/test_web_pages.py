# SPDX-License-Identifier: AGPL-3.0-or-later
"""Deciding, answering and reading on the desk's pages, against a real case server."""

import re
from collections.abc import AsyncIterator
from html import escape
from pathlib import Path

import aiohttp
import pytest

from case_mgmt.model import CLOSINGS
from crypto.body import ReplyBody
from tests.whistle.desk.bureau import Bureau, Reporter, running_bureau
from tests.whistle.desk.pages import Browser, Page, RunningDesk, outline, running_desk

TEXT = "Laporan Anda sudah kami baca.\r\n\r\nKami memeriksa <loket> 2 & papan biaya."
SEEN = "Laporan Anda sudah kami baca.\n\nKami memeriksa <loket> 2 & papan biaya."


@pytest.fixture
async def bureau(tmp_path: Path) -> AsyncIterator[Bureau]:
    async with running_bureau(tmp_path) as made:
        yield made


@pytest.fixture
async def desk(bureau: Bureau) -> AsyncIterator[RunningDesk]:
    async with running_desk(bureau) as made:
        yield made


def steps(page: Page) -> set[str]:
    """The status codes the page offers."""
    return set(re.findall(r"/write\?to=([a-z_]+)", page.text))


async def preview(browser: Browser, case: str, query: str, text: str = TEXT, **more: str) -> Page:
    """Composes a letter and looks at its preview."""
    form = await browser.get(f"/case/{case}/write?{query}")
    fields = {name: form.field(name) for name in ("kind", "head")}
    if "to=" in query:
        fields["to"] = form.field("to")
    return await browser.post(f"/case/{case}/preview", text=text, **fields, **more)


async def send(browser: Browser, case: str, query: str, text: str = TEXT, **more: str) -> Page:
    """Composes, previews and signs."""
    page = await preview(browser, case, query, text, **more)
    return await browser.post(f"/case/{case}/sign", draft=page.field("draft"))


async def test_the_preview_is_what_the_reporter_reads(desk: RunningDesk, bureau: Bureau) -> None:
    reporter = Reporter(bureau)
    case = reporter.report()
    browser = await desk.enter("pengawas")
    page = await preview(browser, case, "to=assessing")
    shown = re.search(r'<ol class="timeline preview">(.*?)</ol>', page.text, re.S)
    assert shown is not None
    assert f'<div class="text">{escape(SEEN)}</div>' in shown[1]
    assert "<h3>Ditelaah</h3>" in shown[1]
    assert len(bureau.history(case)) == 2
    done = await browser.post(f"/case/{case}/sign", draft=page.field("draft"))
    assert "Tercatat dan ditandatangani" in done.text
    entry = bureau.history(case)[-1]
    frame, _raw = reporter.read(entry.container)
    body = ReplyBody.parse(frame.body)
    assert (body.text, body.status, body.day) == (SEEN, "assessing", "2026-04-07")


async def test_the_preview_speaks_the_reporters_language(desk: RunningDesk, bureau: Bureau) -> None:
    case = Reporter(bureau).report(lang="en")
    browser = await desk.enter("pengawas")
    form = await browser.get(f"/case/{case}/write?to=assessing")
    assert "We have read your report" in form.text
    page = await preview(browser, case, "to=assessing")
    assert "<h3>Being assessed</h3>" in page.text
    assert "<h1>Periksa sebelum menandatangani</h1>" in page.text


async def test_a_draft_is_signed_once(desk: RunningDesk, bureau: Bureau) -> None:
    case = Reporter(bureau).report()
    browser = await desk.enter("pengawas")
    draft = (await preview(browser, case, "to=assessing")).field("draft")
    await browser.post(f"/case/{case}/sign", draft=draft)
    again = await browser.post(f"/case/{case}/sign", draft=draft)
    assert again.status == 409
    assert "Tidak ada yang ditandatangani" in again.text
    assert len(bureau.history(case)) == 3


async def test_a_draft_belongs_to_its_case_and_person(desk: RunningDesk, bureau: Bureau) -> None:
    case, other = Reporter(bureau).report(), Reporter(bureau).report()
    browser = await desk.enter("pengawas")
    draft = (await preview(browser, case, "to=assessing")).field("draft")
    assert (await browser.post(f"/case/{other}/sign", draft=draft)).status == 409
    await browser.post("/unlock", keystore=bureau.assignee(case))
    assert (await browser.post(f"/case/{case}/sign", draft=draft)).status == 409
    assert len(bureau.history(case)) == 2


async def test_going_back_keeps_the_words(desk: RunningDesk, bureau: Bureau) -> None:
    case = Reporter(bureau).report()
    browser = await desk.enter("pengawas")
    draft = (await preview(browser, case, "to=assessing")).field("draft")
    form = await browser.get(f"/case/{case}/write?draft={draft}")
    assert escape(SEEN, quote=False).splitlines()[2] in form.text


async def test_what_arrived_since_the_preview_stops_the_signature(
    desk: RunningDesk, bureau: Bureau
) -> None:
    reporter = Reporter(bureau)
    case = reporter.report()
    browser = await desk.enter("pengawas")
    page = await preview(browser, case, "to=assessing")
    reporter.add("Tunggu, ada yang baru.")
    done = await browser.post(f"/case/{case}/sign", draft=page.field("draft"))
    assert done.status == 409
    assert "Perkara sudah berubah" in done.text


async def test_unfinished_templates_come_back_with_the_words(
    desk: RunningDesk, bureau: Bureau
) -> None:
    case = Reporter(bureau).report()
    browser = await desk.enter("pengawas")
    page = await preview(browser, case, "to=assessing", "Langkah pertama: [isi dulu].")
    assert page.status == 422
    assert "kurung siku" in page.text
    assert "Langkah pertama: [isi dulu]." in page.text


async def test_buttons_are_only_what_the_table_allows(desk: RunningDesk, bureau: Bureau) -> None:
    case = Reporter(bureau).report()
    owner = bureau.assignee(case)
    other = "penyidik-1" if owner == "penyidik-2" else "penyidik-2"
    browser = await desk.enter(owner)
    assert steps(await browser.get(f"/case/{case}")) == {"assessing", "set_aside"}
    await send(browser, case, "to=assessing")
    page = await browser.get(f"/case/{case}")
    assert steps(page) == {
        "needs_info", "examining", "referred", "insufficient", "outside_mandate", "joined",
        "set_aside",
    }  # fmt: skip
    assert "kind=extend" in page.text
    assert (await browser.get(f"/case/{case}/write?to=upheld_action")).status == 409
    await browser.post("/unlock", keystore=other)
    page = await browser.get(f"/case/{case}")
    assert steps(page) == set()
    assert "kind=update" not in page.text
    assert f"Perkara ini ditangani {owner}" in page.text


async def test_closing_by_two(desk: RunningDesk, bureau: Bureau) -> None:
    case = Reporter(bureau).report()
    owner = bureau.assignee(case)
    other = "penyidik-1" if owner == "penyidik-2" else "penyidik-2"
    browser = await desk.enter(owner)
    for target in ("assessing", "examining"):
        await send(browser, case, f"to={target}")
    page = await preview(browser, case, "to=upheld_action", "Terbukti; petugas ditindak.")
    assert "menunggu orang kedua" in page.text
    mine = await browser.post(f"/case/{case}/sign", draft=page.field("draft"))
    assert "Usulan tercatat" in mine.text
    assert "Tarik usulan" in mine.text
    assert f'action="/case/{case}/confirm"' not in mine.text
    assert steps(mine) == set()
    queue = await browser.post("/unlock", keystore=other)
    assert "menunggu tanda tangan Anda: Terbukti, ditindak" in queue.text
    seen = await browser.get(f"/case/{case}")
    assert "Terbukti; petugas ditindak." in seen.text
    stale = await browser.post(f"/case/{case}/confirm", act="00" * 32)
    assert stale.status == 409
    done = await browser.post(f"/case/{case}/confirm", act=seen.field("act"))
    assert "Disetujui" in done.text
    assert f"bersama {other}" in done.text
    assert not steps(done) & CLOSINGS
    await browser.post("/unlock", keystore=owner)
    assert "Perkara sudah ditutup" in (await browser.get(f"/case/{case}")).text


async def test_a_proposal_can_be_sent_back(desk: RunningDesk, bureau: Bureau) -> None:
    case = Reporter(bureau).report()
    browser = await desk.enter("pengawas")
    await send(browser, case, "to=assessing")
    await send(browser, case, "to=insufficient", reason="no_contact")
    page = await browser.post(f"/case/{case}/return")
    assert "Usulan dikembalikan" in page.text
    assert "examining" in steps(page)


async def test_an_extension_needs_reason_and_day(desk: RunningDesk, bureau: Bureau) -> None:
    reporter = Reporter(bureau)
    case = reporter.report()
    browser = await desk.enter("pengawas")
    await send(browser, case, "to=assessing")
    form = await browser.get(f"/case/{case}/write?kind=extend")
    assert 'type="date"' in form.text
    assert "Menunggu dokumen" in form.text
    text = "Kami menunggu dokumen dari dinas."
    page = await send(
        browser, case, "kind=extend", text, reason="awaiting_documents", until="2026-08-03"
    )
    assert "Keputusan paling lambat 3 Agustus 2026" in page.text
    frame, _raw = reporter.read(bureau.history(case)[-1].container)
    assert ReplyBody.parse(frame.body).text == (
        f"{text}\n\nKeputusan diambil paling lambat 3 Agustus 2026."
    )
    bad = await preview(browser, case, "kind=extend", text, until="besok")
    assert bad.status == 400


async def test_the_preview_of_an_extension_names_its_day(desk: RunningDesk, bureau: Bureau) -> None:
    case = Reporter(bureau).report(lang="en")
    browser = await desk.enter("pengawas")
    letter = {"reason": "awaiting_documents", "until": "2026-08-03"}
    text = "We are waiting for documents."
    page = await preview(browser, case, "kind=extend", text, **letter)
    shown = page.text.split('<ol class="timeline preview">')[1].split("</ol>")[0]
    assert f"{text}\n\nThe decision will be made by 3 August 2026 at the latest." in shown
    back = await browser.get(f"/case/{case}/write?draft={page.field('draft')}")
    assert "The decision will be made" not in back.text
    empty = await preview(browser, case, "kind=extend", "-", **letter)
    assert empty.status == 422


async def test_a_missed_limit_offers_no_extension(desk: RunningDesk, bureau: Bureau) -> None:
    case = Reporter(bureau).report()
    browser = await desk.enter("pengawas")
    assert "kind=extend" in (await browser.get(f"/case/{case}")).text
    bureau.pass_days(120)
    desk.clock.seconds += 60
    page = await browser.get(f"/case/{case}")
    assert "kind=extend" not in page.text
    assert "kind=update" in page.text


async def test_notes_stay_inside(desk: RunningDesk, bureau: Bureau) -> None:
    case = Reporter(bureau).report()
    browser = await desk.enter("pengawas")
    page = await browser.post(f"/case/{case}/note", text="Hubungi <Dukcapil> & camat.")
    assert "Catatan internal disimpan" in page.text
    assert "Hubungi &lt;Dukcapil&gt; &amp; camat." in page.text
    assert "tidak terlihat pelapor" in page.text
    assert len(bureau.history(case)) == 2
    assert (await browser.post(f"/case/{case}/note", text=" ")).status == 409


async def test_handing_over(desk: RunningDesk, bureau: Bureau) -> None:
    case = Reporter(bureau).report()
    owner = bureau.assignee(case)
    other = "penyidik-1" if owner == "penyidik-2" else "penyidik-2"
    browser = await desk.enter(owner)
    assert f"/case/{case}/assign" not in (await browser.get(f"/case/{case}")).text
    assert (await browser.post(f"/case/{case}/assign", person=other)).status == 403
    await browser.post("/unlock", keystore="pengawas")
    page = await browser.post(f"/case/{case}/assign", person=other)
    assert f"Penanggung jawab: {other}" in page.text


async def test_downloads_are_attachments_and_nothing_else(
    desk: RunningDesk, bureau: Bureau
) -> None:
    content = b"<script>alert(1)</script>" * 9000
    case = Reporter(bureau).report(files=[("../jahat\u202e.html", content)])
    browser = await desk.enter("pengawas")
    page = await browser.get(f"/case/{case}")
    assert "dapat menjalankan program" in page.text
    answer = await browser.ask("GET", f"/case/{case}/files/1")
    assert answer.body == content
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''jahat.html"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Length"] == str(len(content))
    for wrong in (f"/case/{case}/files/2", f"/case/{case}/files/x"):
        assert (await browser.ask("GET", wrong)).status in {404, 409}


async def test_a_damaged_file_breaks_the_download(desk: RunningDesk, bureau: Bureau) -> None:
    case = Reporter(bureau).report(files=[("besar.bin", bytes(3_000_000))])
    (blob,) = (bureau.folder / "cases" / "blobs").iterdir()
    raw = bytearray(blob.read_bytes())
    raw[-40] ^= 1
    blob.write_bytes(raw)
    browser = await desk.enter("pengawas")
    with pytest.raises(aiohttp.ClientPayloadError):
        await browser.ask("GET", f"/case/{case}/files/1")


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</textarea><script>alert(1)</script>",
    "</title><svg/onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "\u202egnp.exe\u0000\u001b[31m",
    "<!--",
    "]]>",
)


@pytest.mark.parametrize("number", range(len(HOSTILE)))
async def test_hostile_reports_stay_text(desk: RunningDesk, bureau: Bureau, number: int) -> None:
    hostile = HOSTILE[number]
    reporter = Reporter(bureau)
    case = reporter.report(
        {"story": hostile, "who": hostile, "unit": hostile, "service": hostile, "asked": hostile,
         "danger": hostile, hostile[:60]: hostile},
        [(hostile, b"x")],
    )  # fmt: skip
    reporter.add(hostile, [(hostile, b"y")])
    browser = await desk.enter("pengawas")
    for path in ("/", f"/case/{case}", f"/case/{case}/write?to=assessing"):
        page = await browser.get(path)
        assert page.status == 200
        for tag, attributes in outline(page.text):
            assert tag not in {"script", "img", "svg"}
            assert not any(name.startswith("on") for name in attributes)
            assert not (attributes.get("href") or "").startswith("javascript:")
    page = await browser.get(f"/case/{case}")
    if hostile.isprintable():
        assert escape(hostile, quote=False) in page.text.replace("&#34;", '"').replace("&#39;", "'")


async def test_hostile_words_of_a_colleague_stay_text(desk: RunningDesk, bureau: Bureau) -> None:
    case = Reporter(bureau).report()
    browser = await desk.enter("pengawas")
    text = HOSTILE[0] + " kata kata kata " + HOSTILE[3]
    page = await preview(browser, case, "to=assessing", text)
    assert not any(tag == "script" for tag, _ in outline(page.text))
    page = await browser.post(f"/case/{case}/sign", draft=page.field("draft"))
    assert not any(tag == "script" for tag, _ in outline(page.text))
    assert escape(HOSTILE[0]) in page.text


async def test_remarks_are_said_in_words(desk: RunningDesk, bureau: Bureau) -> None:
    reporter = Reporter(bureau)
    case = reporter.report()
    reporter.add("Bukan saya.", recipients_digest=bytes(32))
    page = await (await desk.enter("pengawas")).get(f"/case/{case}")
    assert "susunan penerima yang berbeda" in page.text
    assert 'role="alert"' in page.text


async def test_english(desk: RunningDesk, bureau: Bureau) -> None:
    case = Reporter(bureau).report({"story": "x", "service": "ktp-pindah"})
    browser = await desk.enter("pengawas")
    page = await browser.post("/language", lang="en", path=f"/case/{case}")
    assert '<html lang="en">' in page.text
    assert "Sealed on arrival" in page.text
    assert "official fee Rp\u00a00" in page.text


@pytest.mark.parametrize(
    "query", ["", "to=closed", "kind=assign", "kind=received", "draft=00", "to=received"]
)
async def test_wrong_steps(desk: RunningDesk, bureau: Bureau, query: str) -> None:
    case = Reporter(bureau).report()
    browser = await desk.enter("pengawas")
    assert (await browser.get(f"/case/{case}/write?{query}")).status in {400, 409}


async def test_the_accused_find_nothing(desk: RunningDesk, bureau: Bureau) -> None:
    case = Reporter(bureau).report({"story": "x", "unit": "inspektorat-1"})
    browser = await desk.enter("penyidik-1")
    assert case not in (await browser.get("/")).text
    assert (await browser.get(f"/case/{case}")).status in {403, 404}
    await browser.post("/unlock", keystore="pengawas")
    page = await browser.get(f"/case/{case}")
    assert 'class="people"' in page.text
    assert "penyidik-1" not in page.text.split('class="people"')[1].split("</ul>")[0]
