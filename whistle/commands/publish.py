# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle publish`: releases and the public log, by hand or by calendar.

`draft`, `sign`, `submit`, `reveal` and `openings` need somebody's keys, so they run as
`whistle-desk publish …` in a process of its own: this program never loads code that opens a card.
`batch` makes the batch of the week that is over, on a case server that is stopped (a running one
does it by itself); `calendar` says what is due when.
"""

import argparse
import asyncio
import subprocess
from datetime import timedelta
from pathlib import Path

from case_mgmt.publication.batches import week_end
from crypto.rng import system_rng
from whistle import clock, logs
from whistle.cases.services import CasesSettings
from whistle.cases.wiring import build_services
from whistle.commands.errors import CommandError
from whistle.commands.founding import desk_program
from whistle.commands.server_options import server_calendar
from whistle.errors import WhistleError

DESK_STEPS = ("draft", "sign", "submit", "reveal", "openings")
QUARTERS = 4
_MONTHS = 12 // QUARTERS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`whistle publish STEP`."""
    parser.add_argument("step", choices=(*DESK_STEPS, "batch", "calendar"), help="what to do")
    parser.add_argument(
        "words", nargs=argparse.REMAINDER, metavar="…", help="flags of the step; try --help"
    )


def run(args: argparse.Namespace) -> int:
    """Does the step, or lets `whistle-desk` do it."""
    if args.step in DESK_STEPS:
        command = [str(desk_program()), "publish", args.step, *args.words]
        return subprocess.run(command, check=False).returncode  # noqa: S603 - our own program
    parser = argparse.ArgumentParser(prog=f"whistle publish {args.step}", allow_abbrev=False)
    parser.add_argument("--org", type=Path, required=True, help="folder of the signed manifest")
    parser.add_argument("--demo-days-ahead", type=int, default=0, metavar="N")
    if args.step == "calendar":
        return _calendar(parser.parse_args(args.words))
    parser.add_argument("--state", type=Path, required=True, help="the case server's folder")
    parser.add_argument("--witness-proxy", help="for witnesses: socks5://127.0.0.1:9050 (Tor)")
    return _batch(parser.parse_args(args.words))


def _calendar(args: argparse.Namespace) -> int:
    today = server_calendar(args.org, args.demo_days_ahead)()
    end = week_end(today)
    print(f"{end + timedelta(days=1)}  batch of the week that ends on {end}")
    year, quarter = today.year, (today.month - 1) // _MONTHS + 1
    for _ in range(QUARTERS):
        year, following = (year, quarter + 1) if quarter < QUARTERS else (year + 1, 1)
        print(f"{year}-{(following - 1) * _MONTHS + 1:02d}-01  release of quarter {quarter}")
        quarter = following
    return 0


def _batch(args: argparse.Namespace) -> int:
    today = server_calendar(args.org, args.demo_days_ahead)
    logs.configure(today)
    settings = CasesSettings(
        org=args.org, state=args.state, feed_socket=args.state / "none",
        witness_proxy=args.witness_proxy,
    )  # fmt: skip
    try:
        services = build_services(settings, today, clock.unix_now, system_rng)
    except WhistleError as error:
        message = f"{error} (a running case server makes its batches by itself)"
        raise CommandError(message) from error
    try:
        if services.keeper is None:
            message = "this organisation keeps no public log"
            raise CommandError(message)
        published = asyncio.run(services.keeper.once())
        status = services.keeper.status
    finally:
        services.close()
    if status.problem is not None:
        message = f"the checkpoint waits: {status.problem}"
        raise CommandError(message)
    print("Published." if published else "Nothing to publish: no week is over with enough in it.")
    return 0
