# SPDX-License-Identifier: AGPL-3.0-or-later
"""The texts of the reporter's tools: the pages' own, and templates/i18n/tool.<lang>.toml."""

import os
import tomllib
import unicodedata
from collections.abc import Mapping

from whistle.assets import templates_dir
from whistle.i18n import Catalogue, Language, TextError

_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def load_tool_texts(lang: Language) -> Catalogue:
    """Return the texts of one language. Raises: TextError."""
    path = templates_dir() / "i18n" / f"tool.{lang}.toml"
    texts = dict(Catalogue.load(lang).texts)
    for name, text in tomllib.loads(path.read_text("utf-8")).items():
        key = f"tool.{name}"
        if not isinstance(text, str) or key in texts:
            raise TextError(f"not a text, or given twice: {key}")
        texts[key] = text
    return Catalogue(lang, texts)


def choose_language(wanted: str | None, environment: Mapping[str, str] = os.environ) -> Language:
    """Return the asked-for language; else English when the locale is another than Indonesian."""
    if wanted is not None:
        return "en" if wanted == "en" else "id"
    name = environment.get("LC_ALL") or environment.get("LANG") or "id"
    return "id" if name.lower().startswith("id") else "en"


def printable(text: str) -> str:
    """Return the text without characters that could rewrite a terminal; line ends stay."""
    return "".join(c for c in text if c == "\n" or unicodedata.category(c) not in _UNPRINTABLE)
