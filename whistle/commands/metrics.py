# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle metrics`: asks a server on this machine for its coarse counters."""

import argparse
import http.client
import json
import socket
from pathlib import Path

from whistle.commands.errors import CommandError
from whistle.metrics import PATH

TIMEOUT = 10.0
MOST = 64 * 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `whistle metrics`."""
    parser.add_argument(
        "--socket", type=Path, default=Path("/run/whistle-intake/metrics.sock"),
        help="the server's metrics socket (its --metrics-unix)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Prints the counters."""
    values = read(args.socket)
    if args.json:
        print(json.dumps(values, sort_keys=True))
        return 0
    width = max(map(len, values), default=0)
    for name, value in sorted(values.items()):
        print(f"{name:<{width}}  {value}")
    return 0


def read(path: Path) -> dict[str, str]:
    """Returns the counters of the server behind a socket. Raises: CommandError."""
    connection = _Local(path)
    try:
        connection.request("GET", PATH)
        answer = connection.getresponse()
        values = json.loads(answer.read(MOST)) if answer.status == 200 else None
    except (OSError, ValueError, http.client.HTTPException):
        values = None
    finally:
        connection.close()
    if not isinstance(values, dict):
        message = f"no server answers at {path}; it needs --metrics-unix, and you its user's rights"
        raise CommandError(message)
    return {str(name): str(value) for name, value in values.items()}


class _Local(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=TIMEOUT)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket file."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(str(self._path))
