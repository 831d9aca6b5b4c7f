# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle intake`: the public pages and the feed, in one small process."""

import argparse
import contextlib
from pathlib import Path

from crypto.rng import system_rng
from whistle import logs
from whistle.commands.errors import CommandError
from whistle.commands.processes import wait_for_signal
from whistle.commands.server_options import (
    add_server_arguments,
    guard_memory,
    hold_state,
    ready_content,
    server_calendar,
    write_ready_file,
)
from whistle.errors import WhistleError
from whistle.hardening import die_with_parent, harden_process
from whistle.http import serve
from whistle.http.metering import metering
from whistle.intake.app import create_feed_app, create_public_app
from whistle.intake.services import IntakeServices, IntakeSettings
from whistle.intake.sweeping import sweeping
from whistle.intake.wiring import build_services
from whistle.limits import MAX_FILE_BYTES, MIB
from whistle.overwriting import is_overwriting, settle
from whistle.verify.offline_page import offline_page

DEFAULT_PORT = 8080


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `whistle intake`."""
    add_server_arguments(parser, DEFAULT_PORT)
    parser.add_argument(
        "--feed-unix", type=Path, required=True, help="Unix socket the case server pulls from"
    )
    parser.add_argument(
        "--feed-shared", action="store_true",
        help="let the group of the feed socket's folder connect: the case server's user",
    )  # fmt: skip
    parser.add_argument(
        "--tor-circuits", action="store_true",
        help="tor names circuits on the Unix socket (HiddenServiceExportCircuitID haproxy)",
    )  # fmt: skip
    parser.add_argument(
        "--max-file-mib", type=int, default=MAX_FILE_BYTES // MIB, help="largest file of a report"
    )


def run(args: argparse.Namespace) -> int:
    """Serves until SIGTERM or SIGINT."""
    harden_process()
    if args.exit_with_parent:
        die_with_parent()
    today = server_calendar(args.org, args.demo_days_ahead)
    logs.configure(today)
    logs.catch_the_rest("intake")
    if guard_memory(args.org, today(), is_allowed=args.allow_swap):
        logs.get("intake").warning("swap is on")
    if not is_overwriting():
        logs.get("intake").warning("freed memory is not overwritten")
    settings = IntakeSettings(args.org, args.state, args.max_file_mib * MIB, verifier=offline_page)
    args.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with hold_state(args.state):
        try:
            services = build_services(settings, today, system_rng)
        except WhistleError as error:
            raise CommandError(str(error)) from error
        settle()
        try:
            serve.run(_serve(args, services))
        finally:
            services.close()
    return 0


def _feed_mode(args: argparse.Namespace) -> int:
    return serve.PUBLIC_SOCKET if args.feed_shared else serve.FEED_SOCKET


async def _serve(args: argparse.Namespace, services: IntakeServices) -> None:
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(
            serve.listening(
                create_feed_app(services), unix=args.feed_unix, unix_mode=_feed_mode(args)
            )
        )
        app = create_public_app(services)
        app.cleanup_ctx.append(sweeping)
        gauges = {"disk_free_bytes": services.blobs.free_bytes}
        await stack.enter_async_context(metering(app, args.metrics_unix, gauges))
        circuits = services.admission.circuits if args.tor_circuits else None
        public = await stack.enter_async_context(
            serve.listening(app, tcp=args.listen, unix=args.unix, circuits=circuits)
        )
        write_ready_file(args.ready_file, ready_content(args.listen, public.port))
        await wait_for_signal()
