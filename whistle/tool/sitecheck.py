# SPDX-License-Identifier: AGPL-3.0-or-later
"""Compares a live site with the list of files its organisation signed.

Invariants: every listed file is fetched and compared in full; every page a visitor meets is looked
through for what it would load, and anything that is not listed, inline, or from elsewhere is named.

What cannot be seen from here: that the site serves the same to everybody. Each run has a circuit of
its own; run it often and from several places.
"""

from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Final, Literal

from crypto.errors import AuthenticationError, CryptoError
from whistle.i18n import LANGUAGES
from whistle.sitefiles import (
    LIST_NAME,
    MAX_LIST,
    SIGNATURE_NAME,
    SiteFile,
    SiteList,
    verify_list,
)
from whistle.tool.errors import KeyListError, RefusedBySiteError
from whistle.tool.keylist import Pin, SerialMemory
from whistle.tool.network import Site
from whistle.tool.source import offered_instance

PAGES: Final = tuple(
    f"/{lang}{page}"
    for lang in LANGUAGES
    for page in ("", "/report", "/status", "/sealed", "/safety", "/statistics", "/keys")
)
_LOADS: Final = {
    "script": "src", "img": "src", "link": "href", "iframe": "src", "frame": "src",
    "embed": "src", "object": "data", "source": "src", "audio": "src", "video": "src",
}  # fmt: skip

Finding = Literal["same", "differs", "missing", "unlisted", "inline", "foreign"]


@dataclass(frozen=True)
class Result:
    """The verdict on one file, or on one thing a page would load."""

    path: str
    verdict: Finding
    page: str | None = None

    @property
    def is_good(self) -> bool:
        """Whether this is as signed."""
        return self.verdict == "same"


@dataclass(frozen=True)
class SiteReport:
    """Everything that was looked at."""

    serial: int
    instance_id: bytes
    results: tuple[Result, ...]

    @property
    def is_good(self) -> bool:
        """Whether the site is what was signed."""
        return all(result.is_good for result in self.results)


async def check_site(site: Site, pin: Pin, memory: SerialMemory) -> SiteReport:
    """Fetch, verify, compare. Raises: NetworkError; KeyListError: the list itself is not signed."""
    instance = pin.choose(await offered_instance(site, pin))
    listed = await _list(site, instance, memory.lowest(instance))
    results = [await _file(site, file) for file in listed.files]
    paths = frozenset(file.path for file in listed.files)
    for page in PAGES:
        results += await _page(site, page, paths)
    report = SiteReport(listed.serial, instance, tuple(results))
    memory.remember(instance, listed.serial)
    return report


async def _list(site: Site, instance: bytes, least: int) -> SiteList:
    try:
        data = await site.get(f"/{LIST_NAME}", MAX_LIST)
        signature = await site.get(f"/{SIGNATURE_NAME}", 1024)
    except RefusedBySiteError as error:
        raise KeyListError("tool.site_unlisted") from error
    try:
        return verify_list(data, signature, instance, least)
    except AuthenticationError as error:
        raise KeyListError("tool.site_signature") from error
    except CryptoError as error:
        raise KeyListError("tool.site_list_bad") from error


async def _file(site: Site, file: SiteFile) -> Result:
    try:
        data = await site.get(file.path, file.size + 1024 * 1024)
    except RefusedBySiteError:
        data = None
    return Result(file.path, file.judge(data))


async def _page(site: Site, page: str, listed: frozenset[str]) -> list[Result]:
    try:
        html = await site.get(page)
    except RefusedBySiteError:
        return []
    finder = _Finder()
    finder.feed(html.decode("utf-8", "replace"))
    finder.close()
    return [
        Result(address, verdict, page)
        for address in sorted(finder.found)
        if (verdict := _judge(address, listed)) != "same"
    ]


def _judge(address: str, listed: frozenset[str]) -> Finding:
    if address in {"<script>", "<style>", "style=", "on…="}:
        return "inline"
    if address.startswith("data:,"):
        return "same"
    if not address.startswith("/") or address.startswith("//"):
        return "foreign"
    return "same" if address in listed else "unlisted"


class _Finder(HTMLParser):
    """Collects what a page would load or run."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one element."""
        values = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in values):
            if values.get("type") != "application/json":
                self.found.add(f"<{tag}>")
            return
        if "style" in values:
            self.found.add("style=")
        if any(name.startswith("on") for name in values):
            self.found.add("on…=")
        name = _LOADS.get(tag)
        if name is not None and (address := values.get(name)):
            self.found.add(address)
        for attribute in ("data-worker", "srcset", "poster", "background"):
            if address := values.get(attribute):
                self.found.add(address)
