# SPDX-License-Identifier: AGPL-3.0-or-later
"""Hostile names become harmless ones, and stay that way."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.filenames import MAX_NAME, UNKNOWN_TYPE, clean_media_type, clean_name


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("foto.jpg", "foto.jpg"),
        ("", "file"),
        (".", "file"),
        ("..", "file"),
        ("/", "file"),
        ("../../etc/passwd", "passwd"),
        ("C:\\fakepath\\bukti 1.png", "bukti 1.png"),
        ("a\x00b\r\nc.txt", "abc.txt"),
        ("gpj.\u202efoto", "gpj.foto"),
        ("\u200b\ufeff", "file"),
        (".htaccess", "htaccess"),
        (" . x . ", "x"),
        ("kwitansi\u2028.pdf", "kwitansi.pdf"),
        ("\ud800.txt", "txt"),
        ("e\u0301.txt", "é.txt"),
        ("e\u200d\u0301.txt", "é.txt"),
    ],
)
def test_names(name: str, clean: str) -> None:
    assert clean_name(name) == clean


def test_long_names_keep_their_ending() -> None:
    assert clean_name("a" * 500 + ".jpeg") == "a" * (MAX_NAME - 5) + ".jpeg"
    assert clean_name("a" * 500 + "." + "b" * 11) == "a" * MAX_NAME
    assert clean_name("." + "b" * 500) == "b" * MAX_NAME


@given(st.text(max_size=400))
def test_any_name(name: str) -> None:
    clean = clean_name(name)
    assert 0 < len(clean) <= MAX_NAME
    assert not set(clean) & set("/\\\x00\n\r")
    assert all(unicodedata.category(each)[0] != "C" for each in clean)
    assert clean_name(clean) == clean
    clean.encode("utf-8")


@pytest.mark.parametrize(
    ("given_type", "clean"),
    [
        ("image/jpeg", "image/jpeg"),
        ("IMAGE/JPEG; charset=x", "image/jpeg"),
        ("application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.text"),
        ("", UNKNOWN_TYPE),
        ("image", UNKNOWN_TYPE),
        ("image/", UNKNOWN_TYPE),
        ("a/b/c", UNKNOWN_TYPE),
        ("text/html\r\nX: y", UNKNOWN_TYPE),
        ("té/xt", UNKNOWN_TYPE),
        ("x" * 64 + "/y", UNKNOWN_TYPE),
    ],
)
def test_media_types(given_type: str, clean: str) -> None:
    assert clean_media_type(given_type) == clean
    assert clean_media_type(clean) == clean
