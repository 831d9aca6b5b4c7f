# SPDX-License-Identifier: AGPL-3.0-or-later
"""The content says what a file is; the name only where it must."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from case_mgmt.desk.kinds import HEAD_BYTES, kind_of, text_of
from case_mgmt.desk.traces import TRACES, trace_of, traces_of
from tests.support import evidence_files

KINDS = [
    (evidence_files.jpeg(), "x.pdf", "jpeg"),
    (evidence_files.png(), "x", "png"),
    (evidence_files.pdf(), "x.jpg", "pdf"),
    (b"\n\n" + evidence_files.pdf(), "x", "pdf"),
    (evidence_files.docx(), "surat.DOCX", "docx"),
    (evidence_files.docx(), "surat.zip", "other"),
    (evidence_files.docx(), "docx", "other"),
    (b"GIF89a\1\0\1\0", "x", "gif"),
    (b"RIFF\0\0\0\0WAVEfmt ", "x", "wav"),
    (b"RIFF\0\0\0\0AVI LIST", "x", "avi"),
    (b"RIFF\0\0\0\0WEBPVP8 ", "x.webp", "other"),
    (b"\0\0\0\x18ftypheic\0\0\0\0", "x", "heic"),
    (b"\0\0\0\x18ftypmp42\0\0\0\0", "x", "mp4"),
    (b"age-encryption.org/v1\n-> x\n", "x.txt", "age"),
    (b"BMw masuk jalan", "x.txt", "text"),
    ("Diminta Rp 150.000 – dua kali.\n".encode(), "", "text"),
    (b"\x7fELF\2\1\1\0", "x.jpg", "other"),
    (b"", "kosong.txt", "text"),
    (b"\xff\xfe<\0", "x.txt", "other"),
]


@pytest.mark.parametrize(("head", "name", "code"), KINDS)
def test_kinds(head: bytes, name: str, code: str) -> None:
    assert kind_of(head, name).code == code


@pytest.mark.parametrize("name", ["a.html", "a.svg", "a.sh", "a.eml"])
def test_text_with_structure_is_shown_but_not_called_clean(name: str) -> None:
    """mat2 would pass it through unchanged: what it carries would stay."""
    kind = kind_of(b"<b>teks</b>", name)
    assert (kind.look, kind.cleanable) == ("text", False)
    assert kind_of(b"teks", "a.txt").cleanable


@given(st.binary(max_size=400), st.text(max_size=20))
def test_any_file_has_a_kind_and_a_suffix_of_ours(head: bytes, name: str) -> None:
    kind = kind_of(head, name)
    assert kind.suffix.startswith(".")
    assert kind.suffix[1:].isalnum()


def test_text_cut_within_a_character() -> None:
    data = ("a" * (HEAD_BYTES - 1) + "é").encode()[:HEAD_BYTES]
    assert text_of(data) == "a" * (HEAD_BYTES - 1)
    assert text_of("é".encode()[:1]) is None


@pytest.mark.parametrize("data", [b"a\0b", b"\x1b[31m", b"a\x07", "\x9b31m".encode()])
def test_control_characters_are_no_text(data: bytes) -> None:
    assert text_of(data) is None


@pytest.mark.parametrize(
    ("name", "trace"),
    [
        ("GPSLatitude", "place"),
        ("Artist", "person"),
        ("dc:creator", "person"),
        ("DateTimeOriginal", "time"),
        ("Make", "device"),
        ("SerialNumber", "device"),
        ("ThumbnailImage", "thumbnail"),
        ("ImageDescription", "words"),
        ("YCbCrPositioning", "other"),
        ("TimeScale", "other"),
        ("MovieHeaderVersion", "other"),
    ],
)
def test_what_a_name_gives_away(name: str, trace: str) -> None:
    assert trace_of(name) == trace


def test_each_trace_once_in_order() -> None:
    assert traces_of(["Make", "x", "GPSLatitude", "GPSLongitude"]) == ("place", "device", "other")
    assert traces_of([]) == ()
    assert len(set(TRACES)) == len(TRACES)
