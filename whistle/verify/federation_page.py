# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page of several cities side by side: one table, no script, in both languages.

Invariant: cities stand in the order of their names, not of their numbers: the table does not rank.

Source: docs/spec/verify.md section 9.
"""

from collections.abc import Sequence
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from crypto.manifest import instance_fingerprint_words
from whistle.assets import static_dir, templates_dir
from whistle.i18n import Catalogue, Language
from whistle.verify.federation import City
from whistle.verify.offline_page import STYLES, content_policy
from whistle.verify.texts import load_verify_texts

PAGES: Final[dict[Language, str]] = {"id": "index.html", "en": "en.html"}


def federation_page(cities: Sequence[City], definitions: str, lang: Language) -> bytes:
    """Return the page of one language."""
    texts = load_verify_texts(lang)
    other: Language = "en" if lang == "id" else "id"
    style = "".join((static_dir() / name).read_text("utf-8") for name in STYLES)
    environment = Environment(
        loader=FileSystemLoader(templates_dir()), autoescape=True, undefined=StrictUndefined
    )
    rows = [_row(city, texts) for city in cities]
    return (
        environment.get_template("verify/federation.html")
        .render(
            t=texts.t,
            lang=lang,
            other=other,
            other_page=PAGES[other],
            definitions=definitions,
            rows=sorted(rows, key=lambda row: row["name"]),
            policy=content_policy(None, style),
            page_style=Markup(style),  # noqa: S704 - ours, from the release
        )
        .encode("utf-8")
    )


def _row(city: City, texts: Catalogue) -> dict[str, str]:
    result, row = city.result, city.row
    if result.base is None or result.release is None:
        raise ValueError("not verified")
    head, organisation = result.release.head, result.base.organisation
    asked = int(row["asked"] or 0)
    return {
        "name": organisation.manifest.name[texts.lang],
        "release": head.id,
        "as_of": texts.day(head.as_of),
        **{key: texts.number(int(row[key] or 0)) for key in ("received", "open", "closed")},
        **_share("followed_up", row, texts),
        **_share("examined", row, texts),
        "settled": texts.t(
            "verify.federate.of",
            count=texts.number(int(row["settled"] or 0)),
            of=texts.number(asked),
        ),
        "sha256": result.release.sha256,
        "size": texts.number(head.size),
        "root": head.root.hex(),
        "words": " ".join(instance_fingerprint_words(organisation.instance_id, texts.lang)),
    }


def _share(name: str, row: dict[str, int | str | None], texts: Catalogue) -> dict[str, str]:
    if row[f"{name}_share"] is None:
        return {name: texts.t("verify.federate.waiting"), f"{name}_note": ""}
    low, high = percent(row[f"{name}_low"], texts), percent(row[f"{name}_high"], texts)
    return {
        name: percent(row[f"{name}_share"], texts),
        f"{name}_note": texts.t("verify.federate.interval", low=low, high=high),
    }


def percent(value: int | str | None, texts: Catalogue) -> str:
    """Ten-thousandths as a percentage with one digit, rounded half up."""
    tenths = (int(value or 0) + 5) // 10
    mark = "," if texts.lang == "id" else "."
    return f"{tenths // 10}{mark}{tenths % 10}\u00a0%"
