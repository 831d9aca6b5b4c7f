# SPDX-License-Identifier: AGPL-3.0-or-later
"""The log as the case server keeps it: batches, checkpoints, what survives a crash or a backup."""

import dataclasses
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from case_mgmt.errors import LogError, StoreError
from case_mgmt.model import CaseId, State
from case_mgmt.publication.batches import week_end
from case_mgmt.publication.check import cases_from, faults_in, leaves_of
from case_mgmt.publication.leaves import Code, Kind, Leaf
from case_mgmt.publiclog import Head, PublicLog
from case_mgmt.store.log_ports import StoredRelease
from crypto.mailbox import open_notice
from crypto.rng import system_rng
from crypto.tlog.checkpoint import Checkpoint, open_checkpoint
from crypto.tlog.note import SignerKey
from crypto.tlog.tiles import read_entries
from tests.support.case_office import MAILBOX_KEY, Office, a_report, an_office
from tests.support.org import seed

SIGNER = SignerKey("whistle/test", seed("service log"))


@dataclasses.dataclass
class Memory:
    """A head that a test may lose or keep."""

    head: Head | None = None

    def recall(self) -> Head | None:
        return self.head

    def remember(self, head: Head) -> None:
        self.head = head


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with an_office(tmp_path) as one:
        services = {**one.org.manifest["services"], "log": SIGNER.verifier.public.hex()}
        one.org.rewrite(services=services)
        one.staff()
        yield one


def the_log(office: Office, memory: Memory | None = None) -> PublicLog:
    log = PublicLog(office.store, SIGNER, memory or Memory(), system_rng)
    log.open(office.day)
    return log


def leaves(office: Office) -> tuple[Leaf, ...]:
    with office.store.reading() as unit:
        return leaves_of(unit.entries())


def publish(office: Office, log: PublicLog) -> Checkpoint:
    candidate = log.candidate()
    assert candidate is not None
    log.publish(candidate, candidate.note)
    return candidate.checkpoint


def end_of_week(office: Office) -> None:
    office.pass_days((week_end(office.day) - office.day).days + 1)


def arrive(office: Office, count: int, first: int = 1) -> list[CaseId]:
    return [office.arrive(number) for number in range(first, first + count)]


def told(office: Office, case: CaseId) -> list[dict[str, object] | None]:
    with office.store.reading() as unit:
        thread = unit.case(case).thread  # type: ignore[union-attr]
        boxes = [each for each in unit.outbox(1000) if each.thread == thread]
    return [
        open_notice(MAILBOX_KEY, bytes.fromhex(thread), box.seq, box.box).meta.get("log")
        for box in boxes
    ]


def test_the_first_entry_opens_the_log(office: Office) -> None:
    log = the_log(office)
    the_log(office)
    (opening,) = leaves(office)
    assert (opening.kind, opening.period) == (Kind.RELEASE, office.day - timedelta(days=1))
    assert publish(office, log).size == 1


def test_nothing_is_told_of_a_log_that_is_not_kept(tmp_path: Path) -> None:
    with an_office(tmp_path) as office:
        assert told(office, office.arrive()) == [None]


def test_a_week_is_logged_after_its_end(office: Office) -> None:
    log = the_log(office)
    cases = arrive(office, 10)
    office.submit(cases[0], office.assignee(cases[0]), State.ASSESSING)
    assert not log.append(office.day)
    end_of_week(office)
    assert log.append(office.day)
    assert not log.append(office.day)
    found = leaves(office)
    assert faults_in(found) == ()
    logged = cases_from(found)
    assert len(logged) == 10
    assert [event.code for case in logged for event in case.events] == [Code.ASSESSING]


def test_what_is_told_leads_to_the_leaf(office: Office) -> None:
    log = the_log(office)
    case, *_ = arrive(office, 10)
    office.submit(case, office.assignee(case), State.ASSESSING)
    received, assessed = told(office, case)
    assert received is not None
    assert assessed is not None
    assert (received["nonce"], assessed["code"]) == (None, int(Code.ASSESSING))
    end_of_week(office)
    log.append(office.day)
    with office.store.reading() as unit:
        (opening,) = unit.openings()
    assert opening.nonce.hex() == assessed["nonce"]
    assert leaves(office)[opening.place].case.hex() == assessed["case"] == received["case"]
    assert date.fromisoformat(str(assessed["by"])) > office.day


def test_nine_reports_wait_with_their_follow_up(office: Office) -> None:
    log = the_log(office)
    cases = arrive(office, 9)
    office.submit(cases[0], office.assignee(cases[0]), State.ASSESSING)
    end_of_week(office)
    assert not log.append(office.day)
    arrive(office, 1, first=50)
    end_of_week(office)
    assert log.append(office.day)
    assert len(leaves(office)) == 12


def test_the_files_prove_the_checkpoint(office: Office) -> None:
    log = the_log(office)
    publish(office, log)
    arrive(office, 10)
    end_of_week(office)
    log.append(office.day)
    checkpoint = publish(office, log)
    with office.store.reading() as unit:
        files = {path: unit.public_file(path) for path in unit.public_paths()}
        entries = list(unit.entries())
        order = [each.path for each in unit.unpushed(1000, 1 << 30)]
    assert read_entries(lambda path: files.get(f"log/{path}"), checkpoint) == entries
    note = files["log/checkpoint"] or b""
    assert open_checkpoint(note, SIGNER.verifier) == checkpoint
    assert order[-1] == "log/checkpoint"


def test_a_restored_backup_signs_nothing(office: Office, tmp_path: Path) -> None:
    memory = Memory()
    log = the_log(office, memory)
    publish(office, log)
    arrive(office, 10)
    end_of_week(office)
    log.append(office.day)
    publish(office, log)
    with an_office(tmp_path / "backup") as old:
        old.org.rewrite(services=office.org.manifest["services"])
        old.staff()
        backup = PublicLog(old.store, SIGNER, memory, system_rng)
        with pytest.raises(LogError, match="lacks what was published"):
            backup.open(old.day)
        assert leaves(old) == ()


def test_a_lost_head_signs_nothing_once_something_was_public(office: Office) -> None:
    memory = Memory()
    log = the_log(office, memory)
    publish(office, log)
    arrive(office, 10)
    end_of_week(office)
    memory.head = None
    with pytest.raises(LogError, match="head of the public log is missing"):
        log.append(office.day)


def test_commitments_that_reporters_copy_break_no_rule_of_the_log(office: Office) -> None:
    """SECURITY: a client chooses its commitment; one that is there already, or that of the opening
    leaf, must not make the log unpublishable for good."""
    log = the_log(office)
    for number in range(10):
        report = dataclasses.replace(a_report(number + 1, office.day), commitment=bytes(32))
        office.office.take_in(report, office.rules())
    end_of_week(office)
    log.append(office.day)
    logged = leaves(office)
    assert faults_in(logged) == ()
    assert len({leaf.commitment for leaf in logged[1:]}) == 10


def test_a_checkpoint_that_was_not_shown_may_be_shown_later(office: Office) -> None:
    memory = Memory()
    log = the_log(office, memory)
    first = log.candidate()
    again = PublicLog(office.store, SIGNER, memory, system_rng).candidate()
    assert first is not None
    assert again is not None
    assert (first.note, memory.head) == (again.note, Head(1, first.checkpoint.root))
    log.publish(first, first.note)
    assert log.candidate() is None


def test_a_release_waits_for_its_week_and_never_changes(office: Office) -> None:
    log = the_log(office)
    release = StoredRelease("2026-q1", b"\x07" * 32, office.day)
    log.accept_release(release, [("index.html", b"<p>")], office.day)
    with pytest.raises(StoreError):
        log.accept_release(release, [("index.html", b"<p>other")], office.day)
    end_of_week(office)
    assert log.append(office.day)
    assert leaves(office)[-1].commitment == release.digest


def test_what_comes_late_counts_from_the_first_open_day(office: Office) -> None:
    log = the_log(office)
    arrive(office, 10)
    sent = office.day
    end_of_week(office)
    log.append(office.day)
    for number in range(60, 70):
        office.arrive(number, day=sent)
    end_of_week(office)
    log.append(office.day)
    assert faults_in(leaves(office)) == ()
