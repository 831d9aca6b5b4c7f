# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where templates and static files are: in the wheel, or beside the packages in a checkout.

Invariant: nobody else computes these paths. An installed wheel carries them in
``whistle/_assets``; a checkout (also an editable install) has the folders next to ``whistle/``.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


class AssetsError(Exception):
    """The installation lacks its templates or static files."""


def templates_dir() -> Path:
    """Return the folder of page templates and texts."""
    return _find("templates")


def static_dir() -> Path:
    """Return the folder of stylesheets."""
    return _find("static")


def _find(name: str) -> Path:
    for folder in (_PACKAGE / "_assets" / name, _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise AssetsError(f"the folder {name} is missing from this installation")
