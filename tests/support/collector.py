# SPDX-License-Identifier: AGPL-3.0-or-later
"""A process that only collects, to be killed at any moment: ORG STATE SOCKET DAY UNIX-TIME."""

import asyncio
import sys
from datetime import date
from pathlib import Path

from crypto.rng import system_rng
from whistle.cases.services import CasesSettings
from whistle.cases.wiring import build_services

if __name__ == "__main__":
    org, state, socket, day, unix = sys.argv[1:]
    today = date.fromisoformat(day)
    services = build_services(
        CasesSettings(Path(org), Path(state), Path(socket), poll_seconds=0.01),
        lambda: today,
        lambda: int(unix),
        system_rng,
    )
    print("ready", flush=True)
    asyncio.run(services.puller.run())
