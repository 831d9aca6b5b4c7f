# SPDX-License-Identifier: AGPL-3.0-or-later
"""An office at work in a process of its own, to be killed at any moment: ORG URL JOURNAL.

It signs with the desk's own code. Before each act a line goes to the journal, and one after it; a
line without its second one is looked up at the case server after the next start, as a person would
whose computer went off: what has arrived is not sent again.

Journal lines: `begin <case> <head> <text>`, then `done <case> <head>` or `none <case> <head>`.
"""

import asyncio
import contextlib
import json
import os
import random
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from case_mgmt.model import ActKind, State
from crypto.private.keystore import Identity
from crypto.rng import system_rng
from tests.support.org import DEMO_PEOPLE, seed
from whistle.clock import unix_now
from whistle.desk.client import ServerAddress, Signer, connect
from whistle.desk.connection import Surroundings
from whistle.desk.errors import DeskError, UnreachableError
from whistle.desk.letters import Letter
from whistle.desk.workbench import Workbench

UPDATES = 2
"""Updates of a case after it was taken up."""

Benches = Mapping[str, Workbench]


class Journal:
    """What was begun and how it ended; each line is on the disk before anything follows."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, word: str, case: str, head: str, text: str = "") -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{word} {case} {head} {text}".rstrip() + "\n")
            file.flush()
            os.fsync(file.fileno())

    def lines(self) -> list[list[str]]:
        """Every whole line in words; a kill may have cut the last one."""
        if not self._path.exists():
            return []
        text = self._path.read_text(encoding="utf-8")
        return [line.split(" ", 3) for line in text[: text.rfind("\n") + 1].splitlines()]

    def unfinished(self) -> list[tuple[str, str]]:
        """Cases and heads of acts whose outcome is not known."""
        begun: dict[tuple[str, str], int] = {}
        for word, case, head, *_ in self.lines():
            begun[case, head] = begun.get((case, head), 0) + (1 if word == "begin" else -1)
        return [key for key, count in begun.items() if count > 0]

    def done(self) -> dict[str, list[str]]:
        """The texts of the acts that are known to have arrived, by case."""
        texts: dict[tuple[str, str], str] = {}
        arrived: dict[str, list[str]] = {}
        for word, case, head, *rest in self.lines():
            if word == "begin":
                texts[case, head] = rest[0]
            elif word == "done":
                arrived.setdefault(case, []).append(texts[case, head])
        return arrived

    def mend_last_line(self) -> None:
        """Ends a line that a kill has cut, so that the next one stands alone."""
        if self._path.exists():
            whole = self._path.read_bytes()
            self._path.write_bytes(whole[: whole.rfind(b"\n") + 1])


async def look_up(benches: Benches, journal: Journal) -> None:
    """Settle what the last process left open."""
    for case, head in journal.unfinished():
        opened = await next(iter(benches.values())).open(case)
        arrived = any(entry.signed.act.prev == head for entry in opened.record.entries)
        journal.write("done" if arrived and _by_office(opened, head) else "none", case, head)


def _by_office(opened: object, head: str) -> bool:
    entries = opened.record.entries  # type: ignore[attr-defined]
    keys = {device_key(person) for person, _, _ in DEMO_PEOPLE}
    return any(e.signed.act.prev == head and e.signed.act.signer in keys for e in entries)


def device_key(person: str) -> str:
    """The key a person of the test organisation signs with."""
    return identity_of(person, bytes(32)).device_public.hex()


def identity_of(person: str, instance_id: bytes) -> Identity:
    """A person of `tests.support.org`, without a keystore."""
    return Identity(person, seed(f"recipient {person}"), seed(f"device {person}"), instance_id)


async def work(benches: Benches, journal: Journal, chance: random.Random) -> None:
    """One act after another, for ever."""
    while True:
        try:
            await look_up(benches, journal)
            person = chance.choice(sorted(benches))
            queue = await benches[person].queue()
            mine = [one for one in queue.cases if one.assignee == person]
            full = {case for case, texts in journal.done().items() if len(texts) > UPDATES}
            fresh = [one for one in mine if one.case not in full]
            if fresh:
                await one_act(benches[person], journal, chance.choice(fresh).case)
        except UnreachableError:
            pass  # the server is being killed; what was begun is looked up
        await asyncio.sleep(chance.uniform(0, 0.1))


async def one_act(bench: Workbench, journal: Journal, case: str) -> None:
    """Takes a case up, or tells its reporter something."""
    opened = await bench.open(case)
    head = opened.history.head.prev
    text = f"kabar {system_rng(6).hex()} untuk pelapor"
    is_new = opened.state is State.RECEIVED
    journal.write("begin", case, head, text)
    try:
        if is_new:
            letter = Letter(ActKind.TRANSITION, text, State.ASSESSING, seen_head=head)
            await bench.act(case, letter)
        else:
            await bench.write(case, Letter(ActKind.UPDATE, text, seen_head=head))
    except UnreachableError:
        raise
    except DeskError:  # somebody else was first: the reporter wrote meanwhile
        journal.write("none", case, head)
    else:
        journal.write("done", case, head)


@contextlib.asynccontextmanager
async def benches_of(org: Path, url: str, folder: Path) -> AsyncIterator[Benches]:
    """Everybody's workbench."""
    instance_id = bytes.fromhex((org / "instance.id").read_text(encoding="ascii").strip())
    address = ServerAddress.parse(url, None)
    found: dict[str, Workbench] = {}
    async with contextlib.AsyncExitStack() as stack:
        for person, _, _ in DEMO_PEOPLE:
            identity = identity_of(person, instance_id)
            tools = Surroundings(system_rng).workbench_tools(identity, folder / person)
            signer = Signer(identity, system_rng, unix_now)
            found[person] = Workbench(
                await stack.enter_async_context(connect(address, signer)), tools
            )
        yield found


async def main(org: Path, url: str, path: Path) -> None:
    journal = Journal(path)
    journal.mend_last_line()
    async with benches_of(org, url, path.parent) as benches:
        path.with_suffix(".ready").write_text(json.dumps({"pid": os.getpid()}), encoding="ascii")
        await work(benches, journal, random.Random(os.getpid()))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])))
