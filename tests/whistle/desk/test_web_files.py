# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page of one file: what it shows, what it never does, clean copies, stock age files."""

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from html import escape, unescape
from pathlib import Path

import pytest

from case_mgmt.model import BlobId
from crypto.age.writer import seal_all
from crypto.frame import Origin
from crypto.rng import system_rng
from tests.support import evidence_files
from tests.support.evidence_files import CANARY
from tests.whistle.desk.bureau import Bureau, Reporter, running_bureau
from tests.whistle.desk.pages import Page, RunningDesk, outline, running_desk
from whistle.desk import sandbox

needs_sandbox = pytest.mark.skipif(
    not evidence_files.sandbox_available(), reason="no bubblewrap or mat2"
)
HOSTILE = '<script>alert(1)</script> & "x"\n<img src=x onerror=alert(2)>'


@pytest.fixture
async def bureau(tmp_path: Path) -> AsyncIterator[Bureau]:
    async with running_bureau(tmp_path) as made:
        yield made


@pytest.fixture
async def desk(bureau: Bureau) -> AsyncIterator[RunningDesk]:
    async with running_desk(bureau) as made:
        yield made


def pictures(page: Page) -> list[bytes]:
    """The pictures inside a page."""
    found = re.findall(r'<img class="look" src="data:image/png;base64,([^"]+)"', page.text)
    return [base64.b64decode(unescape(each)) for each in found]


def size_of(png: bytes) -> tuple[int, int]:
    return int.from_bytes(png[16:20]), int.from_bytes(png[20:24])


@needs_sandbox
@pytest.mark.parametrize(
    ("name", "data", "sizes"),
    [
        ("foto.jpg", evidence_files.jpeg(), [(8, 8)]),
        ("foto.txt", evidence_files.jpeg(), [(8, 8)]),
        ("layar.png", evidence_files.png(), [(16, 9)]),
        ("lebar.png", evidence_files.png(2400, 100), [(1200, 50)]),
        ("kuitansi.pdf", evidence_files.pdf(1), [(1200, 800)]),
        ("berkas.pdf", evidence_files.pdf(5), [(1200, 800)] * 3),
    ],
)
async def test_previews_are_pictures_of_our_own(
    desk: RunningDesk, bureau: Bureau, name: str, data: bytes, sizes: list[tuple[int, int]]
) -> None:
    case = Reporter(bureau).report(files=[(name, data)])
    browser = await desk.enter("pengawas")
    page = await browser.get(f"/case/{case}/files/1/look")
    assert page.status == 200
    shown = pictures(page)
    assert [size_of(each) for each in shown] == sizes
    for each in shown:
        assert re.findall(rb"IHDR|tEXt|eXIf|IDAT|iCCP|IEND", each)[0] == b"IHDR"
        assert CANARY.encode() not in each
    assert ("3 dari 5" in page.text) == (len(sizes) > 1)
    assert hashlib.sha256(data).hexdigest() in page.text


async def test_text_is_shown_escaped(desk: RunningDesk, bureau: Bureau) -> None:
    case = Reporter(bureau).report(files=[("catatan.txt", HOSTILE.encode())])
    browser = await desk.enter("pengawas")
    page = await browser.get(f"/case/{case}/files/1/look")
    assert escape(HOSTILE).replace("&quot;", "&#34;") in page.text
    assert not {tag for tag, _ in outline(page.text)} & {"script", "img"}


async def test_long_text_says_that_it_goes_on(desk: RunningDesk, bureau: Bureau) -> None:
    case = Reporter(bureau).report(files=[("catatan.txt", b"baris panjang\n" * 9000)])
    browser = await desk.enter("pengawas")
    page = await browser.get(f"/case/{case}/files/1/look")
    assert "Hanya bagian awal" in page.text
    assert len(page.body) < 100_000


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("surat.docx", evidence_files.docx()),
        ("film.mp4", b"\0\0\0\x18ftypmp42\0\0\0\0"),
        ("program.exe", b"MZ\0\1"),
    ],
)
async def test_no_preview_is_said(
    desk: RunningDesk, bureau: Bureau, name: str, data: bytes
) -> None:
    case = Reporter(bureau).report(files=[(name, data)])
    browser = await desk.enter("pengawas")
    page = await browser.get(f"/case/{case}/files/1/look")
    assert page.status == 200
    assert "tidak memiliki pratinjau" in page.text
    assert (await browser.get(f"/case/{case}/files/1")).body == data


@needs_sandbox
@pytest.mark.parametrize("data", [evidence_files.bomb(), evidence_files.jpeg()[:300]])
async def test_a_hostile_picture_is_a_sentence(
    desk: RunningDesk, bureau: Bureau, data: bytes
) -> None:
    case = Reporter(bureau).report(files=[("foto.png", data)])
    browser = await desk.enter("pengawas")
    page = await browser.get(f"/case/{case}/files/1/look")
    assert page.status == 200
    assert pictures(page) == []
    assert 'class="box"' in page.text


async def test_a_desk_without_sandbox_says_what_to_install(
    desk: RunningDesk, bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "BWRAP", Path("/usr/bin/no-such-bwrap"))
    case = Reporter(bureau).report(files=[("foto.jpg", evidence_files.jpeg())])
    browser = await desk.enter("pengawas")
    page = await browser.get(f"/case/{case}/files/1/look")
    assert "apt install bubblewrap" in page.text
    assert pictures(page) == []
    page = await browser.post(f"/case/{case}/files/1/clean")
    assert (page.status, "apt install bubblewrap" in page.text) == (422, True)
    assert (await browser.get(f"/case/{case}/files/1/clean")).status == 400


@needs_sandbox
async def test_a_clean_copy_with_both_hashes(desk: RunningDesk, bureau: Bureau) -> None:
    photo = evidence_files.jpeg()
    case = Reporter(bureau).report(files=[("foto.jpg", photo)])
    browser = await desk.enter("pengawas")
    assert (await browser.get(f"/case/{case}/files/1/clean")).status == 400
    page = await browser.post(f"/case/{case}/files/1/clean")
    copy = await browser.get(f"/case/{case}/files/1/clean")
    assert copy.headers["Content-Disposition"].startswith("attachment")
    assert "foto-bersih.jpg" in copy.headers["Content-Disposition"]
    assert "sandbox" in copy.headers["Content-Security-Policy"]
    assert copy.body[:2] == b"\xff\xd8"
    assert CANARY.encode() not in copy.body
    for data in (photo, copy.body):
        assert hashlib.sha256(data).hexdigest() in page.text
    assert "Dihapus: tempat (GPS)" in page.text
    assert "GPSLatitude" in page.text
    assert (await browser.get(f"/case/{case}/files/1")).body == photo


@needs_sandbox
async def test_copies_go_when_the_keys_go(desk: RunningDesk, bureau: Bureau) -> None:
    case = Reporter(bureau).report(files=[("foto.jpg", evidence_files.jpeg())])
    browser = await desk.enter("pengawas")
    await browser.post(f"/case/{case}/files/1/clean")
    await browser.post("/unlock", keystore="penyidik-1")
    assert (await browser.get(f"/case/{case}/files/1/clean")).status == 400


@needs_sandbox
async def test_what_cannot_be_cleaned_is_refused(desk: RunningDesk, bureau: Bureau) -> None:
    case = Reporter(bureau).report(files=[("program.exe", b"MZ\0\1")])
    browser = await desk.enter("pengawas")
    page = await browser.post(f"/case/{case}/files/1/clean")
    assert page.status == 422
    assert "Yang dapat dibersihkan: JPEG, PNG" in page.text


async def test_a_stock_age_file_is_read_in_the_case_and_on_its_page(
    desk: RunningDesk, bureau: Bureau
) -> None:
    recipients = [bureau.org.identities[each].recipient for each in ("penyidik-1", "pengawas")]
    inner = seal_all(recipients, HOSTILE.encode(), system_rng)
    case = Reporter(bureau).report(files=[("laporan.txt.age", inner)])
    browser = await desk.enter("pengawas")
    shown = escape(HOSTILE).replace("&quot;", "&#34;")
    for path in ("", "/files/1/look"):
        page = await browser.get(f"/case/{case}{path}")
        assert shown in page.text
        assert not {tag for tag, _ in outline(page.text)} & {"script", "img"}
    opened = await browser.get(f"/case/{case}/files/1/opened")
    assert opened.body == HOSTILE.encode()
    assert opened.headers["Content-Disposition"] == "attachment; filename*=UTF-8''laporan.txt"
    assert (await browser.get(f"/case/{case}/files/1")).body == inner


@pytest.mark.parametrize("people", [("penyidik-1",), ()])
async def test_an_age_file_that_does_not_open(
    desk: RunningDesk, bureau: Bureau, people: tuple[str, ...]
) -> None:
    recipients = [bureau.org.identities[each].recipient for each in people]
    inner = seal_all(recipients, b"isi", system_rng) if people else b"bukan age"
    case = Reporter(bureau).report({"story": "Cerita utuh."}, files=[("x.age", inner)])
    browser = await desk.enter("pengawas")
    page = await browser.get(f"/case/{case}")
    assert page.status == 200
    assert "Cerita utuh." in page.text
    sentence = "tidak terbuka dengan kunci Anda" if people else "bukan berkas age yang lengkap"
    assert sentence in page.text
    assert sentence in (await browser.get(f"/case/{case}/files/1/look")).text
    assert (await browser.get(f"/case/{case}/files/1/opened")).status == 409
    assert (await browser.get(f"/case/{case}/files/1")).body == inner


async def test_a_blob_that_is_gone_hides_nothing_else(desk: RunningDesk, bureau: Bureau) -> None:
    case = Reporter(bureau).report({"story": "Cerita utuh."}, files=[("x.age", b"x" * 500)])
    for path in Path(bureau.services.blobs.path(_first_blob(bureau))).parent.iterdir():
        path.unlink()
    browser = await desk.enter("pengawas")
    for path in ("", "/files/1/look"):
        assert (await browser.get(f"/case/{case}{path}")).status == 200


def _first_blob(bureau: Bureau) -> BlobId:
    folder = bureau.services.blobs.path(BlobId("0" * 32)).parent
    return BlobId(next(folder.iterdir()).name)


async def test_there_is_no_such_file(desk: RunningDesk, bureau: Bureau) -> None:
    case = Reporter(bureau).report(files=[("a.txt", b"isi")])
    browser = await desk.enter("pengawas")
    for path in ("2/look", "2/clean", "1/opened", "0/look"):
        assert (await browser.get(f"/case/{case}/files/{path}")).status in {400, 409}
    assert (await browser.get(f"/case/{case}/files/x/look")).status == 404


@pytest.mark.parametrize("origin", [Origin.TOOL, Origin.BROWSER, Origin.ARRIVAL])
async def test_every_message_says_where_it_was_sealed(
    desk: RunningDesk, bureau: Bureau, origin: Origin
) -> None:
    reporter = Reporter(bureau)
    case = reporter.report(files=[("a.txt", b"isi")], origin=origin)
    for other in (Origin.TOOL, Origin.BROWSER, Origin.ARRIVAL):
        reporter.add("Lagi.", origin=other)
    browser = await desk.enter("pengawas")
    page = await browser.get(f"/case/{case}")
    marks = re.findall(r'<p class="origin (\w+)">', page.text)
    assert marks == [origin.name.lower(), "arrival", "browser", "tool"]
    look = await browser.get(f"/case/{case}/files/1/look")
    assert desk.desk.texts.t(f"desk.origin.{origin.name.lower()}") in look.text
