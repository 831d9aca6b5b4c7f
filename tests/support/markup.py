# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reads pages as a browser does."""

from collections.abc import Iterator
from functools import lru_cache
from xml.etree.ElementTree import Element

import html5lib


@lru_cache(maxsize=512)
def parse(page: bytes) -> Element:
    """Parse as a browser does, refusing any parse error."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    root: Element = parser.parse(page.decode())
    return root


def lenient(page: bytes) -> Element:
    """Parse as a browser does; odd characters in a text are not our mistake."""
    root: Element = html5lib.parse(page.decode(), namespaceHTMLElements=False)
    return root


def elements(root: Element) -> Iterator[Element]:
    return (element for element in root.iter() if isinstance(element.tag, str))


def text_of(element: Element) -> str:
    return "".join(element.itertext())
