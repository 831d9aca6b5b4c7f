# SPDX-License-Identifier: AGPL-3.0-or-later
"""Writes the OpenAPI documents to docs/spec/."""

import json
from pathlib import Path

from tests.api.documents import DOCUMENTS

FOLDER = Path(__file__).parents[2] / "docs" / "spec"


def written(name: str) -> str:
    """The text of a document as it lies in the repository."""
    return json.dumps(DOCUMENTS[name](), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for one in DOCUMENTS:
        (FOLDER / one).write_text(written(one), encoding="utf-8")
