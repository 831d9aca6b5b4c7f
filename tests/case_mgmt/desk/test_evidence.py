# SPDX-License-Identifier: AGPL-3.0-or-later
"""Hostile file names become harmless ones; nothing else changes."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from case_mgmt.desk.evidence import (
    MAX_NAME_BYTES,
    checksum_list,
    is_risky,
    name_all,
    safe_name,
    unique_name,
)
from crypto.attachment import AttachmentSealer
from crypto.body import AttachmentRef
from crypto.rng import system_rng

HOSTILE = {
    "path": ("../../etc/passwd", "passwd"),
    "absolute": ("/etc/shadow", "shadow"),
    "backslash": (r"C:\Users\a\..\b.txt", "b.txt"),
    "only dots": ("..", "berkas"),
    "empty": ("", "berkas"),
    "hidden": (".bashrc", "bashrc"),
    "option": ("--output=x", "output_x"),
    "null byte": ("a\x00.jpg", "a.jpg"),
    "newline": ("a\nb.jpg", "a b.jpg"),
    "escape": ("\x1b[31mred.txt", "31mred.txt"),
    "right to left": ("struk\u202egpj.exe", "strukgpj.exe"),
    "isolates": ("a\u2066b\u2069.pdf", "ab.pdf"),
    "zero width": ("in\u200bvoice.pdf", "invoice.pdf"),
    "full-width slash": ("a\uff0fb.txt", "b.txt"),
    "division slash": ("a\u2215b.txt", "a_b.txt"),
    "full-width dots": ("\uff0e\uff0e/x", "x"),
    "device": ("con.txt", "berkas-con.txt"),
    "device, upper": ("LPT1", "berkas-LPT1"),
    "device with stream": ("aux.tar.gz", "berkas-aux.tar.gz"),
    "trailing dot": ("a.txt.", "a.txt"),
    "trailing space": ("a.txt   ", "a.txt"),
    "shell": ("$(rm -rf ~);`id`.txt", "(rm -rf _)__id.txt"),
    "quotes": ("a\"b'c.jpg", "a_b_c.jpg"),
    "drive stream": ("file.txt:evil.exe", "file.txt_evil.exe"),
    "wide spaces": ("a\u3000\u00a0b.jpg", "a b.jpg"),
    "surrogate": ("a\ud800b.jpg", "ab.jpg"),
    "private use": ("a\ue000.jpg", "a.jpg"),
    "letters of Java": ("ꦏꦸꦮꦶꦠꦤ꧀ꦱꦶ.jpg", "ꦏꦸꦮꦶꦠꦤ꧀ꦱꦶ.jpg"),
    "ordinary": ("Foto papan biaya (1).jpg", "Foto papan biaya (1).jpg"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names(name: str) -> None:
    offered, expected = HOSTILE[name]
    assert safe_name(offered) == expected


def test_long_name_keeps_its_extension() -> None:
    name = safe_name("ü" * 400 + ".jpeg")
    assert name.endswith("ü.jpeg")
    assert len(name.encode()) <= MAX_NAME_BYTES


@given(st.text(max_size=300))
def test_a_safe_name_is_one_component_and_stays(offered: str) -> None:
    name = safe_name(offered)
    assert name == safe_name(name)
    assert name
    assert name not in {".", ".."}
    assert not set(name) & set('/\\:*?"<>|\x00\n\r')
    assert not name.startswith((".", "-", " "))
    assert not name.endswith((".", " "))
    assert len(name.encode()) <= MAX_NAME_BYTES
    assert name.isprintable()


@pytest.mark.parametrize(
    ("name", "risky"),
    [("a.exe", True), ("a.EXE", True), ("a.svg", True), ("a.html", True), ("a.jpg", False),
     ("exe", False), ("a.pdf.scr", True), ("struk.docm", True), ("a.settingcontent-ms", True),
     ("a.vhdx", True), ("a.PS1", True), ("a.xll", True), ("a.one", True), ("a.appimage", True),
     ("a.wsh", True), ("a.library-ms", True), ("a.xls", True), ("a.rtf", True), ("a.chm", True),
     ("a.pdf", False), ("a.mp4", False), ("a.docx", False), ("a.xlsx", False), ("a.txt", False),
     ("a.zip", False), ("a.png", False), ("a.", False), ("", False)],
)  # fmt: skip
def test_risky(name: str, risky: bool) -> None:
    assert is_risky(name) is risky


def test_unique_name_ignores_case_and_keeps_the_extension() -> None:
    taken = {"foto.jpg", "foto (2).jpg"}
    assert unique_name("Foto.JPG", taken) == "Foto (3).JPG"
    assert unique_name("lain.jpg", taken) == "lain.jpg"


def test_unique_name_stays_short() -> None:
    name = "x" * (MAX_NAME_BYTES - 4) + ".jpg"
    again = unique_name(name, {name})
    assert again != name
    assert len(again.encode()) <= MAX_NAME_BYTES


def _ref(name: str) -> AttachmentRef:
    sealer = AttachmentSealer(system_rng)
    sealer.update(b"x")
    return sealer.final(name, "image/jpeg")[1]


def test_every_file_of_a_case_has_a_name_of_its_own() -> None:
    files = name_all([_ref("a.jpg"), _ref("../A.JPG"), _ref("a.jpg"), _ref("\u202e")])
    assert [file.name for file in files] == ["a.jpg", "A (2).JPG", "a (3).jpg", "file"]
    assert [file.position for file in files] == [1, 2, 3, 4]


def test_checksum_list_is_what_sha256sum_reads() -> None:
    digest = hashlib.sha256(b"isi").hexdigest()
    assert checksum_list([("a b.jpg", digest)]) == f"{digest}  a b.jpg\n".encode()
