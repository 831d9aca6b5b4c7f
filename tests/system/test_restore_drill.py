# SPDX-License-Identifier: AGPL-3.0-or-later
"""Back up while it runs, destroy, restore on an empty directory, continue: nothing is missing.

Everything is a process of its own, as an operator starts it.  Compared are the rows of every table,
the ledger of every case byte by byte, the open clocks as the desks see them, and what each reporter
reads behind the receipt code.
"""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.backups import Operator
from tests.support.http_reporter import HttpReporter, visible
from tests.support.service import Service, running
from whistle.backup.databases import NAMES, read_key
from whistle.backup.tallies import differences, tally

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

REPORTS = 4
PHOTO = bytes(range(256)) * 700
PEOPLE = ("penyidik-1", "penyidik-2", "pengawas")


def tallies(state: Path) -> dict[str, Any]:
    """Every table of both servers, which must be stopped."""
    return {
        service: tally(service, state / service / name, read_key(state / service / "db.key"))
        for service, name in NAMES.items()
    }


def histories(service: Service) -> dict[str, Any]:
    """Clock and signed history of every case, as the supervisor's desk gets and verifies them."""
    desk = service.desk("pengawas")
    found = {}
    for case in desk.cases():
        shown = desk.run("show", case["case"])
        assert shown["verified"]
        found[case["case"]] = {"clock": case, "history": shown["history"]}
    return found


def decide(service: Service, count: int, text: str) -> None:
    """Takes up that many of the waiting cases."""
    for person in PEOPLE[:2]:
        for case in service.desk(person).cases():
            if count and case["state"] == "received" and case["assignee"] == person:
                service.desk(person).run(
                    "act", case["case"], "--to", "assessing", "--message", text
                )
                count -= 1


async def report(service: Service, number: int) -> list[str]:
    files = [("foto.jpg", PHOTO)] if number % 2 else []
    async with HttpReporter(service.ready["reporter"]) as reporter:
        return await reporter.send(
            await reporter.draft({"story": f"laporan nomor {number} " * 20}, files)
        )


async def read(service: Service, words: list[str]) -> str:
    async with HttpReporter(service.ready["reporter"]) as reporter:
        page = re.sub(r'value="[^"]*"', "", await reporter.look(words))
        return " ".join(visible(page).split())


def move_in_people(old: Path, new: Path) -> None:
    """Keystores lie on the investigators' own computers; a backup does not have them."""
    assert not (new / "people").exists() or not list((new / "people").iterdir())
    shutil.rmtree(new / "people", ignore_errors=True)
    shutil.copytree(old, new / "people")


async def test_destroyed_and_restored_nothing_is_missing(tmp_path: Path) -> None:
    state, new = tmp_path / "state", tmp_path / "new"
    operator = Operator(tmp_path / "drawer", state)
    operator.make_identity()
    with running(state, "--no-tor") as service:
        codes = [await report(service, number) for number in range(REPORTS)]
        service.desk("pengawas").wait_for(REPORTS)
        first = operator.backup()
        assert "Backup 1:" in first
        decide(service, 2, "Laporan Anda sedang kami telaah.")
        codes.append(await report(service, REPORTS))
        service.desk("pengawas").wait_for(REPORTS + 1)
        pages = [await read(service, words) for words in codes]
        assert sum("sedang kami telaah" in page for page in pages) == 2
        before = histories(service)
        assert len(before) == REPORTS + 1
        assert "Backup 2:" in operator.backup()  # while everything runs
        assert operator.instance
        people = tmp_path / "laptops"
        shutil.copytree(state / "people", people)
    counted = tallies(state)
    operator.call("whistle", "backup", "check", "--state", state, "--from", operator.shelf)
    shutil.rmtree(state)  # the host is gone

    said = operator.restore(new)
    assert "every chain verifies" in said
    for service_name, tallied in tallies(new).items():
        assert differences(counted[service_name], tallied) == []
    move_in_people(people, new)
    operator.state = new
    with running(new, "--no-tor") as service:
        assert histories(service) == before
        assert [await read(service, words) for words in codes] == pages
        # and it goes on: a decision reaches its reporter, a new report arrives, a backup follows
        decide(service, REPORTS, "Kami lanjutkan setelah pemulihan.")
        codes.append(await report(service, REPORTS + 1))
        assert len(service.desk("pengawas").wait_for(REPORTS + 2)) == REPORTS + 2
        after = [await read(service, words) for words in codes]
        assert any("setelah pemulihan" in page for page in after)
        assert "Backup 3:" in operator.backup()
    assert "The drill passed" in operator.drill()
