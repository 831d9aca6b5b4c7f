# SPDX-License-Identifier: AGPL-3.0-or-later
"""How page templates become bytes: one closed Jinja environment per language.

Invariants:

* autoescape is on for everything and an undefined name raises;
* texts without parameters and the constants of a language are folded into the template, escaped,
  when it is loaded: they cost nothing per page;
* a template is compiled when it is first used, or before by `compile_all`: starting waits for none;
* indentation never reaches the reader: bytes matter over Tor.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from whistle.i18n import Catalogue, Language

_FIXED_TEXT: Final = re.compile(r"\{\{ t\(\"([a-z0-9_.-]+)\"\) \}\}")
_CONSTANT: Final = re.compile(r"\{\{ (lang|other|style|site_name) \}\}")
_INDENT: Final = re.compile(r"^[ \t]+", re.MULTILINE)


class CompactLoader(FileSystemLoader):
    """Loads templates without indentation and with the fixed texts of one language put in."""

    def __init__(self, folder: Path, texts: Catalogue, constants: Mapping[str, str]) -> None:
        super().__init__(folder)
        self._texts = texts
        self._constants = constants

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, object]:  # type: ignore[override]
        """Return the source with texts folded in."""
        source, filename, uptodate = super().get_source(environment, template)
        source = _INDENT.sub("", source)
        source = _FIXED_TEXT.sub(lambda match: _inert(self._texts.t(match[1])), source)
        source = _CONSTANT.sub(lambda match: _inert(self._constants[match[1]]), source)
        return source, filename, uptodate


def _inert(text: str) -> str:
    """Escape a text for HTML and for the template language."""
    return escape(text).replace("{", "&#123;")


class Renderer:
    """Templates of one language, each compiled once."""

    def __init__(
        self, folder: Path, texts: Catalogue, constants: Mapping[str, str], **shared: object
    ) -> None:
        lang: Language = texts.lang
        other: Language = "en" if lang == "id" else "id"
        constants = {**constants, "lang": lang, "other": other}
        self._environment = Environment(
            loader=CompactLoader(folder, texts, constants),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(
            t=texts.t,
            day=texts.day,
            number=texts.number,
            lang=lang,
            other=other,
            **shared,
        )

        self._names: Final = tuple(sorted(path.name for path in folder.glob("*.html")))
        self._templates: Final[dict[str, Template]] = {}

    def template(self, name: str) -> Template:
        """Return a template."""
        found = self._templates.get(name)
        if found is None:
            found = self._templates[name] = self._environment.get_template(name)
        return found

    def compile_all(self) -> Iterator[None]:
        """Compile what is not compiled yet, one template a step."""
        for name in self._names:
            if name not in self._templates:
                self.template(name)
                yield


def to_bytes(page: str) -> bytes:
    """Encode a rendered page; lone surrogates cannot break it."""
    return page.encode("utf-8", "replace")
