# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle verify-site`: is a live site what its organisation signed (docs/spec/offline.md)?

Exit code 0: every file as signed; 1: something is not, or nothing can be said.
"""

import argparse
import asyncio

from crypto.rng import system_rng
from whistle import clock
from whistle.commands.errors import CommandError
from whistle.tool.errors import ToolError
from whistle.tool.network import Address, connected
from whistle.tool.sharing import UTC_OFFSET, Voice, add_trust_arguments, trust_of
from whistle.tool.sitecheck import SiteReport, check_site


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `whistle verify-site`."""
    parser.add_argument("site", metavar="URL", help="http://….onion")
    parser.add_argument("--proxy", metavar="URL", help="Tor: socks5://127.0.0.1:9050")
    add_trust_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Fetches everything, compares, says so per file."""
    voice = Voice.of(args)
    try:
        report = asyncio.run(_check(args, voice))
    except ToolError as error:
        raise CommandError(voice.texts.t(error.key, **error.details)) from error
    _show(voice, report)
    return 0 if report.is_good else 1


async def _check(args: argparse.Namespace, voice: Voice) -> SiteReport:
    address = Address.parse(args.site, args.proxy)
    trust = trust_of(args, voice, clock.today(UTC_OFFSET))
    async with connected(address, system_rng) as site:
        return await check_site(site, trust.pin, trust.memory)


def _show(voice: Voice, report: SiteReport) -> None:
    for each in report.results:
        verdict = voice.texts.t(f"tool.site.{each.verdict}", **_page(each.page))
        voice.line(f"{' ' if each.is_good else '!'} {each.path}  {verdict}")
    if report.is_good:
        voice.say("site_good", count=len(report.results), serial=report.serial)
    else:
        voice.say("site_bad")
    voice.result(
        {
            "serial": report.serial,
            "instance": report.instance_id.hex(),
            "good": report.is_good,
            "files": [
                {"path": each.path, "verdict": each.verdict, "page": each.page}
                for each in report.results
            ],
        }
    )


def _page(page: str | None) -> dict[str, object]:
    return {} if page is None else {"page": page}
