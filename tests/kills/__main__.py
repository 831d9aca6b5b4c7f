# SPDX-License-Identifier: AGPL-3.0-or-later
"""`make kills`: SIGKILLs over all processes during mixed load, and what is true afterwards."""

import argparse
import asyncio
import tempfile
from pathlib import Path

from tests.kills.storm import Plan, storm


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, help="begin no more kills after so long")
    parser.add_argument("--seed", type=int, default=Plan(0).seed)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="whistle-kills-") as folder:
        plan = Plan(args.kills, args.seconds, seed=args.seed)
        told = asyncio.run(storm(Path(folder), plan, lambda line: print(line, flush=True)))
    print("\n".join(told.lines()))


if __name__ == "__main__":
    main()
