# SPDX-License-Identifier: AGPL-3.0-or-later
"""`files` and `show` with real files: originals, clean copies, stock age files."""

import hashlib
import subprocess
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from case_mgmt.desk.kinds import kind_of
from crypto.age.writer import seal_all
from crypto.frame import Origin
from crypto.rng import system_rng
from tests.support import evidence_files
from tests.support.evidence_files import CANARY
from tests.whistle.desk.bureau import Bureau, Reporter, running_bureau
from tests.whistle.desk.commands import desk
from whistle.desk import sandbox

needs_sandbox = pytest.mark.skipif(
    not evidence_files.sandbox_available(), reason="no bubblewrap or mat2"
)
WORDS = "Kenari-7391: diminta Rp 150.000 di loket 3.\n"


@pytest.fixture
async def bureau(tmp_path: Path) -> AsyncIterator[Bureau]:
    async with running_bureau(tmp_path) as made:
        yield made


def sealed(bureau: Bureau, data: bytes, *people: str) -> bytes:
    """A stock age file for these people."""
    return seal_all([bureau.org.identities[each].recipient for each in people], data, system_rng)


async def saved(bureau: Bureau, case: str, to: Path, *flags: str) -> list[dict[str, Any]]:
    done = await desk(bureau, "pengawas", "files", case, "--to", to, *flags)
    files: list[dict[str, Any]] = done.json["files"]
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=to, check=True)
    return files


def whole(path: str) -> bytes:
    """The file, and what its parts hold if it is an archive."""
    data = Path(path).read_bytes()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            data += b"".join(archive.read(name) for name in archive.namelist())
    return data


MADE = [
    ("foto.jpg", evidence_files.jpeg(), {"GPSLatitude", "GPSLongitude", "Make", "Artist"}),
    ("layar.png", evidence_files.png(), {"Author"}),
    ("kuitansi.pdf", evidence_files.pdf(), {"author", "creator"}),
    ("surat.docx", evidence_files.docx(), {"dc:creator"}),
    ("surat.odt", evidence_files.odt(), {"dc:creator"}),
    ("titik.gif", evidence_files.gif(), {"Comment"}),
]


@needs_sandbox
async def test_clean_copies_beside_untouched_originals(bureau: Bureau, tmp_path: Path) -> None:
    case = Reporter(bureau).report(files=[(name, data) for name, data, _ in MADE])
    listed = await saved(bureau, case, tmp_path / "bukti", "--clean")
    for (name, original, names), file in zip(MADE, listed, strict=True):
        assert Path(file["path"]).read_bytes() == original
        clean = file["clean"]
        assert clean["problem"] is None
        assert clean["original_sha256"] == file["sha256"] == hashlib.sha256(original).hexdigest()
        copy = Path(clean["path"])
        assert copy.name == f"{Path(name).stem}-bersih{Path(name).suffix}"
        assert hashlib.sha256(copy.read_bytes()).hexdigest() == clean["sha256"] != file["sha256"]
        assert names <= set(clean["removed"])
        assert clean["left"] == []
        assert CANARY.encode() in whole(file["path"])
        assert CANARY.encode() not in whole(clean["path"])
        assert kind_of(copy.read_bytes(), copy.name) == kind_of(original, name)


@needs_sandbox
async def test_what_was_removed_is_said_in_words(bureau: Bureau, tmp_path: Path) -> None:
    case = Reporter(bureau).report(files=[("foto.jpg", evidence_files.jpeg())])
    words = ("files", case, "--clean", "--to", tmp_path / "bukti", "--lang", "id")
    done = await desk(bureau, "pengawas", *words)
    assert done.code == 0
    assert "Dihapus: tempat (GPS), nama orang dan lembaga" in done.out
    assert "foto-bersih.jpg" in done.out


@needs_sandbox
async def test_what_cannot_be_cleaned_is_refused_by_name(bureau: Bureau, tmp_path: Path) -> None:
    offered = [
        ("arsip.zip", evidence_files.docx()),
        ("laman.html", b"<p>teks</p>"),
        ("program.exe", b"MZ\0\0"),
        ("rusak.jpg", b"\xff\xd8\xff\xe0\0\0"),
        ("foto.jpg", evidence_files.jpeg()),
    ]
    case = Reporter(bureau).report(files=offered)
    listed = await saved(bureau, case, tmp_path / "bukti", "--clean")
    problems = [file["clean"]["problem"] for file in listed]
    unsupported = "desk.clean.unsupported"
    assert problems == [unsupported] * 3 + ["desk.sandbox.unreadable", None]
    assert len(list((tmp_path / "bukti").iterdir())) == len(offered) + 2  # a copy and the sums
    words = ("files", case, "--clean", "--to", tmp_path / "lagi", "--lang", "en")
    done = await desk(bureau, "pengawas", *words)
    assert "arsip.zip: There is no clean copy of this type" in done.err
    assert "JPEG, PNG" in done.err


async def test_without_a_sandbox_clean_is_refused_before_anything_is_fetched(
    bureau: Bureau, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "BWRAP", Path("/usr/bin/no-such-bwrap"))
    case = Reporter(bureau).report(files=[("foto.jpg", evidence_files.jpeg())])
    for lang in ("id", "en"):
        words = ("files", case, "--clean", "--to", tmp_path / "bukti", "--lang", lang)
        done = await desk(bureau, "pengawas", *words)
        assert (done.code, done.out) == (1, "")
        assert "apt install bubblewrap" in done.err
    assert not (tmp_path / "bukti").exists()
    listed = await saved(bureau, case, tmp_path / "bukti")
    assert listed[0]["clean"] is None


@pytest.mark.parametrize("person", ["pengawas", "penyidik-1", "penyidik-2"])
async def test_a_stock_age_file_opens_for_each_recipient(
    bureau: Bureau, tmp_path: Path, person: str
) -> None:
    inner = sealed(bureau, WORDS.encode(), "penyidik-2", "pengawas", "penyidik-1")
    case = Reporter(bureau).report(files=[("laporan.txt.age", inner)])
    shown = (await desk(bureau, person, "show", case)).json["report"]["files"][0]
    assert shown["opened"]["text"] == WORDS
    read = await desk(bureau, person, "show", case, "--lang", "id")
    assert WORDS.strip() in read.out
    done = await desk(bureau, person, "files", case, "--to", tmp_path / "bukti")
    (file,) = done.json["files"]
    assert Path(file["path"]).read_bytes() == inner
    opened = file["opened"]
    assert opened["name"] == "laporan.txt"
    assert Path(opened["path"]).read_bytes() == WORDS.encode()
    assert opened["sha256"] == hashlib.sha256(WORDS.encode()).hexdigest()


@needs_sandbox
async def test_a_photo_in_a_stock_age_file_is_cleaned_too(bureau: Bureau, tmp_path: Path) -> None:
    photo = evidence_files.jpeg()
    case = Reporter(bureau).report(files=[("foto.jpg.age", sealed(bureau, photo, "pengawas"))])
    (file,) = await saved(bureau, case, tmp_path / "bukti", "--clean")
    assert file["clean"]["original_sha256"] == hashlib.sha256(photo).hexdigest()
    assert CANARY.encode() not in whole(file["clean"]["path"])


def mutations(data: bytes) -> dict[str, bytes]:
    flipped = bytearray(data)
    flipped[-1] ^= 1
    header = bytearray(data)
    header[200] ^= 1
    return {
        "end": bytes(flipped),
        "header": bytes(header),
        "cut": data[:-5],
        "header only": data[:300],
        "no age": b"bukan berkas age",
        "empty": b"",
        "endless line": b"age-encryption.org/v1\n-> " + b"A" * 200_000,
    }


@pytest.mark.parametrize("name", mutations(bytes(400)))
async def test_a_wrong_age_file_is_a_sentence(bureau: Bureau, tmp_path: Path, name: str) -> None:
    data = mutations(sealed(bureau, WORDS.encode(), "pengawas"))[name]
    case = Reporter(bureau).report(files=[("laporan.age", data), ("b.txt", b"lain")])
    shown = (await desk(bureau, "pengawas", "show", case)).json["report"]["files"]
    assert shown[0]["opened"]["problem"] in {"desk.age.cannot_open", "desk.age.malformed"}
    assert shown[0]["opened"]["text"] is None
    assert shown[1]["opened"] is None
    listed = await saved(bureau, case, tmp_path / "bukti")
    assert Path(listed[0]["path"]).read_bytes() == data
    assert listed[0]["opened"]["path"] is None
    names = {path.name for path in (tmp_path / "bukti").iterdir()}
    assert names == {"laporan.age", "b.txt", "SHA256SUMS"}


async def test_an_age_file_for_somebody_else(bureau: Bureau) -> None:
    case = Reporter(bureau).report(files=[("x.age", sealed(bureau, b"isi", "penyidik-1"))])
    done = await desk(bureau, "pengawas", "show", case, "--lang", "id")
    assert done.code == 0
    assert "tidak terbuka dengan kunci Anda" in done.err


@pytest.mark.parametrize("origin", [Origin.TOOL, Origin.BROWSER, Origin.ARRIVAL])
async def test_every_message_says_where_it_was_sealed(bureau: Bureau, origin: Origin) -> None:
    words = {
        Origin.TOOL: "Sealed with the offline tool",
        Origin.BROWSER: "Sealed in the reporter's browser",
        Origin.ARRIVAL: "Sealed on arrival",
    }
    reporter = Reporter(bureau)
    case = reporter.report(origin=origin)
    others = [each for each in words if each is not origin]
    for other in others:
        reporter.add("Lagi.", origin=other)
    out = (await desk(bureau, "pengawas", "show", case, "--lang", "en")).out
    report, conversation = out.split("Conversation, as the reporter sees it")
    assert words[origin] in report
    assert all(words[other] in conversation for other in others)
    assert not any(words[other] in report for other in others)
    assert words[origin] not in conversation
    shown = (await desk(bureau, "pengawas", "show", case)).json
    assert shown["report"]["origin"] == origin.name.lower()
    assert [message["origin"] for message in shown["messages"]] == [
        other.name.lower() for other in others
    ]
