# SPDX-License-Identifier: AGPL-3.0-or-later
"""Screenshots for visual review, several in one browser start.

    python -m tests.support.shoot URL OUT.png --width 360 [--level safest|standard] [--dark]
    python -m tests.support.shoot URL OUT.png 360 URL2 OUT2.png 1000 URL3 OUT3.png 360
    python -m tests.support.shoot --html-file PAGE.html OUT.png --width 360

With more than one, each is URL, file and width. A local path is accepted wherever a URL is.
"""

import argparse
import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.firefox import Firefox


@dataclass(frozen=True)
class Shot:
    """One picture to take."""

    url: str
    out: Path
    width: int


def parse(arguments: list[str]) -> tuple[argparse.Namespace, list[Shot]]:
    """Return the options and the list of pictures."""
    parser = argparse.ArgumentParser(
        prog="shoot", description=__doc__.splitlines()[0] if __doc__ else None
    )
    parser.add_argument("items", nargs="+", metavar="URL OUT [WIDTH]")
    parser.add_argument(
        "--html-file", type=Path, help="take the page from a file; then give only OUT"
    )
    parser.add_argument("--width", type=int, default=1000)
    parser.add_argument("--height", type=int, default=700)
    parser.add_argument("--level", choices=("standard", "safer", "safest"), default="safest")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument(
        "--viewport", action="store_true", help="the first screen only, not the whole page"
    )
    options = parser.parse_args(arguments)
    items = list(options.items)
    if options.html_file is not None:
        items.insert(0, str(options.html_file))
    if len(items) == 2:
        items.append(str(options.width))
    if len(items) % 3 != 0:
        parser.error("give URL OUT, or any number of URL OUT WIDTH")
    triples = zip(items[0::3], items[1::3], items[2::3], strict=True)
    return options, [Shot(_as_url(url), Path(out), int(width)) for url, out, width in triples]


def _as_url(text: str) -> str:
    return text if ":" in text.split("/", 1)[0] else Path(text).resolve().as_uri()


async def shoot(options: argparse.Namespace, shots: list[Shot]) -> int:
    """Take all pictures; report pages that scroll sideways."""
    async with Firefox(level=options.level, dark=options.dark) as firefox:
        for shot in shots:
            page = await firefox.new_page(width=shot.width, height=options.height)
            await page.goto(shot.url)
            await page.screenshot(shot.out, full=not options.viewport)
            wide = await page.overflow()
            note = f"  WIDER THAN THE SCREEN by {wide} px" if wide > 0 else ""
            print(f"{shot.out}  {shot.width} px{note}")
            await page.close()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(shoot(*parse(sys.argv[1:]))))
