# SPDX-License-Identifier: AGPL-3.0-or-later
"""Renders the desk's pages. Everything is escaped; nothing is marked safe but the reporter's
preview, which is rendered by the reporter page's own template so that it shows exactly what will
be read there.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from crypto.body import ReplyBody
from whistle.assets import static_dir, templates_dir
from whistle.i18n import LANGUAGES, Catalogue, Language
from whistle.intake.contexts import TimelineItem
from whistle.intake.rendering import CompactLoader
from whistle.intake.status_page import item_label, item_reason

TEMPLATES = ("queue", "case", "compose", "preview", "file", "unlock", "error")
REPORTER_LINE = "timeline_items.html"


@dataclass(frozen=True)
class Frame:
    """What every page shows around its content."""

    person: str
    organisation: str
    is_demo: bool
    keystores: tuple[str, ...]
    current: str
    can_switch: bool
    path: str


class DeskPages:
    """All pages in both languages, compiled once."""

    def __init__(self) -> None:
        self.style = (static_dir() / "desk.css").read_bytes()
        self.style_path = f"/desk-{hashlib.sha256(self.style).hexdigest()[:16]}.css"
        self.texts: Mapping[Language, Catalogue] = {
            lang: Catalogue.load(lang) for lang in LANGUAGES
        }
        self._environments = {
            lang: _environment(texts, self.style_path) for lang, texts in self.texts.items()
        }
        for environment in self._environments.values():
            for name in (*(f"desk/{name}.html" for name in TEMPLATES), REPORTER_LINE):
                environment.get_template(name)

    def render(self, lang: Language, name: str, frame: Frame | None, **values: Any) -> bytes:
        """The bytes of a page."""
        template = self._environments[lang].get_template(f"desk/{name}.html")
        return template.render(frame=frame, **values).encode("utf-8", "replace")

    def as_the_reporter_sees(self, body: ReplyBody, code: str) -> Markup:
        """A letter as the line of the reporter's page that it will become."""
        lang: Language = "en" if body.lang == "en" else "id"
        item = TimelineItem(
            day=date.fromisoformat(body.day),
            code=code,
            text=body.text,
            author="office",
            reason=body.reason,
        )
        template = self._environments[lang].get_template(REPORTER_LINE)
        texts = self.texts[lang]
        rows = [(item, item_label(item, texts), item_reason(item, texts))]
        return Markup(template.render(rows=rows, mark=""))  # noqa: S704 - rendered, escaped


def _environment(texts: Catalogue, style: str) -> Environment:
    """The closed environment of one language: escaping everything, refusing undefined names."""
    lang = texts.lang
    other = "en" if lang == "id" else "id"
    constants = {"lang": lang, "other": other, "style": style, "site_name": ""}
    environment = Environment(
        loader=CompactLoader(templates_dir(), texts, constants),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(
        t=texts.t,
        day=texts.day,
        number=texts.number,
        lang=lang,
        other=other,
        style=style,
        short=lambda day: "" if day is None else day.isoformat(),
        size=lambda count: file_size(count, texts),
    )
    return environment


def file_size(count: int, texts: Catalogue) -> str:
    """A size for people."""
    if count < 1000:
        return f"{count} B"
    if count < 1_000_000:
        return f"{texts.number(round(count / 1000))} kB"
    return f"{count / 1_000_000:.1f} MB".replace(".", "," if texts.lang == "id" else ".")
