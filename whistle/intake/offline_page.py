# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page that seals a report with the network off: one file, made for one organisation.

Invariants:

* everything it needs is inside: style, script, signed manifest, word lists; its own policy names
  the hashes of its script and style and forbids every connection, so what is typed cannot leave it;
* it is a function of this release and the organisation's signed files: the same bytes everywhere.

Source: docs/spec/offline.md, "Offline page".
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from case_mgmt.catalogue import parse_catalogue
from crypto.encoding import b64
from crypto.manifest import ManifestContent, instance_fingerprint_words, parse_content
from crypto.words import word_list
from whistle.assets import static_dir, templates_dir
from whistle.errors import ConfigError
from whistle.i18n import LANGUAGES, Catalogue, Language
from whistle.intake.contexts import Service, Site, Unit
from whistle.intake.fields import REPORT_FIELDS
from whistle.intake.questions import choice_groups
from whistle.intake.rendering import CompactLoader, to_bytes
from whistle.texts import load_tool_texts

SCRIPT: Final = "offline.js"
_SAID: Final = ("working", "sealing", "failed", "date", "nobody")


@dataclass(frozen=True)
class OrganisationFiles:
    """What a page carries of its organisation; verified by whoever makes the page."""

    instance_id: bytes
    manifest: bytes
    signature: bytes
    catalogue: bytes


@lru_cache(maxsize=2 * len(LANGUAGES))
def offline_page(lang: Language, files: OrganisationFiles) -> bytes:
    """Return the page."""
    texts = load_tool_texts(lang)
    content = parse_content(files.manifest)
    site = _site(content, files)
    style = (static_dir() / "style.css").read_text("utf-8")
    script = (static_dir() / SCRIPT).read_text("utf-8")
    if "</script" in script.lower() or "</style" in style.lower():
        raise ConfigError("script or style cannot stand inside a page")
    page = _template(texts).render(
        site=site,
        serial=content.serial,
        not_after=content.not_after,
        groups=choice_groups(site, texts, content.not_after),
        f={question.name: question for question in REPORT_FIELDS},
        values={},
        errors={},
        policy=_policy(script, style),
        page_style=Markup(style),  # noqa: S704 - ours, from the release
        script=Markup(script),  # noqa: S704 - ours, from the release
        data=Markup(_data(lang, files, texts)),  # noqa: S704 - JSON without markup characters
    )
    return to_bytes(page)


def _template(texts: Catalogue) -> Any:
    other = "en" if texts.lang == "id" else "id"
    constants = {"lang": texts.lang, "other": other}
    environment = Environment(
        loader=CompactLoader(templates_dir(), texts, constants),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(t=texts.t, day=texts.day, lang=texts.lang, other=other)
    return environment.get_template("tool/offline.html")


def _policy(script: str, style: str) -> str:
    def source(text: str) -> str:
        digest = hashlib.sha256(text.encode("utf-8")).digest()
        return f"'sha256-{base64.b64encode(digest).decode()}'"

    return (
        f"default-src 'none'; script-src {source(script)}; style-src {source(style)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _data(lang: Language, files: OrganisationFiles, texts: Catalogue) -> str:
    value = {
        "lang": lang,
        "instance": files.instance_id.hex(),
        "manifest": b64(files.manifest),
        "signature": b64(files.signature),
        "words": {each: list(word_list(each).words) for each in LANGUAGES},
        "text": {name: texts.t(f"tool.offline_{name}") for name in _SAID},
    }
    data = json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return data.replace("<", "\\u003c").replace("&", "\\u0026")


def _site(content: ManifestContent, files: OrganisationFiles) -> Site:
    catalogue = parse_catalogue(files.catalogue)
    return Site(
        name=content.name,
        fingerprint={
            lang: instance_fingerprint_words(files.instance_id, lang) for lang in LANGUAGES
        },
        units=tuple(Unit(unit.id, unit.name, unit.level) for unit in catalogue.units),
        services=tuple(
            Service(each.id, each.name, each.official_fee) for each in catalogue.services
        ),
        staff_units=tuple(sorted({person.unit for person in content.recipients_for(None)})),
        demo=content.demo,
    )
