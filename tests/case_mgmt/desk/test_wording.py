# SPDX-License-Identifier: AGPL-3.0-or-later
"""Only completed words that say something go to a reporter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from case_mgmt.desk.errors import ComposeError
from case_mgmt.desk.wording import (
    MAX_MESSAGE_CHARACTERS,
    placeholders,
    private_text,
    visible_text,
)
from whistle.i18n import LANGUAGES, Catalogue

REFUSED = {
    "empty": ("", "empty_message"),
    "spaces": (" \n\t ", "empty_message"),
    "punctuation": ("... --- !!! ???", "empty_message"),
    "too little": ("ok sip", "empty_message"),
    "placeholder": ("Kami akan memeriksa [langkah] besok.", "placeholder"),
    "placeholder with number": ("Kabar berikutnya pada [tgl 3] nanti.", "placeholder"),
    "too long": ("a" * (MAX_MESSAGE_CHARACTERS + 1), "too_long"),
    "only invisible": ("\u200b\u202e" * 20, "empty_message"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    text, code = REFUSED[name]
    with pytest.raises(ComposeError) as error:
        visible_text(text)
    assert error.value.code == code


def test_line_ends_and_invisible_characters() -> None:
    text = "Baris satu.  \r\nBaris\tdua\u202e.\r\r\nBaris \x1b[31mtiga.\n\n"
    assert visible_text(text) == "Baris satu.\nBaris dua.\n\nBaris [31mtiga."


def test_a_note_may_hold_brackets() -> None:
    assert private_text("lihat [berkas 2]") == "lihat [berkas 2]"


@given(st.text(max_size=200))
def test_what_is_previewed_is_what_is_sealed(text: str) -> None:
    try:
        cleaned = visible_text(text)
    except ComposeError:
        return
    assert visible_text(cleaned) == cleaned


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_template_must_be_completed(lang: str) -> None:
    texts = Catalogue.load(lang).texts  # type: ignore[arg-type]
    templates = {key: text for key, text in texts.items() if key.startswith("desk.template.")}
    assert len(templates) == 12
    for text in templates.values():
        assert placeholders(text)
        with pytest.raises(ComposeError, match="placeholder"):
            visible_text(text)
