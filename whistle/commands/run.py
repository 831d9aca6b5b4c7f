# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle run`: intake, case server, desk and onion services on one machine with one state
directory.

The loopback addresses work at once; tor connects meanwhile and says how far it is. An empty state
directory becomes a demo organisation; a founded one (see `whistle init`) is started as it is.
"""

import argparse
import asyncio
import contextlib
import json
import shutil
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crypto.rng import system_rng
from onion.errors import OnionError
from onion.service import Addresses, OnionPlan, OnionServices, Progress
from whistle import clock
from whistle.commands.errors import CommandError
from whistle.commands.founding import desk_program, found_demo
from whistle.commands.processes import Child, ChildPlan, wait_for_signal
from whistle.commands.server_options import write_ready_file
from whistle.hardening import harden_process
from whistle.layout import Layout

REPORTER_PORT = 8080
DESK_PORT = 8081
DEMO_UTC_OFFSET = 7


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `whistle run`."""
    parser.add_argument("--state", type=Path, default=Path("state"), help="state directory")
    parser.add_argument(
        "--reporter-port", type=int, default=REPORTER_PORT, help="port of the public pages; 0 = any"
    )
    parser.add_argument(
        "--desk-port", type=int, default=DESK_PORT, help="port of the desk; 0 = any"
    )
    parser.add_argument(
        "--cases-port", type=int, default=0, help="port of the case server; 0 = any"
    )
    parser.add_argument("--no-tor", action="store_true", help="loopback only, no onion service")
    parser.add_argument(
        "--ready-file", type=Path, help="receives the addresses as JSON once all answers"
    )
    parser.add_argument(
        "--demo-days-ahead", type=int, default=0, metavar="N",
        help="pretend it is N days later (demo organisations only)",
    )  # fmt: skip
    parser.add_argument(
        "--torrc-extra", type=Path, metavar="FILE",
        help="more lines for tor's configuration, for instance bridges or a private test network",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Runs until Ctrl-C."""
    harden_process()  # also private files: the ready file holds the desk's token
    layout = Layout(args.state.absolute())
    today = clock.today(DEMO_UTC_OFFSET)
    if not layout.is_founded:
        _say("first start: creating a demo organisation …")
        found_demo(layout, today, system_rng)
    layout.make()
    return asyncio.run(_run(args, layout))


def _say(text: str) -> None:
    print(text, flush=True)


@dataclass(frozen=True)
class _Sockets:
    public: Path
    feed: Path
    cases: Path


@contextlib.contextmanager
def _sockets(layout: Layout) -> Any:
    folder = layout.socket_directory()
    try:
        yield _Sockets(folder / "intake.sock", folder / "intake-feed.sock", folder / "cases.sock")
    finally:
        if not folder.is_relative_to(layout.state):
            shutil.rmtree(folder, ignore_errors=True)


async def _run(args: argparse.Namespace, layout: Layout) -> int:
    with _sockets(layout) as sockets:
        async with contextlib.AsyncExitStack() as stack:
            children = _plans(args, layout, sockets)
            ready: dict[str, dict[str, Any]] = {}
            for name, plan in children.items():
                child = Child(plan)
                stack.push_async_callback(child.stop)
                ready[name] = await child.start()
            onion = await _start_onion(args, layout, sockets, stack)
            summary = _summary(layout, ready, onion)
            write_ready_file(args.ready_file, summary)
            _print_summary(layout, summary, tor_wanted=not args.no_tor)
            await wait_for_signal()
            _say("\nstopping …")
    _say("stopped.")
    return 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _port(wanted: int, flag: str) -> int:
    """The wanted loopback port, proved free, or a free one for 0. Raises: CommandError."""
    if wanted == 0:
        return _free_port()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            message = f"port {wanted} is taken; choose another with {flag} (0 = any free port)"
            raise CommandError(message) from None
    return wanted


def _plans(args: argparse.Namespace, layout: Layout, sockets: _Sockets) -> dict[str, ChildPlan]:
    whistle = [sys.executable, "-P", "-m", "whistle"]
    reporter = f"127.0.0.1:{_port(args.reporter_port, '--reporter-port')}"
    cases = f"127.0.0.1:{_port(args.cases_port, '--cases-port')}"
    ahead = ["--demo-days-ahead", str(args.demo_days_ahead)]

    def plan(name: str, title: str, command: Sequence[str | Path]) -> ChildPlan:
        ready_file = layout.log / f"{name}.ready"
        words = [*map(str, command), "--ready-file", str(ready_file), *ahead]
        return ChildPlan(title, words, ready_file, layout.log / f"{name}.log")

    plans = {
        "intake": plan("intake", "intake server", [
            *whistle, "intake", "--org", layout.org, "--state", layout.intake, "--listen", reporter,
            "--unix", sockets.public, "--feed-unix", sockets.feed, "--exit-with-parent",
        ]),
        "cases": plan("cases", "case server", [
            *whistle, "cases", "--org", layout.org, "--state", layout.cases, "--listen", cases,
            "--unix", sockets.cases, "--feed-unix", sockets.feed, "--exit-with-parent",
        ]),
    }  # fmt: skip
    if layout.keystores():
        desk: list[str | Path] = [
            desk_program(), "serve", "--server", f"http://{cases}", "--keystore-dir", layout.people,
            "--port", str(_port(args.desk_port, "--desk-port")), "--exit-with-parent",
        ]  # fmt: skip
        if layout.passphrase_file.exists():
            desk += ["--passphrase-file", layout.passphrase_file]
        plans["desk"] = plan("desk", "desk", desk)
    return plans


async def _start_onion(
    args: argparse.Namespace, layout: Layout, sockets: _Sockets, stack: contextlib.AsyncExitStack
) -> Addresses | None:
    """Starts tor without waiting for the network: the addresses are known at once."""
    if args.no_tor:
        return None
    extra: tuple[str, ...] = ()
    if args.torrc_extra is not None:
        extra = tuple(args.torrc_extra.read_text(encoding="utf-8").splitlines())
    plan = OnionPlan(
        state=layout.tor, intake_target=sockets.public, cases_target=sockets.cases,
        authorised_desks=layout.authorised_desks(), extra_torrc=extra,
    )  # fmt: skip
    services = OnionServices(plan)
    try:
        addresses = await services.start(_tell_progress)
    except OnionError as error:
        _say(f"onion: {error}")
        return None
    stack.push_async_callback(services.stop)
    return addresses


def _tell_progress(progress: Progress) -> None:
    _say(f"onion: {progress.text}")


def _summary(
    layout: Layout, ready: dict[str, dict[str, Any]], onion: Addresses | None
) -> dict[str, Any]:
    """What the ready file holds (docs/spec/run.md)."""
    desk_keys = {
        person: {"path": str(path), "roles": _roles(layout).get(person, [])}
        for person, path in layout.keystores().items()
    }
    return {
        "reporter": ready["intake"]["url"],
        "desk": ready["desk"]["url"] if "desk" in ready else None,
        "cases": ready["cases"]["url"],
        "onion": onion.intake if onion else None,
        "cases_onion": onion.cases if onion else None,
        "keystores": desk_keys,
        "passphrase_file": str(layout.passphrase_file) if desk_keys else None,
    }


def _roles(layout: Layout) -> dict[str, list[str]]:
    manifest = json.loads((layout.org / "manifest.json").read_text(encoding="utf-8"))
    return {person["id"]: list(person["roles"]) for person in manifest["people"]}


def _print_summary(layout: Layout, summary: dict[str, Any], *, tor_wanted: bool) -> None:
    _say("")
    _say("whistle is running.")
    _say(f"  reporter page  {summary['reporter']}")
    if summary["desk"]:
        _say(f"  desk           {summary['desk']}")
    if layout.passphrase_file.exists():
        passphrase = layout.passphrase_file.read_text(encoding="utf-8").strip()
        _say(f"  demo people    {', '.join(summary['keystores'])}")
        _say(f"  passphrase     {passphrase}")
    _say(f"  case server    {summary['cases']}")
    if summary["onion"]:
        _say(f"  onion          http://{summary['onion']}/   (answers once tor is connected)")
        if summary["cases_onion"]:
            _say(f"  case onion     http://{summary['cases_onion']}/   (authorised desks only)")
    elif tor_wanted:
        _say("  onion          none: the reporter page answers on this computer only")
    _say(f"  state, logs    {layout.state}")
    _say("Ctrl-C stops everything.")
