# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every fault has a sentence of its own and an advice, in both languages; no text is left over."""

import re
import string
from pathlib import Path

from whistle.verify.faults import Fault
from whistle.verify.release import CHECKS
from whistle.verify.texts import ADVICE, load_verify_texts

ROOT = Path(__file__).resolve().parents[3]
SOURCES = [
    *(ROOT / "whistle/verify").rglob("*.py"), *(ROOT / "whistle/verify").rglob("*.ts"),
    ROOT / "whistle/commands/verify.py", ROOT / "whistle/commands/federate.py",
    ROOT / "whistle/commands/verify_places.py",
    *(ROOT / "templates/verify").glob("*.html"),
]  # fmt: skip
ID, EN = load_verify_texts("id").texts, load_verify_texts("en").texts
OWN = {key.removeprefix("verify.") for key in EN if key.startswith("verify.")}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_both_languages_say_the_same() -> None:
    assert set(ID) == set(EN)
    for key in OWN:
        one, other = ID[f"verify.{key}"], EN[f"verify.{key}"]
        assert placeholders(one) == placeholders(other), key
        assert one.strip() == one != "", key
        assert not re.search(r"<[a-z/!]|\{\{|\{%", one + other), key


def test_every_fault_has_its_own_sentence() -> None:
    for texts in (ID, EN):
        sentences = [texts[f"verify.fault.{fault}"] for fault in Fault]
        assert len(set(sentences)) == len(sentences)
    assert {key.removeprefix("fault.") for key in OWN if key.startswith("fault.")} == set(Fault)


def test_every_fault_can_be_found() -> None:
    paths = [path for path in SOURCES if path.name not in {"texts.py"} and path.suffix == ".py"]
    code = "\n".join(path.read_text("utf-8") for path in paths)
    for fault in Fault:
        assert f"Fault.{fault.name}" in code, fault


def test_every_fault_has_an_advice_and_no_advice_is_idle() -> None:
    assert set(ADVICE) == set(Fault)
    advices = {key.removeprefix("advice.") for key in OWN if key.startswith("advice.")}
    assert advices == set(ADVICE.values())


def test_every_check_can_pass_and_be_skipped() -> None:
    checks = {key.removeprefix("check.") for key in OWN if key.startswith("check.")}
    assert checks == {key.removeprefix("step.") for key in OWN if key.startswith("step.")}
    assert checks >= set(CHECKS)


def test_no_text_is_left_over() -> None:
    code = "\n".join(path.read_text("utf-8") for path in SOURCES)
    for key in OWN - {key for key in OWN if key.startswith(("fault.", "advice.", "step."))}:
        last = key.rpartition(".")[2]
        whole = any(f"{quote}{key}{quote}" in code for quote in "\"'") or f"verify.{key}" in code
        assembled = key.startswith(
            ("check.", "papers.", "mark_", "page.", "archive.")
        ) and last.split("_")[0] in re.findall(r"[a-z]+", code)
        assert whole or assembled, key
