# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page of a server that is busy: it gives the form back with what was typed.

Invariants:

* whatever text had arrived when a request is refused as `busy` is in the answer, in a form that
  sends it to the same place, with the same token: pressing again, once or often, adds one report;
* nothing of it is kept by the server.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from whistle.i18n import Language
from whistle.intake.forms import without_controls
from whistle.intake.pages import Pages

SHOWN: Final = {
    "story": "field.story.label",
    "text": "case.write_label",
    "code": "code.label",
}
"""Fields that are shown to be read over, with their labels; all others are sent along unseen."""


@dataclass(frozen=True, repr=False)
class Typed:
    """What had arrived of a form, and the files it may bring: how many, and under which name."""

    texts: Mapping[str, str]
    files: int
    file_field: str


TYPED: Final = web.RequestKey("typed", Typed)


def busy_page(pages: Pages, lang: Language, path: str, typed: Typed) -> bytes:
    """Return the page with the form for `path`."""
    texts = {name: without_controls(text) for name, text in typed.texts.items()}
    rows = [(name, SHOWN[name], text) for name, text in texts.items() if name in SHOWN]
    hidden = [(name, text) for name, text in texts.items() if name not in SHOWN]
    return pages.page(lang, "busy", None, action=path, rows=rows, hidden=hidden, typed=typed)
