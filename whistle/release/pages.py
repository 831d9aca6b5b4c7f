# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pages of a release: numbers and method in each language, and a first page to choose one.

Invariants
* No script, no address outside the folder; every name, text and number is escaped.
* Every number of a chart is in a table on the same page, so nothing is lost without pictures.

Source: docs/spec/release.md section 5.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from crypto.manifest import instance_fingerprint_words
from whistle.assets import static_dir, templates_dir
from whistle.i18n import LANGUAGES, Language
from whistle.release.charts import MILESTONES
from whistle.release.chartset import HEADLINE_DAYS, Chart, charts, cohort, office_range
from whistle.release.drawing import WIDE
from whistle.release.inputs import JsonObject, ReleaseInputs
from whistle.release.words import Words

PAGES: Final = ("index.html", "method.html")
_INDENT: Final = re.compile(r"^[ \t]+|\n(?=\n)", re.MULTILINE)


def page_files(
    inputs: ReleaseInputs, made: Mapping[Language, Mapping[str, Chart]], csv: list[str]
) -> dict[str, bytes]:
    """Path in the release to page, style sheet included."""
    environment = Environment(
        loader=FileSystemLoader(templates_dir() / "release"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    files = {"style.css": _style()}
    for lang in LANGUAGES:
        words = Words(lang, inputs.catalogue)
        context = _context(inputs, words) | {"charts": made[lang], "csv": csv}
        for page in PAGES:
            text = environment.get_template(page).render(context | {"page": page})
            files[f"{lang}/{page}"] = _compact(text)
    choice = environment.get_template("choice.html")
    files["index.html"] = _compact(choice.render(id=inputs.id, pages=_choices(inputs)))
    return files


def language_charts(inputs: ReleaseInputs) -> dict[Language, dict[str, Chart]]:
    """The charts of each language."""
    return {
        lang: charts(inputs.figures, inputs.tables, Words(lang, inputs.catalogue))
        for lang in LANGUAGES
    }


def _style() -> bytes:
    shared = (static_dir() / "style.css").read_bytes()
    return shared + b"\n" + (templates_dir() / "release" / "release.css").read_bytes()


def _compact(text: str) -> bytes:
    return _INDENT.sub("", text).encode()


def _context(inputs: ReleaseInputs, words: Words) -> dict[str, Any]:
    manifest, figures, tables = inputs.manifest, inputs.figures, inputs.tables
    ranges = {row["unit"]: office_range(row) for row in tables["units"]}
    shown = [(row, found) for row in tables["units"] if (found := ranges[row["unit"]])]
    return {
        **_speech(words),
        "other": next(lang for lang in LANGUAGES if lang != words.lang),
        "name": manifest.name[words.lang],
        "is_demo": manifest.demo,
        "id": inputs.id,
        "f": figures,
        "main30": cohort(figures["headline"], HEADLINE_DAYS),
        "tables": tables,
        "suppression": inputs.suppression,
        "incidence_heads": [words.t("head.days", days=days) for days in MILESTONES],
        "incidence": _incidence(figures["outcome"]),
        "shown_units": sorted(
            shown, key=lambda pair: (pair[1].low + pair[1].high, pair[0]["unit"])
        ),
        "hidden_units": len(tables["units"]) - len(shown),
        "ranges": ranges,
        "lists": [_list(table, words) for table in tables["oneway"]],
        "grids": [_grid(table, words) for table in tables["twoway"]],
        "money": [row for row in tables["money"] if row["asked_at_least"] is not None],
        "previous": inputs.previous,
        "reason": inputs.reason,
        "changes": _changes(inputs, words),
        "instance": inputs.instance_id.hex(),
        "phrase": " ".join(instance_fingerprint_words(inputs.instance_id, words.lang)),
        "origin": inputs.log.origin,
        "root": inputs.log.root.hex(),
        "facts": _facts(inputs, words),
    }


def _speech(words: Words) -> dict[str, Any]:
    def rupiah(amount: int | None) -> str:
        return words.number(None) if amount is None else words.texts.rupiah(amount)

    def band(attribute: str, code: str | None) -> str:
        return words.number(None) if code is None else words.value(attribute, code)

    return {
        "lang": words.lang,
        "wide": WIDE,
        "t": words.t,
        "site": words.texts.t,
        "number": words.number,
        "share": words.share,
        "day": words.day,
        "span": words.span,
        "age": words.age,
        "status": words.status,
        "attribute": words.attribute,
        "value": words.value,
        "rupiah": rupiah,
        "band": band,
    }


def _incidence(outcome: JsonObject) -> list[tuple[str, list[int | None]]]:
    """Cause, and the share that ended so by each milestone; None where the curve does not reach."""
    rows = []
    for curve in outcome["curves"]:
        points = curve["points"]
        reach = points[-1]["days"] if points else -1
        shares = [
            _at(points, days) if days <= reach or days <= MILESTONES[0] else None
            for days in MILESTONES
        ]
        rows.append((curve["cause"], shares))
    return rows


def _at(points: list[JsonObject], days: int) -> int:
    return max((int(point["share"]) for point in points if point["days"] <= days), default=0)


def _grid(table: JsonObject, words: Words) -> dict[str, Any]:
    cells = {(cell["row"], cell["column"]): cell["count"] for cell in table["cells"]}
    rows = words.ordered(table["rows"], _sums(table, "row"))
    columns = words.ordered(table["columns"], _sums(table, "column"))
    return {
        "rows": table["rows"],
        "columns": table["columns"],
        "names": [words.value(table["columns"], column) for column in columns],
        "lines": [(row, [cells.get((row, column)) for column in columns]) for row in rows],
    }


def _sums(table: JsonObject, side: str) -> dict[str, int | None]:
    """What is shown of each row or column, to order them by."""
    sums: dict[str, int | None] = {}
    for cell in table["cells"]:
        sums[cell[side]] = (sums.get(cell[side]) or 0) + (cell["count"] or 0)
    return sums


def _list(table: JsonObject, words: Words) -> dict[str, Any]:
    counts = {cell["value"]: cell["count"] for cell in table["cells"]}
    lines = [(value, counts[value]) for value in words.ordered(table["by"], counts)]
    return {"by": table["by"], "lines": lines}


def _changes(inputs: ReleaseInputs, words: Words) -> list[tuple[str, str, str]]:
    if inputs.previous is None:
        return []
    both = (inputs.previous.figures, inputs.figures)
    rows = [
        (words.t(f"changes.{key}"), *(words.number(each[key]) for each in both))
        for key in ("received", "open", "closed", "withdrawn", "oldest_open_days")
    ]
    shares = [
        (
            words.t(f"changes.{measure}"),
            *(
                words.share(cohort(each["headline"], HEADLINE_DAYS, measure)["share"])
                for each in both
            ),
        )
        for measure in ("followed_up", "examined")
    ]
    return [(label, before, now) for label, before, now in (*rows, *shares)]


def _facts(inputs: ReleaseInputs, words: Words) -> list[tuple[str, str]]:
    values = {
        "id": inputs.id,
        "as_of": words.texts.day(inputs.as_of),
        "size": words.number(inputs.log.size),
        "definitions": inputs.figures["definitions"],
    }
    return [(words.t(f"fact.{key}"), text) for key, text in values.items()]


def _choices(inputs: ReleaseInputs) -> list[dict[str, str]]:
    rows = []
    for lang in LANGUAGES:
        words = Words(lang, inputs.catalogue)
        value = cohort(inputs.figures["headline"], HEADLINE_DAYS)["share"]
        none = words.t("head.sentence_none")
        sentence = none if value is None else words.t("head.sentence", share=words.share(value))
        rows.append(
            {
                "lang": lang,
                "name": inputs.manifest.name[lang],
                "title": words.t("site.title"),
                "sentence": sentence,
                "link": words.t("site.read_here"),
            }
        )
    return rows
