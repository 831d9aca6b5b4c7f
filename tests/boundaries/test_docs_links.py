# SPDX-License-Identifier: AGPL-3.0-or-later
"""No link between the documents leads nowhere, and the index of decisions is whole."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = {"node_modules", "state", "build", "dist"}
DOCUMENTS = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not any(
        part in LEFT_OUT or part.startswith(".") for part in path.relative_to(ROOT).parts[:-1]
    )
)
DECISIONS = ROOT / "docs" / "adr"

_FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_INLINE = re.compile(r"\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_REFERENCE = re.compile(r"^\[[^\]]+\]:\s+<?(\S+?)>?\s*$", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def links(text: str) -> list[str]:
    prose = _CODE.sub("", _FENCED.sub("", text))
    return [*_INLINE.findall(prose), *_REFERENCE.findall(prose)]


def anchors(text: str) -> set[str]:
    """Return the anchors that forges make of headings."""
    found: set[str] = set()
    for heading in _HEADING.findall(_FENCED.sub("", text)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        number = 0
        while (candidate := slug if number == 0 else f"{slug}-{number}") in found:
            number += 1
        found.add(candidate)
    return found


def leads_somewhere(target: Path, anchor: str) -> bool:
    if not target.exists() or not anchor or target.suffix != ".md":
        return target.exists()
    return anchor in anchors(target.read_text(encoding="utf-8"))


def dangling(document: Path) -> list[str]:
    missing = []
    for link in links(document.read_text(encoding="utf-8")):
        if _ELSEWHERE.match(link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.is_relative_to(ROOT) or not leads_somewhere(target, anchor):
            missing.append(link)
    return missing


def test_there_are_documents() -> None:
    assert {"README.md", "SECURITY.md", "CHANGELOG.md", "docs/architecture.md"} <= set(
        map(name, DOCUMENTS)
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_no_link_dangles(document: Path) -> None:
    assert dangling(document) == []


def test_the_index_lists_every_decision_with_its_title() -> None:
    index = (DECISIONS / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(\d{4})\]\(([^)]+)\) \| (.+?) \| (\w.*?) \|$", index, re.MULTILINE)
    files = sorted(path for path in DECISIONS.glob("[0-9]*.md"))
    titles = [path.read_text(encoding="utf-8").splitlines()[0] for path in files]
    assert [row[1] for row in rows] == [path.name for path in files]
    assert [f"# {number}. {title}" for number, _, title, _ in rows] == titles


@pytest.mark.parametrize("path", sorted(DECISIONS.glob("[0-9]*.md")), ids=lambda path: path.name)
def test_a_decision_has_the_form_of_the_template(path: Path) -> None:
    headings = re.compile(r"^## .+$", re.MULTILINE)
    template = (DECISIONS / "template.md").read_text(encoding="utf-8")
    text = path.read_text(encoding="utf-8")
    assert headings.findall(text) == headings.findall(template)
    assert re.search(r"^\* Status: (proposed|accepted|superseded by \[)", text, re.MULTILINE)
    assert re.search(r"^\* Date: \d{4}-\d{2}-\d{2}$", text, re.MULTILINE)


def test_links_and_anchors_are_seen() -> None:
    text = "[a](missing.md) `[b](code.md)` [c](https://example.org) [d](#here)\n\n# Here\n"
    assert links(text) == ["missing.md", "https://example.org", "#here"]
    assert anchors(text) == {"here"}
    assert anchors("# A `b` [c](d.md)\n# Twice\n# Twice\n") == {"a-b-c", "twice", "twice-1"}
