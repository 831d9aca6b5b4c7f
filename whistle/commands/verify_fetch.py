# SPDX-License-Identifier: AGPL-3.0-or-later
"""Fetches one public archive from a site, over Tor unless it is this computer.

Invariant: only loaded when the reader asks for it: `whistle verify` needs no network.
"""

import asyncio
from typing import Final

from crypto.rng import system_rng
from whistle.commands.errors import CommandError
from whistle.i18n import Language
from whistle.texts import load_tool_texts
from whistle.tool.errors import ToolError
from whistle.tool.network import Address, connected

MAX_FETCHED: Final = 512 * 1024 * 1024  # bytes; a log of five million entries


def fetch(url: str, proxy: str | None, path: str, lang: Language) -> bytes:
    """The archive at this path.  Raises CommandError: it cannot be reached, or is not there."""
    try:
        return asyncio.run(_fetch(Address.parse(url, proxy), path))
    except ToolError as error:
        texts = load_tool_texts(lang)
        raise CommandError(texts.t(error.key, **error.details)) from error


async def _fetch(address: Address, path: str) -> bytes:
    async with connected(address, system_rng) as site:
        return await site.get(path, MAX_FETCHED)
