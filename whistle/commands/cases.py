# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle cases`: pulls sealed reports, keeps the cases, answers the desks."""

import argparse
import contextlib
from pathlib import Path

from crypto.rng import system_rng
from whistle import clock, logs
from whistle.cases.app import create_app
from whistle.cases.services import CasesServices, CasesSettings
from whistle.cases.wiring import build_services
from whistle.commands.errors import CommandError
from whistle.commands.processes import wait_for_signal
from whistle.commands.server_options import (
    add_server_arguments,
    guard_memory,
    ready_content,
    server_calendar,
    write_ready_file,
)
from whistle.errors import WhistleError
from whistle.hardening import die_with_parent, harden_process
from whistle.http import serve
from whistle.http.metering import metering

DEFAULT_PORT = 8090
MOST_WAITING = 1_000
"""Notices counted for the metrics; more are told as as many."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `whistle cases`."""
    add_server_arguments(parser, DEFAULT_PORT)
    feed = parser.add_mutually_exclusive_group(required=True)
    feed.add_argument("--feed-unix", type=Path, help="the intake's feed socket on this machine")
    feed.add_argument("--feed-url", help="the intake's feed on another machine (onion address)")
    parser.add_argument("--feed-proxy", help="for --feed-url: socks5://127.0.0.1:9050 (Tor)")
    parser.add_argument("--witness-proxy", help="for witnesses: socks5://127.0.0.1:9050 (Tor)")
    parser.add_argument("--poll", type=float, default=1.0, help="seconds between looks at the feed")


def run(args: argparse.Namespace) -> int:
    """Serves until SIGTERM or SIGINT."""
    harden_process()
    if args.exit_with_parent:
        die_with_parent()
    today = server_calendar(args.org, args.demo_days_ahead)
    logs.configure(today)
    logs.catch_the_rest("cases")
    if guard_memory(args.org, today(), is_allowed=args.allow_swap):
        logs.get("cases").warning("swap is on")
    try:
        settings = CasesSettings(
            org=args.org, state=args.state, feed_socket=args.feed_unix, feed_url=args.feed_url,
            poll_seconds=args.poll, feed_proxy=args.feed_proxy, witness_proxy=args.witness_proxy,
        )  # fmt: skip
        services = build_services(settings, today, clock.unix_now, system_rng)
    except WhistleError as error:
        raise CommandError(str(error)) from error
    try:
        serve.run(_serve(args, services))
    finally:
        services.close()
    return 0


async def _serve(args: argparse.Namespace, services: CasesServices) -> None:
    async with contextlib.AsyncExitStack() as stack:
        app = create_app(services)
        gauges = {"notices_waiting": lambda: len(services.office.outbox(MOST_WAITING))}
        await stack.enter_async_context(metering(app, args.metrics_unix, gauges))
        running = await stack.enter_async_context(
            serve.listening(app, tcp=args.listen, unix=args.unix)
        )
        write_ready_file(args.ready_file, ready_content(args.listen, running.port))
        await wait_for_signal()
