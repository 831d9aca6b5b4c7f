# SPDX-License-Identifier: AGPL-3.0-or-later
"""From command-line words to a workbench: unlocked keys, a connection, a clock."""

import argparse
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from crypto.private.keystore import Identity
from crypto.rng import Rng
from whistle.clock import Now, unix_now
from whistle.desk.client import ServerAddress, Signer, connect
from whistle.desk.keyring import SerialMemory, find_keystore, read_passphrase
from whistle.desk.terminal import Terminal
from whistle.desk.trust import OwnClock
from whistle.desk.workbench import Tools, Workbench


@dataclass(frozen=True)
class Surroundings:
    """What a desk takes from outside: randomness and the clock."""

    rng: Rng
    now: Now = unix_now
    days_ahead: int = 0

    def workbench_tools(self, identity: Identity, keystore: Path) -> Tools:
        """The tools of one person."""
        memory = SerialMemory(keystore, self.rng)
        return Tools(identity, memory, OwnClock(self.now, self.days_ahead), self.rng)


@contextlib.asynccontextmanager
async def workbench(address: ServerAddress, tools: Tools, now: Now) -> AsyncIterator[Workbench]:
    """A workbench for as long as the block runs."""
    async with connect(address, Signer(tools.identity, tools.rng, now)) as client:
        yield Workbench(client, tools)


@contextlib.asynccontextmanager
async def workbench_of(
    args: argparse.Namespace, terminal: Terminal, surroundings: Surroundings
) -> AsyncIterator[Workbench]:
    """The workbench a case command asked for; asks for the passphrase if need be."""
    address = ServerAddress.parse(args.server, args.proxy)
    keystore = find_keystore(args.keystore)
    prompt = terminal.texts.t("desk.cli.passphrase_prompt", file=keystore.label)
    identity = keystore.unlock(read_passphrase(args.passphrase_file, prompt))
    tools = surroundings.workbench_tools(identity, keystore.path)
    async with workbench(address, tools, surroundings.now) as bench:
        yield bench
