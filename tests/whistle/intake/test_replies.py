# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the status page makes of notices: what counts, what is marked, what is kept out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from case_mgmt.acts import SignedAct, message_hash, sign_act
from case_mgmt.model import ActKind, State
from case_mgmt.notices import notice_for
from case_mgmt.policy import parse_policy
from crypto.mailbox import seal_notice
from crypto.rng import system_rng
from tests.support.history import OFFICER, SERVICE, key, seed
from tests.support.http_reporter import HttpReporter, _token, visible
from tests.support.intake import Intake
from tests.support.office import MESSAGE_ACTS, Case, Office
from tests.support.org import Org
from whistle.i18n import LANGUAGES, Catalogue

GONE = "device penyidik-lama"
SECOND = "device pengawas"
TEXTS = Catalogue.load("id")


@dataclass
class Thread:
    """A report, its code, and an office that may lie."""

    intake: Intake
    reporter: HttpReporter
    words: list[str]
    office: Office
    case: Case

    async def add(
        self,
        kind: ActKind,
        target: State,
        text: str = "",
        *,
        reply: bytes | None = None,
        **more: Any,
    ) -> None:
        """Add an act of the history to the mailbox; `changes` alters the notice's facts."""
        changes: Mapping[str, Any] = more.pop("changes", {})
        signer = more.setdefault("signer", OFFICER if kind in MESSAGE_ACTS else SERVICE)
        container = None
        if kind in MESSAGE_ACTS:
            container = reply or sealed(self, text, target, signer)
            more["message"] = message_hash(container)
        self.case.history.add(kind, target, self.intake.calendar.day, **more)
        await self.push(container, **changes)

    async def push(self, container: bytes | None, seq: int = 0, **changes: Any) -> None:
        """Push the notice of the last act."""
        history = self.case.history
        policy = parse_policy((self.intake.org.dir / "policy.json").read_bytes())
        notice = notice_for(history.items[-1], history.acts, policy, container)
        notice.meta.update(changes)
        place = seq or len(history.items)
        mailbox_key = bytes.fromhex(self.case.record["mailbox_key"])
        box = seal_notice(mailbox_key, self.case.thread, place, notice, system_rng)
        assert await self.office.push(self.case, place, box) == 200

    async def look(self) -> str:
        """What the page says."""
        return re.sub(r"\s+", " ", visible(await self.reporter.look(self.words)))

    async def state(self) -> str:
        """The status in the heading."""
        page = await self.reporter.look(self.words)
        found = re.search(r"<h1>([^<]+)</h1>", page)
        assert found
        return found[1]


def sealed(thread: Thread, text: str, target: State, signer: str) -> bytes:
    """A reply by the holder of any device key."""
    identities = thread.intake.org.identities
    person = next(iter(identities))
    stranger = replace(identities[person], device_seed=seed(signer))
    office = Office(replace(thread.intake, org=with_identity(thread.intake.org, stranger)))
    return office.reply(thread.case, text, target.value, stranger.person)


def with_identity(org: Org, identity: Any) -> Org:
    return replace(org, identities={**org.identities, identity.person: identity})


@pytest.fixture
async def thread(intake: Intake, reporter: HttpReporter) -> Thread:
    words = await reporter.send(await reporter.draft({"story": "x"}))
    office = Office(intake)
    (case,) = await office.collect()
    one = Thread(intake, reporter, words, office, case)
    await one.add(ActKind.RECEIVED, State.RECEIVED)
    await one.add(ActKind.TRANSITION, State.ASSESSING, "Kami telaah.")
    return one


def is_former(thread: Thread, **keys: str) -> None:
    """The next manifest lists these keys as former ones."""
    org = thread.intake.org
    serial = org.manifest["serial"]
    former = [{"id": person, "desk": key, "until_serial": serial} for person, key in keys.items()]
    org.rewrite(serial=serial + 1, former=former)
    thread.intake.calendar.seconds += 6


async def test_a_believed_history_has_no_marks(thread: Thread) -> None:
    await thread.add(ActKind.TRANSITION, State.EXAMINING, "Kami periksa.")
    await thread.add(ActKind.TRANSITION, State.UPHELD_FIXED, "Selesai.", second=SECOND)
    page = await thread.look()
    assert await thread.state() == TEXTS.t("status.upheld_fixed")
    assert all(text in page for text in ("Kami telaah.", "Kami periksa.", "Selesai."))
    for note in ("unreadable", "unverified", "former", "unknown"):
        assert TEXTS.t(f"case.note.{note}") not in page


@pytest.mark.parametrize(
    "changes",
    [
        {"signature": "A" * 86},
        {"signature": ""},
        {"signature": None},
        {"signature": 5},
        {"countersigner": "zz" * 32},
        {"countersigner": 7, "countersignature": "A" * 86},
        {"countersigner": "ab" * 32, "countersignature": "A" * 86},
        {"countersigner": "ab" * 32},
        {"act": {"v": 1}},
        {"act": None},
    ],
    ids=str,
)
async def test_what_is_not_validly_signed_is_not_shown_and_decides_nothing(
    thread: Thread, changes: Mapping[str, Any]
) -> None:
    await thread.add(ActKind.TRANSITION, State.EXAMINING, "Palsu.", changes=changes)
    page = await thread.look()
    assert await thread.state() == TEXTS.t("status.assessing")
    assert "Palsu." not in page
    assert TEXTS.t("case.event.unverified") in page
    assert TEXTS.t("case.note.unverified") in page


async def test_a_closing_by_one_person_does_not_close(thread: Thread) -> None:
    await thread.add(ActKind.TRANSITION, State.INSUFFICIENT, "Tutup.", reason="no_contact")
    page = await thread.look()
    assert await thread.state() == TEXTS.t("status.assessing")
    assert "Tutup." not in page
    assert "/status/contest" not in await thread.reporter.look(thread.words)


async def test_the_service_cannot_close(thread: Thread) -> None:
    await thread.add(
        ActKind.TRANSITION,
        State.JOINED,
        "Tutup.",
        reason="same_event",
        signer=SERVICE,
        second=SECOND,
    )
    assert await thread.state() == TEXTS.t("status.assessing")
    assert TEXTS.t("case.note.unverified") in await thread.look()


async def test_an_act_in_another_place_counts_nothing(thread: Thread) -> None:
    await thread.add(ActKind.TRANSITION, State.EXAMINING, "Kami periksa.")
    await thread.add(ActKind.TRANSITION, State.NEEDS_INFO, "Satu pertanyaan.")
    examining = thread.case.history.items.pop(2)
    thread.case.history.items.append(examining)
    reply = sealed(thread, "Kami periksa.", State.EXAMINING, OFFICER)
    await thread.push(reply, seq=5)
    page = await thread.look()
    assert page.count(TEXTS.t("case.note.unverified")) == 1
    assert await thread.state() == TEXTS.t("status.needs_info")


async def test_a_false_entry_does_not_take_the_next_with_it(thread: Thread) -> None:
    history = thread.case.history
    await thread.add(ActKind.UPDATE, State.ASSESSING, "Palsu.", changes={"signature": "A" * 86})
    del history.items[-1]
    history.update(thread.intake.calendar.day)  # the true third act, kept back
    await thread.add(ActKind.TRANSITION, State.EXAMINING, "Kami periksa.")
    page = await thread.look()
    assert "Kami periksa." in page
    assert "Palsu." not in page
    assert await thread.state() == TEXTS.t("status.examining")


async def test_a_break_in_the_chain_is_seen(thread: Thread) -> None:
    history = thread.case.history
    last = history.items[-1]
    other = replace(last.act, reason=None, message="cd" * 32)
    history.items[-1] = SignedAct(other, sign_act(seed(OFFICER), other))
    await thread.add(ActKind.TRANSITION, State.EXAMINING, "Palsu.")
    assert "Palsu." not in await thread.look()
    assert await thread.state() == TEXTS.t("status.assessing")


async def test_nobody_withdraws_for_the_reporter(thread: Thread) -> None:
    await thread.add(ActKind.WITHDRAW, State.WITHDRAWN)
    page = await thread.look()
    assert await thread.state() == TEXTS.t("status.assessing")
    assert TEXTS.t("case.note.unverified") in page


async def test_nobody_objects_for_the_reporter_and_each_objection_counts_once(
    thread: Thread,
) -> None:
    close = {"reason": "no_contact", "second": SECOND}
    await thread.add(ActKind.TRANSITION, State.INSUFFICIENT, "Tutup.", **close)
    page = await thread.reporter.look(thread.words)
    form = {"token": _token(page), "text": "Keberatan saya."}
    await thread.reporter._post("/id/status/contest", form, 200)
    await thread.add(ActKind.CONTEST, State.REOPENED)
    assert await thread.state() == TEXTS.t("status.reopened")
    await thread.add(ActKind.TRANSITION, State.INSUFFICIENT, "Tutup lagi.", **close)
    assert await thread.state() == TEXTS.t("status.insufficient")
    await thread.add(ActKind.CONTEST, State.REOPENED)
    assert await thread.state() == TEXTS.t("status.insufficient")


async def test_a_reply_that_does_not_open_decides_nothing(thread: Thread) -> None:
    reply = sealed(thread, "Palsu.", State.EXAMINING, SECOND)  # sealed by somebody else
    await thread.add(ActKind.TRANSITION, State.EXAMINING, reply=reply)
    page = await thread.look()
    assert "Palsu." not in page
    assert TEXTS.t("case.note.unreadable") in page
    assert await thread.state() == TEXTS.t("status.assessing")


async def test_a_person_who_has_left_is_marked_and_counts(thread: Thread) -> None:
    is_former(thread, lama=key(GONE))
    await thread.add(ActKind.TRANSITION, State.EXAMINING, "Kami periksa.", signer=GONE)
    page = await thread.look()
    assert "Kami periksa." in page
    assert TEXTS.t("case.note.former") in page
    assert TEXTS.t("case.by_former") in page
    assert await thread.state() == TEXTS.t("status.examining")
    await thread.add(ActKind.UPDATE, State.EXAMINING, "Masih berjalan.")
    page = await thread.look()
    assert TEXTS.t("case.note.former") in page
    assert TEXTS.t("case.by_former") not in page


async def test_two_keys_of_one_person_do_not_close(thread: Thread) -> None:
    is_former(thread, **{"penyidik-1": key(GONE)})
    await thread.add(ActKind.TRANSITION, State.EXAMINING, "Kami periksa.")
    await thread.add(ActKind.TRANSITION, State.UPHELD_FIXED, "Selesai.", second=GONE)
    assert await thread.state() == TEXTS.t("status.examining")


async def test_a_key_never_listed_is_marked_and_decides_nothing(thread: Thread) -> None:
    await thread.add(ActKind.TRANSITION, State.EXAMINING, "Kami periksa.", signer="device nobody")
    page = await thread.look()
    assert "Kami periksa." in page
    assert TEXTS.t("case.note.unknown") in page
    assert TEXTS.t("case.by_former") not in page
    assert await thread.state() == TEXTS.t("status.assessing")
    items = re.findall(r'<li class="(\w+)">', await thread.reporter.look(thread.words))
    assert items[-3:] == ["system", "office", "system"]


async def test_dates_come_from_the_acts_and_the_policy(thread: Thread) -> None:
    lies = {"due": "2031-01-01", "due_kind": "overall", "overall_due": "2031-01-01",
            "paused": True, "contest_until": "2031-01-01", "state": "upheld_fixed"}  # fmt: skip
    honest = await thread.look()
    await thread.add(ActKind.UPDATE, State.ASSESSING, "Kabar.", changes=lies)
    page = await thread.look()
    assert "2031" not in page
    assert TEXTS.t("case.paused") not in page
    assert TEXTS.t("case.overdue_since", day="").strip() not in honest
    thread.intake.calendar.pass_days(200)
    assert TEXTS.t("case.overdue_since", day="").strip() in await thread.look()


async def test_an_act_from_the_end_of_time_is_not_believed(thread: Thread) -> None:
    thread.intake.calendar.day = thread.intake.calendar.day.replace(year=9999, month=12, day=31)
    await thread.add(ActKind.FOLLOW_UP, State.ASSESSING)
    thread.intake.calendar.day = thread.intake.calendar.day.replace(year=2026)
    assert TEXTS.t("case.note.unverified") in await thread.look()


async def test_objecting_is_offered_until_its_day_has_passed(thread: Thread) -> None:
    await thread.add(
        ActKind.TRANSITION, State.INSUFFICIENT, "Tutup.", reason="no_contact", second=SECOND
    )
    limit = parse_policy((thread.intake.org.dir / "policy.json").read_bytes()).calendar.add(
        thread.intake.calendar.day, 10
    )
    thread.intake.calendar.day = limit
    page = await thread.reporter.look(thread.words)
    assert "/status/contest" in page
    assert TEXTS.t("next.closed_contest", day=TEXTS.day(limit)) in visible(page)
    thread.intake.calendar.day = limit + timedelta(days=1)
    page = await thread.reporter.look(thread.words)
    assert "/status/contest" not in page
    assert TEXTS.t("next.closed") in visible(page)
    assert TEXTS.day(limit) not in visible(page)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("note", ["unreadable", "unverified", "former", "unknown"])
def test_every_note_is_a_sentence_in_both_languages(lang: Any, note: str) -> None:
    text = Catalogue.load(lang).t(f"case.note.{note}")
    assert text.endswith(".")
    assert len(text.split()) > 8
