# SPDX-License-Identifier: AGPL-3.0-or-later
"""Flags and small duties that the server commands share: addresses, ready file, demo clock."""

import argparse
import json
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from case_mgmt.errors import CaseError
from case_mgmt.policy import parse_policy
from crypto.errors import CryptoError
from crypto.manifest import verify_manifest
from whistle import clock
from whistle.commands.errors import CommandError
from whistle.errors import ConfigError
from whistle.hardening import lock_memory
from whistle.statelock import StateLock, hold
from whistle.swap import WARNING, SwapRule, disk_swap, verdict

MAX_PORT = 65_535


def add_server_arguments(parser: argparse.ArgumentParser, default_port: int) -> None:
    """Declares --org, --state, --listen, --unix, --ready-file and the demo's clock."""
    parser.add_argument("--org", type=Path, required=True, help="folder of the signed manifest")
    parser.add_argument("--state", type=Path, required=True, help="this server's own folder")
    parser.add_argument(
        "--listen",
        type=parse_address,
        default=("127.0.0.1", default_port),
        metavar="HOST:PORT",
        help="TCP address; loopback unless you know why; “none” for none",
    )
    parser.add_argument("--unix", type=Path, help="Unix socket for the onion service")
    parser.add_argument(
        "--exit-with-parent", action="store_true", help="end when the starting process ends"
    )
    add_swap_argument(parser)
    parser.add_argument(
        "--metrics-unix", type=Path, metavar="SOCKET",
        help="Unix socket for coarse counters, for this user alone (see `whistle metrics`)",
    )  # fmt: skip
    parser.add_argument("--ready-file", type=Path, help="written once the server answers (JSON)")
    parser.add_argument(
        "--demo-days-ahead",
        type=int,
        default=0,
        metavar="N",
        help="pretend it is N days later; refused unless the signed manifest says “demo”",
    )


def add_swap_argument(parser: argparse.ArgumentParser) -> None:
    """Declares --allow-swap."""
    parser.add_argument(
        "--allow-swap", action="store_true",
        help="start although swap is on: only if it is encrypted with a key new at every boot",
    )  # fmt: skip


def guard_memory(org: Path, today: date, *, is_allowed: bool) -> str | None:
    """Locks this process in memory; returns a warning if swap is on all the same.

    Raises: CommandError - swap is on, and this is neither a demo nor allowed.

    SECURITY: whether it is a demo is signed, so that no copied flag lets a real organisation swap
    (tests/whistle/commands/test_swap_rule.py).
    """
    lock_memory()
    areas = disk_swap()
    if not areas:
        return None
    rule = SwapRule(is_demo=_says_demo(org, today), is_allowed=is_allowed)
    refusal = verdict(areas, rule)
    if refusal is not None:
        raise CommandError(refusal)
    return WARNING


def _says_demo(org: Path, today: date) -> bool:
    try:
        return _is_demo(org, today)
    except (OSError, ValueError, CryptoError):
        return False


def parse_address(text: str) -> tuple[str, int] | None:
    """`HOST:PORT` or `none`. Raises: ArgumentTypeError, which argparse prints."""
    if text == "none":
        return None
    host, separator, port = text.rpartition(":")
    if not separator or not port.isdigit() or int(port) > MAX_PORT:
        message = f"“{text}” is not HOST:PORT"
        raise argparse.ArgumentTypeError(message)
    return host.strip("[]"), int(port)


def server_calendar(org: Path, days_ahead: int) -> Callable[[], date]:
    """Returns today at the organisation's seat, moved ahead for a demo. Raises: CommandError.

    SECURITY: a real organisation's clock cannot be moved by a flag: the demo mark is signed
    (tests/whistle/commands/test_server_options.py::test_a_real_organisation_keeps_its_clock).
    """
    try:
        offset = parse_policy((org / "policy.json").read_bytes()).utc_offset_hours
        today = clock.today(offset)
        if days_ahead and not _is_demo(org, today):
            message = "--demo-days-ahead needs an organisation whose signed manifest says demo"
            raise CommandError(message)
    except (OSError, ValueError, CaseError, CryptoError) as error:
        message = f"the organisation's files in {org} cannot be used: {error}"
        raise CommandError(message) from error
    return lambda: clock.today(offset, days_ahead=days_ahead)


def _is_demo(org: Path, today: date) -> bool:
    instance = bytes.fromhex((org / "instance.id").read_text(encoding="ascii").strip())
    data, signature = (org / "manifest.json").read_bytes(), (org / "manifest.sig").read_bytes()
    return verify_manifest(data, signature, instance, today).demo


def hold_state(state: Path) -> StateLock:
    """Locks the state directory for this process. Raises: CommandError."""
    try:
        return hold(state)
    except ConfigError as error:
        message = f"{error} ({state})"
        raise CommandError(message) from error


def ready_content(listen: tuple[str, int] | None, port: int | None) -> dict[str, Any]:
    """What a server's ready file holds."""
    url = f"http://{listen[0]}:{port}/" if listen is not None and port is not None else None
    return {"url": url, "pid": os.getpid()}


def write_ready_file(path: Path | None, content: dict[str, Any]) -> None:
    """Writes the ready file whole or not at all, so that a reader never sees half of it."""
    if path is None:
        return
    partial = path.with_name(path.name + ".part")
    partial.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(partial, path)  # noqa: PTH105 - atomic replace is the point
