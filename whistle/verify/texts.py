# SPDX-License-Identifier: AGPL-3.0-or-later
"""The verifier's sentences (templates/i18n/verify.<lang>.toml), and what to do about each fault."""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from whistle.assets import templates_dir
from whistle.i18n import Catalogue, Language, TextError
from whistle.verify.faults import Fault, Found

ADVICE: Final[dict[Fault, str]] = {
    Fault.FOLDER_UNREADABLE: "again",
    Fault.FILE_MISSING: "again",
    Fault.FILE_CHANGED: "again",
    Fault.FILE_EXTRA: "again",
    Fault.INSTANCE_OTHER: "identity",
    Fault.MANIFEST_FORGED: "identity",
    Fault.MANIFEST_DATES: "identity",
    Fault.POLICY_REPLACED: "identity",
    Fault.SIGNATURES_MISSING: "identity",
    Fault.SIGNATURE_FORGED: "identity",
    Fault.LOG_KEY_OTHER: "identity",
    Fault.CHECKPOINT_FORGED: "identity",
    Fault.CHECKPOINT_OTHER: "stop",
    Fault.COSIGNATURE_FORGED: "witness",
    Fault.QUORUM_MISSING: "witness",
    Fault.TILE_MISSING: "again",
    Fault.TILE_TRUNCATED: "again",
    Fault.LOG_ALTERED: "again",
    Fault.LEAF_UNKNOWN: "update",
    Fault.OPENING_WRONG: "stop",
    Fault.REORDERED: "stop",
    Fault.NOT_WEEKLY: "stop",
    Fault.FEW_REPORTS: "privacy",
    Fault.CASE_REPEATED: "stop",
    Fault.LEAF_COPIED: "stop",
    Fault.CASE_INVENTED: "stop",
    Fault.BACK_DATED: "stop",
    Fault.DAY_WRONG: "stop",
    Fault.CANARY_FALSE: "stop",
    Fault.DEFINITIONS_UNKNOWN: "update",
    Fault.FIGURES_MALFORMED: "stop",
    Fault.TOTAL_WRONG: "stop",
    Fault.COHORT_WRONG: "stop",
    Fault.SHEET_WRONG: "stop",
    Fault.TABLE_SMALL: "privacy",
    Fault.TABLE_SOLVED: "privacy",
    Fault.PACKAGE_INVALID: "stop",
    Fault.RELEASE_REPLACED: "evidence",
    Fault.RELEASE_UNLOGGED: "evidence",
    Fault.RELEASE_HIDDEN: "evidence",
    Fault.REPORT_DROPPED: "evidence",
    Fault.FOLLOW_UP_DROPPED: "evidence",
    Fault.LEAF_INSERTED: "evidence",
    Fault.LEAVES_MOVED: "evidence",
    Fault.LOG_SHRUNK: "evidence",
    Fault.SPLIT_VIEW: "evidence",
    Fault.PROMISE_ABSENT: "paper",
    Fault.PROMISE_FORGED: "paper",
    Fault.PROMISE_BROKEN: "reporter",
    Fault.ARRIVAL_POSTDATED: "arrival",
    Fault.NOTICE_FALSE: "paper",
    Fault.NOTICE_UNLOGGED: "reporter",
    Fault.FOLLOW_UP_INVENTED: "evidence",
    Fault.PROOF_OTHER_INDEX: "paper",
    Fault.PROOF_WRONG: "paper",
    Fault.OPENING_FALSE: "auditor",
    Fault.FOLLOW_UP_UNOPENED: "auditor",
    Fault.DEFINITIONS_DIFFER: "compare",
    Fault.CITY_TWICE: "compare",
}


def load_verify_texts(lang: Language) -> Catalogue:
    """The texts of one language, each key behind `verify.`.  Raises TextError."""
    texts = dict(Catalogue.load(lang).texts)
    path = templates_dir() / "i18n" / f"verify.{lang}.toml"
    for name, text in _flatten(tomllib.loads(path.read_text("utf-8"))):
        key = f"verify.{name}"
        if key in texts:
            raise TextError(f"text given twice: {key}")
        texts[key] = text
    return Catalogue(lang, texts)


def sentence(texts: Catalogue, found: Found) -> str:
    """What is wrong, as a sentence."""
    return texts.t(f"verify.fault.{found.fault}", where=found.where)


def advice(texts: Catalogue, found: Found) -> str:
    """What to do about it."""
    return texts.t(f"verify.advice.{ADVICE[found.fault]}")


def _flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, str):
            yield f"{prefix}{name}", value
        elif isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            raise TextError(f"not a text: {prefix}{name}")
