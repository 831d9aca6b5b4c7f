# SPDX-License-Identifier: AGPL-3.0-or-later
"""The poster: onion address, check words and root key, to be compared away from the site.

Invariants: the address has passed its checksum; the QR codes hold what is printed beside them;
the page is one file without script that fetches nothing.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment, StrictUndefined

from crypto.manifest import Manifest, instance_fingerprint_words
from onion.address import parse_address
from onion.errors import OnionError
from whistle import qr
from whistle.assets import templates_dir
from whistle.i18n import LANGUAGES, Language
from whistle.intake.rendering import CompactLoader
from whistle.intake.served import QR_PREFIX
from whistle.texts import load_tool_texts
from whistle.tool.errors import ToolError

SCALE: Final = 8  # pixels a module: about 4 cm at 150 dots an inch
GROUP: Final = 8


@dataclass(frozen=True)
class Poster:
    """What a poster says."""

    manifest: Manifest
    onion: str

    @classmethod
    def of(cls, manifest: Manifest, onion: str) -> "Poster":
        """Check the address first. Raises: ToolError."""
        try:
            parse_address(onion)
        except OnionError as error:
            raise ToolError("tool.poster_bad_onion", reason=error) from error
        return cls(manifest, onion)

    @property
    def address(self) -> str:
        """What the QR code holds."""
        return f"http://{self.onion}/"

    def images(self) -> Mapping[str, bytes]:
        """The QR codes, by file name."""
        key = QR_PREFIX + self.manifest.instance_id.hex().upper()
        return {
            "onion-qr.png": qr.png(self.address, SCALE),
            "root-key-qr.png": qr.png(key, SCALE),
        }

    def page(self, lang: Language) -> bytes:
        """One language's poster."""
        texts = load_tool_texts(lang)
        images = {
            name.partition(".")[0].replace("-", "_"): _data_address(data)
            for name, data in self.images().items()
        }
        constants = {"lang": lang, "other": "en" if lang == "id" else "id"}
        environment = Environment(
            loader=CompactLoader(templates_dir(), texts, constants),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.globals["t"] = texts.t
        template = environment.get_template("tool/poster.html")
        return template.render(
            name=self.manifest.name[lang],
            demo=self.manifest.demo,
            onion=grouped(self.onion),
            words=instance_fingerprint_words(self.manifest.instance_id, lang),
            instance=grouped(self.manifest.instance_id.hex()),
            **images,
        ).encode("utf-8")

    def files(self) -> Mapping[str, bytes]:
        """Everything to write."""
        pages = {f"poster-{lang}.html": self.page(lang) for lang in LANGUAGES}
        return {**pages, **self.images()}


def grouped(text: str) -> list[str]:
    """Return a long text in groups that an eye can follow."""
    return [text[at : at + GROUP] for at in range(0, len(text), GROUP)]


def choose_onion(wanted: str | None, manifest: Manifest, hostname: Path) -> str:
    """Return the address for the poster: the flag, the key list, or Tor's folder.

    Raises: ToolError: there is none, or two that differ.
    """
    if wanted is not None:
        return wanted.strip().removeprefix("http://").rstrip("/")
    try:
        running = hostname.read_text("ascii").strip()
    except (OSError, ValueError):
        running = None
    if manifest.onion and running and manifest.onion != running:
        raise ToolError("tool.poster_two_onions")
    onion = manifest.onion or running
    if not onion:
        raise ToolError("tool.poster_no_onion")
    return onion


def _data_address(image: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(image).decode()
