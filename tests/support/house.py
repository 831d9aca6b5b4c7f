# SPDX-License-Identifier: AGPL-3.0-or-later
"""A state directory as two servers leave it, made in this process: signed, encrypted, with content.

The case server's store stays open, as a running server holds it; the intake's is written with the
intake's own code.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from case_mgmt.ledger import ServiceKey
from case_mgmt.model import State
from case_mgmt.service import CaseOffice
from case_mgmt.store.sqlcipher import SqlCipherStore, open_store
from crypto.rng import system_rng
from crypto.xwing import Recipient, recipient_from_seed
from tests.support.case_office import DB_KEY, PEOPLE, TODAY, Office, container, load_manifest
from tests.support.org import Org, make_org, seed
from whistle.backup.shelf import Found, Shelf
from whistle.backup.taking import Order, Taken, take
from whistle.desk.backup_opening import open_backup
from whistle.intake.database import connect
from whistle.intake.schema import migrate
from whistle.layout import Layout

INTAKE_KEY = "a5" * 32
IDENTITY = seed("backup")
PARTS = ("cases", "intake", "org", "tor", "desks")
BLOB = "0d" * 16


@dataclass
class House:
    """One founded state directory."""

    layout: Layout
    org: Org
    store: SqlCipherStore
    office: Office
    intake: Any
    shelf: Shelf
    recipients: tuple[Recipient, ...] = field(default=(recipient_from_seed(IDENTITY),))

    def take(self, *parts: str) -> Taken:
        """One more backup."""
        order = Order(self.layout, parts or PARTS, self.recipients, TODAY)
        return take(order, self.shelf, system_rng)

    def newest(self) -> Found:
        return self.shelf.read(self.shelf.numbers()[-1])

    def open(self, target: Path, identity: bytes = IDENTITY) -> Any:
        """Opens the newest backup."""
        return open_backup(self.shelf, self.newest(), identity, target)

    def add_thread(self, number: int) -> None:
        """A reporter's thread with an uncollected report and a notice."""
        thread = number.to_bytes(16, "big")
        self.intake.execute(
            "INSERT INTO threads (lookup_id, auth_pk, day, dossier) VALUES (?, ?, ?, ?)",
            (thread, bytes(32), TODAY.isoformat(), b"sealed dossier"),
        )
        self.intake.execute(
            "INSERT INTO records (id, thread, kind, intent, day, recipients, container)"
            " VALUES (?, ?, 'report', 'message', ?, '[]', ?)",
            (thread, thread, TODAY.isoformat(), container(3)),
        )
        self.intake.execute("INSERT INTO mailbox VALUES (?, 1, ?)", (thread, b"box"))

    def add_blob(self, server: str, name: str, size: int) -> Path:
        """A sealed file of a server, with its row."""
        folder = self.layout.state / server / "blobs"
        folder.mkdir(mode=0o700, exist_ok=True)
        (folder / name).write_bytes(bytes([size % 251]) * size)
        if server == "intake":
            record = self.intake.execute("SELECT id FROM records LIMIT 1").fetchone()[0]
            self.intake.execute("INSERT INTO blobs VALUES (?, ?, ?)", (name, record, size))
        return folder / name


@contextlib.contextmanager
def a_house(folder: Path) -> Iterator[House]:
    """A house with three cases, one of them taken up, and two uncollected reports."""
    layout = Layout(folder / "state")
    layout.make()
    org = make_org(layout.state, TODAY, people=PEOPLE)
    for service in ("intake", "cases"):
        org.write_state(layout.state / service, service)
    for service, key in (("intake", INTAKE_KEY), ("cases", DB_KEY)):
        (layout.state / service / "db.key").write_text(key + "\n")
    (layout.people / "pengawas.keystore").write_bytes(b"WHSK of a person")
    layout.root.mkdir()
    (layout.root / "root.key").write_bytes(b"WHSR of the root")
    store = open_store(layout.cases / "cases.db", DB_KEY)
    intake = connect(layout.intake / "intake.db", INTAKE_KEY, writable=True, cache_kib=1024)
    migrate(intake)
    office = Office(
        org, store, CaseOffice(store, ServiceKey(org.service_seeds["cases"]), system_rng),
        load_manifest(org),
    )  # fmt: skip
    house = House(layout, org, store, office, intake, Shelf(folder / "shelf"))
    cases = [office.arrive(number) for number in (1, 2, 3)]
    office.submit(cases[0], office.assignee(cases[0]), State.ASSESSING)
    for number in (4, 5):
        house.add_thread(number)
    house.add_blob("intake", BLOB, 70_000)
    try:
        yield house
    finally:
        intake.close()
        store.close()
