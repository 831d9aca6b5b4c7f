# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page that verifies a release in a browser, for people without this program: one file.

Invariants
* Everything it needs is inside, in both languages; its own policy names the hashes of its script
  and style and forbids every connection, so a release under examination can reach nobody.
* It is a function of this program's version: the same bytes for every organisation.

Source: docs/spec/verify.md section 8; the script's sources are in whistle/verify/page/.
"""

import base64
import hashlib
import json
from functools import lru_cache
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from crypto.words import word_list
from whistle.assets import static_dir, templates_dir
from whistle.errors import ConfigError
from whistle.i18n import DEFAULT_LANGUAGE, LANGUAGES, Language
from whistle.verify.texts import ADVICE, load_verify_texts

SCRIPT: Final = "verify.js"
STYLES: Final = ("style.css", "verify.css")
_TEXTS: Final = ("page.", "check.", "step.", "fault.", "advice.", "mark_")
_LINES: Final = ("bad", "bad_one", "about", "checked", "found", "instance_bad")


@lru_cache(maxsize=1)
def offline_page() -> bytes:
    """Return the page.  Raises ConfigError: script or style cannot stand inside a page."""
    style = "".join((static_dir() / name).read_text("utf-8") for name in STYLES)
    script = (static_dir() / SCRIPT).read_text("utf-8")
    if "</script" in script.lower() or "</style" in style.lower():
        raise ConfigError("script or style cannot stand inside a page")
    texts = load_verify_texts(DEFAULT_LANGUAGE)
    other: Language = "en" if DEFAULT_LANGUAGE == "id" else "id"
    environment = Environment(
        loader=FileSystemLoader(templates_dir()), autoescape=True, undefined=StrictUndefined
    )
    return (
        environment.get_template("verify/page.html")
        .render(
            t=texts.t,
            lang=DEFAULT_LANGUAGE,
            other=other,
            other_noscript=load_verify_texts(other).t("verify.page.noscript"),
            policy=content_policy(script, style),
            page_style=Markup(style),  # noqa: S704 - ours, from the release
            script=Markup(script),  # noqa: S704 - ours, from the release
            data=Markup(_data()),  # noqa: S704 - JSON without markup characters
        )
        .encode("utf-8")
    )


def content_policy(script: str | None, style: str) -> str:
    """What such a page may load: its own script and style, and nothing else."""
    scripts = "" if script is None else f"script-src {_source(script)}; "
    return (
        f"default-src 'none'; {scripts}style-src {_source(style)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _source(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _data() -> str:
    value = {
        "words": {lang: list(word_list(lang).words) for lang in LANGUAGES},
        "texts": {lang: _texts(lang) for lang in LANGUAGES},
        "advice": {str(fault): advice for fault, advice in ADVICE.items()},
    }
    data = json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return data.replace("<", "\\u003c").replace("&", "\\u0026")


def _texts(lang: Language) -> dict[str, str]:
    texts = load_verify_texts(lang)
    own = {key.removeprefix("verify."): text for key, text in texts.texts.items()}
    chosen = {
        key: text
        for key, text in own.items()
        if f"verify.{key}" in texts.texts and (key.startswith(_TEXTS) or key in _LINES)
    }
    months = {f"month.{number}": texts.t(f"option.month.{number:02d}") for number in range(1, 13)}
    return {**chosen, **months}
