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

from markupsafe import Markup

from crypto.body import ReplyBody
from whistle.assets import static_dir, templates_dir
from whistle.i18n import LANGUAGES, Catalogue, Language
from whistle.intake.contexts import TimelineItem
from whistle.intake.rendering import Renderer, to_bytes
from whistle.intake.status_page import item_label

TEMPLATES = ("queue", "case", "compose", "preview", "unlock", "error")


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
        self._renderers = {
            lang: Renderer(
                templates_dir(),
                texts,
                style=self.style_path,
                short=lambda day: "" if day is None else day.isoformat(),
                size=lambda count, texts=texts: file_size(count, texts),
            )
            for lang, texts in self.texts.items()
        }
        for renderer in self._renderers.values():
            for name in TEMPLATES:
                renderer.template(f"desk/{name}.html")

    def render(self, lang: Language, name: str, frame: Frame | None, **values: Any) -> bytes:
        """The bytes of a page."""
        template = self._renderers[lang].template(f"desk/{name}.html")
        return to_bytes(template.render(frame=frame, **values))

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
        template = self._renderers[lang].template("timeline_item.html")
        label = item_label(item, self.texts[lang])
        return Markup(template.render(item=item, label=label))  # noqa: S704 - rendered, escaped


def file_size(count: int, texts: Catalogue) -> str:
    """A size for people."""
    if count < 1000:
        return f"{count} B"
    if count < 1_000_000:
        return f"{texts.number(round(count / 1000))} kB"
    return f"{count / 1_000_000:.1f} MB".replace(".", "," if texts.lang == "id" else ".")
