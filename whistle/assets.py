# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where templates and static files are: in a wheel, or beside the packages in a checkout.

Nobody else computes these paths.
"""

from pathlib import Path

from whistle.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parent


def find(name: str) -> Path:
    """Return the folder `name` ("templates" or "static").

    Raises:
        ConfigError: the installation is incomplete.
    """
    for base in (_PACKAGE / "_assets", _PACKAGE.parent):
        folder = base / name
        if folder.is_dir():
            return folder
    raise ConfigError(f"the folder {name!r} is missing from this installation")


def templates_dir() -> Path:
    """Return the folder of page templates and translations."""
    return find("templates")


def static_dir() -> Path:
    """Return the folder of stylesheets."""
    return find("static")
