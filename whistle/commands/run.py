# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle run`: intake, case server, desk and onion services on one machine with one state
directory.

The loopback addresses work at once; tor connects meanwhile and says how far it is. An empty state
directory becomes a demo organisation; a founded one (see `whistle init`) is started as it is.
"""

import argparse
import asyncio
import contextlib
import functools
import json
import shutil
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from case_mgmt.publication.names import LOG
from crypto.rng import system_rng
from onion.errors import OnionError
from onion.service import Addresses, OnionPlan, OnionServices, Progress
from whistle import clock
from whistle.commands.errors import CommandError
from whistle.commands.founding import desk_program, found_demo
from whistle.commands.processes import Child, ChildPlan, stop_event
from whistle.commands.server_options import (
    add_swap_argument,
    guard_memory,
    hold_state,
    write_ready_file,
)
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
    add_swap_argument(parser)
    parser.add_argument(
        "--torrc-extra", type=Path, metavar="FILE",
        help="more lines for tor's configuration, for instance bridges or a private test network",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Runs until Ctrl-C."""
    harden_process()  # also private files: the ready file holds the desk's token
    layout = Layout(args.state.absolute())
    layout.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with hold_state(layout.state):
        if not layout.is_founded:
            _say("first start: creating a demo organisation …")
            found_demo(layout, clock.today(DEMO_UTC_OFFSET), system_rng)
        layout.make()
        warning = guard_memory(layout.org, clock.today(DEMO_UTC_OFFSET), is_allowed=args.allow_swap)
        if warning is not None:
            _say(f"warning: {warning}")
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
    # First of all: a signal during the start must stop what has been started.
    stop = stop_event()
    with _sockets(layout) as sockets:
        async with contextlib.AsyncExitStack() as stack:
            house = _House(args, layout, sockets)
            opening = asyncio.create_task(house.open(stack))
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({opening, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if opening.done():
                opening.result()
                await stopping
            else:
                opening.cancel()
                await asyncio.gather(opening, return_exceptions=True)
            _say("\nstopping …")
    _say("stopped.")
    return 0


class _House:
    """Everything `whistle run` starts, and what it tells about it."""

    def __init__(self, args: argparse.Namespace, layout: Layout, sockets: _Sockets) -> None:
        self._args = args
        self._layout = layout
        self._sockets = sockets
        self._ready: dict[str, dict[str, Any]] = {}
        self._onion: Addresses | None = None

    async def open(self, stack: contextlib.AsyncExitStack) -> None:
        """Starts all processes; what was started is stopped with the stack."""
        for name, plan in _plans(self._args, self._layout, self._sockets).items():
            child = Child(plan, functools.partial(self._restarted, name))
            stack.push_async_callback(child.stop)
            self._ready[name] = await child.start()
        self._onion = await _start_onion(self._args, self._layout, self._sockets, stack)
        self._tell()

    def _restarted(self, name: str, content: dict[str, Any]) -> None:
        """A restarted desk has a new one-time token."""
        if content.get("url") != self._ready[name].get("url"):
            self._ready[name] = content
            self._tell()

    def _tell(self) -> None:
        summary = _summary(self._layout, self._ready, self._onion)
        write_ready_file(self._args.ready_file, summary)
        _print_summary(self._layout, summary, tor_wanted=not self._args.no_tor)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _port(wanted: int, flag: str, taken: Sequence[int] = ()) -> int:
    """The wanted loopback port, proved free, or a free one for 0. Raises: CommandError."""
    if wanted == 0:
        return _free_port()
    if wanted in taken:
        message = f"port {wanted} is given twice; choose another with {flag}"
        raise CommandError(message)
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
    cases = f"127.0.0.1:{_port(args.cases_port, '--cases-port', [args.reporter_port])}"
    given = (args.reporter_port, args.cases_port)
    ahead = ["--demo-days-ahead", str(args.demo_days_ahead)]
    swap = ["--allow-swap"] if args.allow_swap else []

    def plan(name: str, title: str, command: Sequence[str | Path]) -> ChildPlan:
        ready_file = layout.log / f"{name}.ready"
        words = [*map(str, command), "--ready-file", str(ready_file), *ahead]
        return ChildPlan(title, words, ready_file, layout.log / f"{name}.log")

    plans = {
        "intake": plan("intake", "intake server", [
            *whistle, "intake", "--org", layout.org, "--state", layout.intake, "--listen", reporter,
            "--unix", sockets.public, "--tor-circuits", "--feed-unix", sockets.feed,
            "--exit-with-parent", *swap,
        ]),
        "cases": plan("cases", "case server", [
            *whistle, "cases", "--org", layout.org, "--state", layout.cases, "--listen", cases,
            "--unix", sockets.cases, "--feed-unix", sockets.feed, "--exit-with-parent", *swap,
        ]),
    }  # fmt: skip
    if layout.keystores():
        desk: list[str | Path] = [
            desk_program(), "serve", "--server", f"http://{cases}", "--keystore-dir", layout.people,
            "--port", str(_port(args.desk_port, "--desk-port", given)), "--exit-with-parent",
        ]  # fmt: skip
        # Fresh at each start of ours, kept when the desk alone is started again.
        layout.desk_token.unlink(missing_ok=True)
        desk += ["--token-file", layout.desk_token]
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
        authorised_desks=layout.authorised_desks(), extra_torrc=extra, tells_circuits=True,
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
        "log": ready["intake"]["url"] + "log/" if _has_log(layout) else None,
        "onion": onion.intake if onion else None,
        "cases_onion": onion.cases if onion else None,
        "keystores": desk_keys,
        "passphrase_file": str(layout.passphrase_file) if desk_keys else None,
    }


def _roles(layout: Layout) -> dict[str, list[str]]:
    manifest = json.loads((layout.org / "manifest.json").read_text(encoding="utf-8"))
    return {person["id"]: list(person["roles"]) for person in manifest["people"]}


def _has_log(layout: Layout) -> bool:
    manifest = json.loads((layout.org / "manifest.json").read_text(encoding="utf-8"))
    return LOG in manifest["services"]


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
    if summary["log"]:
        _say(f"  public log     {summary['log']}checkpoint   (from the first week's end on)")
    if summary["onion"]:
        _say(f"  onion          http://{summary['onion']}/   (answers once tor is connected)")
        if summary["cases_onion"]:
            _say(f"  case onion     http://{summary['cases_onion']}/   (authorised desks only)")
    elif tor_wanted:
        _say("  onion          none: the reporter page answers on this computer only")
    _say(f"  state, logs    {layout.state}")
    _say("Ctrl-C stops everything.")
