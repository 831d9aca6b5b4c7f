# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every desk page is valid, labelled, and holds together for a reader who does not see it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support import evidence_files
from tests.support.markup import elements, parse, text_of
from tests.whistle.desk.bureau import Bureau, Reporter, running_bureau
from tests.whistle.desk.pages import Browser, running_desk
from whistle.desk.web.pages import file_size
from whistle.i18n import Catalogue

FILES = {
    "foto.jpg": evidence_files.jpeg(),
    "dua.pdf": evidence_files.pdf(2),
    "rusak.jpg": b"y",
    "c.txt": b"teks",
    "d.age": b"bukan age",
}
TEXT = "Laporan Anda sudah kami baca dan kami telaah."


@pytest.fixture
async def bureau(tmp_path: Path) -> AsyncIterator[Bureau]:
    async with running_bureau(tmp_path) as made:
        yield made


async def all_pages(browser: Browser, bureau: Bureau) -> dict[str, bytes]:
    """Every page in every state worth checking."""
    reporter = Reporter(bureau)
    case = reporter.report({"story": "x\n\ny", "service": "ktp-pindah"}, [("a.exe", b"x")])
    pages = {"unlock": await browser.get("/unlock"), "queue, new": await browser.get("/")}
    pages["received"] = await browser.get(f"/case/{case}")
    for number, name in enumerate(FILES, start=2):
        reporter.add("Lagi.", [(name, FILES[name])], recipients_digest=bytes(32))
        pages[f"file {name}"] = await browser.get(f"/case/{case}/files/{number}/look")
        pages[f"copy {name}"] = await browser.post(f"/case/{case}/files/{number}/clean")
    pages["compose"] = await browser.get(f"/case/{case}/write?to=assessing")
    head = pages["compose"].field("head")
    letter = {"kind": "transition", "to": "assessing", "head": head}
    pages["refused"] = await browser.post(f"/case/{case}/preview", text="[x]", **letter)
    pages["preview"] = await browser.post(f"/case/{case}/preview", text=TEXT, **letter)
    draft = pages["preview"].field("draft")
    pages["signed"] = await browser.post(f"/case/{case}/sign", draft=draft)
    pages["extend"] = await browser.get(f"/case/{case}/write?kind=extend")
    pages["note"] = await browser.post(f"/case/{case}/note", text="catatan")
    form = await browser.get(f"/case/{case}/write?to=insufficient")
    letter = {"kind": "transition", "to": "insufficient", "head": form.field("head")}
    pages["closing"] = await browser.post(
        f"/case/{case}/preview", text=TEXT, reason="no_contact", **letter
    )
    draft = pages["closing"].field("draft")
    pages["proposed"] = await browser.post(f"/case/{case}/sign", draft=draft)
    await browser.post("/unlock", keystore="penyidik-1")
    pages["second"] = await browser.get(f"/case/{case}")
    await browser.post(f"/case/{case}/confirm", act=pages["second"].field("act"))
    pages["closed"] = await browser.get(f"/case/{case}")
    Reporter(bureau).report()
    bureau.pass_days(30)
    pages["queue, late"] = await browser.get("/")
    pages["error"] = await browser.get("/case/WH-00000000")
    pages["locked"] = await browser.post("/lock")
    return {name: page.body for name, page in pages.items()}


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["id", "en"])
async def test_every_page(bureau: Bureau, lang: str) -> None:
    async with running_desk(bureau) as desk:
        browser = await desk.enter()
        await browser.post("/language", lang=lang, path="/")
        pages = await all_pages(browser, bureau)
    for name, body in pages.items():
        check_page(name, body, lang)


def check_page(name: str, body: bytes, lang: str) -> None:
    root = parse(body)
    tags = list(elements(root))
    assert root.get("lang") == lang, name
    ids = [tag.get("id") for tag in tags if tag.get("id")]
    assert len(ids) == len(set(ids)), name
    assert len([tag for tag in tags if tag.tag == "h1"]) == 1, name
    assert len([tag for tag in tags if tag.tag == "main"]) == 1, name
    labels = {tag.get("for") for tag in tags if tag.tag == "label"}
    for tag in tags:
        if tag.tag in {"select", "textarea"} or (
            tag.tag == "input" and tag.get("type") != "hidden"
        ):
            assert tag.get("id") in labels, (name, tag.attrib)
        if tag.tag in {"button", "a", "th"}:
            assert text_of(tag).strip(), (name, tag.attrib)
        for attribute in ("aria-labelledby", "aria-describedby"):
            for target in (tag.get(attribute) or "").split():
                assert target in ids, (name, target)
    text = " ".join(text_of(root).split())
    assert "desk." not in text.replace("desk.css", ""), name


def test_the_stylesheet_asks_for_nothing_else() -> None:
    style = (Path(__file__).parents[3] / "static" / "desk.css").read_text()
    for word in ("url(", "@import", "@font-face", "expression", "http"):
        assert word not in style


@pytest.mark.parametrize(
    ("count", "lang", "expected"),
    [(0, "id", "0 B"), (999, "id", "999 B"), (1500, "id", "2 kB"), (840_002, "en", "840 kB"),
     (2_400_000, "id", "2,4 MB"), (2_400_000, "en", "2.4 MB")],
)  # fmt: skip
def test_sizes(count: int, lang: str, expected: str) -> None:
    assert file_size(count, Catalogue.load(lang)) == expected  # type: ignore[arg-type]
