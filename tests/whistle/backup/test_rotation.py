# SPDX-License-Identifier: AGPL-3.0-or-later
"""New keys: killed at any moment, one of two files opens the database; acts keep their signers."""

import json
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from case_mgmt.policy import parse_policy
from case_mgmt.store.sqlcipher import open_store
from crypto.mailbox import open_notice
from crypto.rng import system_rng
from crypto.signing import public_from_seed
from onion.address import parse_address
from tests.support.case_office import DB_KEY, MAILBOX_KEY, TODAY
from tests.support.house import House
from tests.support.org import seed
from whistle.backup import newkeys
from whistle.backup.databases import connected, read_key
from whistle.backup.errors import DamageError, SourceError
from whistle.backup.keeping import inspect
from whistle.backup.rekeying import opens, rotate_database
from whistle.backup.resending import resend
from whistle.backup.taking import read_org
from whistle.backup.tallies import differences, tally

LAST_DAY = TODAY + timedelta(days=366)
REKEY = """
import sys
from pathlib import Path
from crypto.rng import system_rng
from whistle.backup.rekeying import rotate_database
print("go", flush=True)
rotate_database(Path(sys.argv[1]), "cases.db", system_rng)
"""


def closed(house: House) -> Path:
    """The case server's folder, its server stopped."""
    house.store.close()
    return house.layout.cases


def test_a_new_database_key(house: House) -> None:
    folder = closed(house)
    before = tally("cases", folder / "cases.db", DB_KEY)
    rotate_database(folder, "cases.db", system_rng)
    key = read_key(folder / "db.key")
    assert key != DB_KEY
    assert not opens(folder / "cases.db", DB_KEY)
    assert differences(before, tally("cases", folder / "cases.db", key)) == []
    assert [path.name for path in folder.glob("db.key*")] == ["db.key"]
    open_store(folder / "cases.db", key).close()


@pytest.mark.slow
def test_a_killed_rotation_is_finished(house: House) -> None:
    """SIGKILL at random moments; the data is always there, under one of the two files."""
    with house.store.writing() as unit:
        for number in range(3000):
            unit.set_setting(f"weight {number}", "x" * 800)
    folder = closed(house)
    before = tally("cases", folder / "cases.db", DB_KEY)
    chance = random.Random(5)
    killed = 0
    for attempt in range(6):  # the first at once, so that some are met at work
        command = [sys.executable, "-c", REKEY, str(folder)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(attempt * chance.uniform(0, 0.03))
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        process.stdout.close()
        names = [name for name in ("db.key", "db.key.next") if (folder / name).exists()]
        fits = [name for name in names if opens(folder / "cases.db", read_key(folder / name))]
        assert len(fits) == 1
        rotate_database(folder, "cases.db", system_rng)
        key = read_key(folder / "db.key")
        assert differences(before, tally("cases", folder / "cases.db", key)) == []
    assert killed


def test_neither_key_fits(house: House) -> None:
    folder = closed(house)
    (folder / "db.key").write_text("12" * 32 + "\n")
    with pytest.raises(SourceError, match="does not open"):
        rotate_database(folder, "cases.db", system_rng)
    assert read_key(folder / "db.key") == "12" * 32


def sign(house: House, draft: dict[str, object]) -> None:
    """The root key signs the draft, and it is put into force."""
    house.org.manifest.clear()
    house.org.rewrite(**draft)


def test_a_new_service_key(house: House) -> None:
    house.take()
    old = house.org.service_seeds["cases"]
    public = newkeys.prepare_service_key(house.layout, "cases", system_rng)
    assert newkeys.prepare_service_key(house.layout, "cases", system_rng) == public
    draft = newkeys.draft(house.layout, TODAY, LAST_DAY)
    assert draft is not None
    assert draft["serial"] == 2
    assert draft["services"] == {
        "cases": public,
        "intake": public_from_seed(house.org.service_seeds["intake"]).hex(),
    }
    assert draft["former_services"] == [
        {"id": "cases", "key": public_from_seed(old).hex(), "until_serial": 1}
    ]
    assert newkeys.promote(house.layout) == []  # nobody signed yet
    assert read_key(house.layout.cases / "service.key") == old.hex()
    sign(house, draft)
    assert newkeys.promote(house.layout) == ["the cases signs with its new key"]
    assert newkeys.promote(house.layout) == []
    fresh = bytes.fromhex(read_key(house.layout.cases / "service.key"))
    assert public_from_seed(fresh).hex() == public
    manifest = read_org(house.layout.org)
    signer = manifest.service_signer(public_from_seed(old))
    assert signer is not None
    assert signer.is_former
    house.take()  # signed by the new key; the older backup stays ours
    assert inspect(house.shelf, manifest, deep=False).numbers == (1, 2)


def test_two_rotations_keep_both_former_keys(house: House) -> None:
    for serial in (2, 3):
        newkeys.prepare_service_key(house.layout, "cases", system_rng)
        draft = newkeys.draft(house.layout, TODAY, LAST_DAY)
        assert draft is not None
        assert draft["serial"] == serial
        sign(house, draft)
        newkeys.promote(house.layout)
    assert [one.until_serial for one in read_org(house.layout.org).former_services] == [1, 2]


def an_onion(house: House, service: str = "intake") -> str:
    """A first address, as tor would have made it."""
    newkeys._write_onion(house.layout.tor / f"hs-{service}", seed("onion"))
    return (house.layout.tor / f"hs-{service}" / "hostname").read_text().strip()


def test_a_new_public_address(house: House) -> None:
    first = an_onion(house)
    house.org.rewrite(onion=first)
    second = newkeys.prepare_onion(house.layout, "intake", system_rng)
    assert newkeys.prepare_onion(house.layout, "intake", system_rng) == second != first
    parse_address(second)
    assert newkeys.promote(house.layout) == []
    draft = newkeys.draft(house.layout, TODAY, LAST_DAY)
    assert draft is not None
    assert draft["onion"] == second
    assert "former_services" not in draft
    sign(house, draft)
    assert newkeys.promote(house.layout) == ["the intake has its new onion address"]
    assert (house.layout.tor / "hs-intake" / "hostname").read_text().strip() == second
    assert (house.layout.tor / "hs-intake.former" / "hostname").read_text().strip() == first
    with pytest.raises(SourceError, match="still answers"):
        newkeys.prepare_onion(house.layout, "intake", system_rng)
    assert newkeys.end_former(house.layout)
    assert not newkeys.end_former(house.layout)


def test_an_unpublished_address_needs_no_signature(house: House) -> None:
    an_onion(house)
    newkeys.prepare_onion(house.layout, "intake", system_rng)
    assert newkeys.draft(house.layout, TODAY, LAST_DAY) is None
    assert newkeys.promote(house.layout)


def test_the_case_servers_address_has_no_former(house: House) -> None:
    an_onion(house, "cases")
    newkeys.prepare_onion(house.layout, "cases", system_rng)
    assert newkeys.promote(house.layout)
    assert not (house.layout.tor / "hs-cases.former").exists()


def test_an_interrupted_change_of_address_is_finished(house: House) -> None:
    an_onion(house)
    second = newkeys.prepare_onion(house.layout, "intake", system_rng)
    (house.layout.tor / "hs-intake").rename(house.layout.tor / "hs-intake.former")
    newkeys.promote(house.layout)
    assert (house.layout.tor / "hs-intake" / "hostname").read_text().strip() == second


def test_no_address_yet(house: House) -> None:
    with pytest.raises(SourceError, match="no onion address yet"):
        newkeys.prepare_onion(house.layout, "intake", system_rng)


def test_every_notice_can_be_made_again(house: House) -> None:
    """For an intake that lost what the case server had delivered and forgotten."""
    with house.store.reading() as unit:
        waiting = {(each.thread, each.seq) for each in unit.outbox(100)}
    with house.store.writing() as writing:
        with house.store.reading() as unit:
            ids = [each.id for each in unit.outbox(100)]
        writing.end_outbox(ids[:2], "refused")
        writing.end_outbox(ids[2:], "sent")
    policy = parse_policy((house.layout.org / "policy.json").read_bytes())
    assert resend(house.store, policy, system_rng) == len(waiting)
    with house.store.reading() as unit:
        again = unit.outbox(100)
        assert {(each.thread, each.seq) for each in again} == waiting
        for each in again:
            notice = open_notice(MAILBOX_KEY, bytes.fromhex(each.thread), each.seq, each.box)
            assert json.dumps(notice.meta)


def test_a_damaged_page_stops_a_rotation(house: House) -> None:
    with house.store.writing() as unit:
        for number in range(300):
            unit.set_setting(f"weight {number}", "x" * 800)
    folder = closed(house)
    data = bytearray((folder / "cases.db").read_bytes())
    data[len(data) - 2000] ^= 1
    (folder / "cases.db").write_bytes(data)
    with pytest.raises((SourceError, DamageError)):
        rotate_database(folder, "cases.db", system_rng)
    with connected(folder / "cases.db", DB_KEY):
        assert read_key(folder / "db.key") == DB_KEY
