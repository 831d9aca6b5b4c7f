# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle restore`: puts a backup into an empty state directory, proved before it is in force.

It needs the operator's identity for the moment: bring it, restore, take it away again.
"""

import argparse
from pathlib import Path

from whistle.commands.backup import add_opening_arguments
from whistle.commands.reviving import Request, revive
from whistle.hardening import harden_process
from whistle.layout import Layout


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `whistle restore`."""
    add_opening_arguments(parser)
    parser.add_argument(
        "--state", type=Path, default=Path("state"), help="state directory; absent or empty"
    )


def run(args: argparse.Namespace) -> int:
    """Restores.  Raises: CommandError."""
    harden_process()
    layout = Layout(args.state.absolute())
    for line in revive(Request.of(args, layout)):
        print(f" ✓ {line}")
    layout.make()
    print(f"Restored into {layout.state}. Take {args.identity} away from this machine now.")
    print(f"Then: whistle doctor --state {layout.state}; whistle run --state {layout.state}")
    print("Is the old machine gone for good, or at least its servers stopped? Never run both.")
    return 0
