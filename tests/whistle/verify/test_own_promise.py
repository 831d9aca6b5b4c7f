# SPDX-License-Identifier: AGPL-3.0-or-later
"""The promise in the reporter's own file: whose case it is, and since when it counts.

The office is dishonest: it shows no notices, or another case's, or lets a report arrive later.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from case_mgmt.publication.leaves import Code, FollowUp, Kind, Leaf
from case_mgmt.publication.weeks import batches_of
from crypto.encoding import b64
from crypto.promise import sign_promise
from tests.support.city import SimulatedCase
from tests.support.published import write
from tests.whistle.verify.conftest import Scene
from whistle.cli import main
from whistle.verify.auditor import Opening, check_openings
from whistle.verify.faults import Fault, Found, Verdict
from whistle.verify.publiclog import PublicLog
from whistle.verify.release import Trust
from whistle.verify.reporter import PromiseResult, check_notices, check_promise
from whistle.verify.sources import open_source

Capture = pytest.CaptureFixture[str]
REPORTER_SAYS = (Code.REOPENED, Code.WITHDRAWN, Code.SETTLED, Code.NOT_SETTLED)


def log_of(scene: Scene) -> PublicLog:
    return open_source(scene.third, Trust(), Verdict()).log


def promise_of(scene: Scene, case: SimulatedCase, day: date | None = None) -> bytes:
    org = scene.town.org
    seed = org.service_seeds["intake"]
    return sign_promise(seed, org.instance_id, case.commitment, day or case.arrival)


def result_of(scene: Scene, promise: bytes) -> PromiseResult:
    found = open_source(scene.third, Trust(), Verdict())
    return check_promise(promise, found.organisation.manifest, found.log)


def logged(scene: Scene) -> dict[bytes, int]:
    """The index of each case's report."""
    leaves = scene.leaves_of(scene.third)
    return {leaf.case: at for at, leaf in enumerate(leaves) if leaf.kind is Kind.REPORT}


def followed(scene: Scene, case: SimulatedCase) -> list[int]:
    size = len(scene.leaves_of(scene.third))
    return [at for at, (_, who) in scene.city.openings.items() if who is case and at < size]


def pick(scene: Scene, is_followed: Callable[[int], bool]) -> SimulatedCase:
    known = logged(scene)
    return next(
        each for each in scene.city.cases
        if each.pseudonym in known and is_followed(len(followed(scene, each)))
    )  # fmt: skip


def notices_of(scene: Scene, case: SimulatedCase) -> list[dict[str, Any]]:
    leaves = scene.leaves_of(scene.third)
    return [
        {
            "case": case.pseudonym.hex(), "code": int(leaves[at].code), "wait": leaves[at].wait,
            "act": scene.city.openings[at][0].act.hex(),
            "nonce": scene.city.openings[at][0].nonce.hex(),
            "by": leaves[at].period.isoformat(), "index": at,
        }
        for at in followed(scene, case)
    ]  # fmt: skip


def invent(scene: Scene, case: bytes, code: Code = Code.UPDATED) -> int:
    """Log a follow-up that never was; where it is."""
    leaves = scene.leaves_of(scene.third)
    later = max(leaf.wait for leaf in leaves if leaf.kind is Kind.FOLLOW_UP)
    event = FollowUp(code, later, case, b"a" * 32)
    scene.town.relog(scene.third, [*leaves, event.leaf(leaves[-1].period, b"n" * 32)])
    return len(leaves)


@dataclass(frozen=True)
class Told:
    """What the command answered."""

    code: int
    faults: list[tuple[str, str]]
    states: dict[str, str]


def ask(
    scene: Scene,
    capsys: Capture,
    notices: Sequence[Any],
    promise: str | None,
    what: str = "notices",
) -> Told:
    paper = scene.third.parent / "paper.json"
    write(paper, json.dumps({"v": 1, "promise": promise, "notices": notices}).encode())
    code = main(["verify", what, str(paper), "--log", str(scene.third), "--json"])
    found = json.loads(capsys.readouterr().out)
    return Told(
        code,
        [(each["fault"], each["where"]) for each in found["faults"]],
        {each["check"]: each["state"] for each in found["checks"]},
    )


# --- follow-ups of a case of which nothing, or something else, is shown ---------------------------


def test_an_ignored_case_is_honest_while_nothing_is_logged_of_it(
    scene: Scene, capsys: Capture
) -> None:
    case = pick(scene, lambda count: count == 0)
    told = ask(scene, capsys, [], b64(promise_of(scene, case)))
    assert (told.code, told.faults) == (0, [])
    assert [told.states[key] for key in ("promise", "included", "notices")] == ["passed"] * 3


def test_follow_up_invented_for_an_ignored_case(scene: Scene, capsys: Capture) -> None:
    case = pick(scene, lambda count: count == 0)
    at = invent(scene, case.pseudonym)
    told = ask(scene, capsys, [], b64(promise_of(scene, case)))
    assert (told.code, told.faults) == (1, [("follow_up_invented", str(at))])
    blind = ask(scene, capsys, [], None)
    assert (blind.code, blind.faults) == (0, [])
    assert (blind.states["promise"], blind.states["included"]) == ("skipped", "skipped")


def test_without_a_promise_the_first_line_says_what_was_not_checked(
    scene: Scene, tmp_path: Path, capsys: Capture
) -> None:
    case = pick(scene, lambda count: count > 1)
    for lang, partly, skipped in (
        ("en", "NOTHING WRONG FOUND, but", "- The promise: not checked"),
        ("id", "TIDAK DITEMUKAN KESALAHAN, tetapi", "- Janji: "),
    ):
        for source in ({}, {"promise": None}):
            paper = tmp_path / "paper.json"
            write(paper, json.dumps({**source, "notices": notices_of(scene, case)}).encode())
            words = ["verify", "notices", str(paper), "--log", str(scene.third), "--lang", lang]
            assert main(words) == 0
            text = capsys.readouterr().out
            assert text.startswith(partly)
            assert skipped in text


def test_notices_of_another_case_in_its_place(scene: Scene, capsys: Capture) -> None:
    mine, other = pick(scene, lambda count: count == 1), pick(scene, lambda count: count > 1)
    shown, own = notices_of(scene, other), followed(scene, mine)
    assert ask(scene, capsys, shown, None).faults == []
    told = ask(scene, capsys, shown, b64(promise_of(scene, mine)))
    assert told.code == 1
    assert told.faults == [
        *(("notice_false", str(number)) for number in range(len(shown))),
        ("follow_up_invented", str(own[0])),
    ]
    honest = ask(scene, capsys, notices_of(scene, mine), b64(promise_of(scene, mine)))
    assert (honest.code, honest.faults) == (0, [])


def test_forged_promise_beside_notices(scene: Scene, capsys: Capture) -> None:
    case = pick(scene, lambda count: count > 0)
    for promise in ("AAAA", b64(promise_of(scene, case)[:-1] + b"x"), "not base64!"):
        told = ask(scene, capsys, notices_of(scene, case), promise)
        assert (told.code, told.faults) == (1, [("promise_forged", "")])
        assert told.states["included"] == "skipped"


def test_broken_promise_beside_notices(scene: Scene, capsys: Capture) -> None:
    leaves = scene.leaves_of(scene.third)
    case = next(each for each in scene.city.cases if each.pseudonym == leaves[1].case)
    promise = promise_of(scene, case)
    scene.town.relog(scene.third, [leaf for leaf in leaves if leaf.case != case.pseudonym])
    told = ask(scene, capsys, [], b64(promise))
    assert [name for name, _ in told.faults] == ["promise_broken"]


def test_a_report_that_is_not_logged_yet_binds_no_case(scene: Scene) -> None:
    case = pick(scene, lambda count: count > 0)
    early = replace(result_of(scene, promise_of(scene, case)), answer="early", index=None)
    assert check_notices([], log_of(scene), early) == []


# --- arrival post-dated ---------------------------------------------------------------------------


def postponed(scene: Scene, case: SimulatedCase) -> list[Leaf]:
    """The log with one report, and what followed it, in the last batch that holds reports."""
    leaves = scene.leaves_of(scene.third)
    last = next(leaf.period for leaf in reversed(leaves) if leaf.kind is Kind.REPORT)
    rest = [leaf for leaf in leaves if leaf.case != case.pseudonym]
    end = next(at for at, leaf in enumerate(rest) if leaf.period == last)
    report = replace(leaves[logged(scene)[case.pseudonym]], period=last)
    return [*rest[:end], report, *rest[end:]]


def test_arrival_postdated_by_months(scene: Scene, capsys: Capture) -> None:
    case = pick(scene, lambda count: count == 0)
    promise = promise_of(scene, case)
    assert result_of(scene, promise).late == 0
    leaves = postponed(scene, case)
    scene.town.relog(scene.third, leaves)
    at = next(at for at, leaf in enumerate(leaves) if leaf.case == case.pseudonym)
    window = next(each.reports for each in batches_of(leaves) if at < each.stop)
    days = (window.first - case.arrival).days
    assert days > 60
    for what in ("promise", "notices"):
        told = ask(scene, capsys, [], b64(promise), what)
        assert (told.code, told.faults) == (1, [("arrival_postdated", str(days))]), what
    paper = str(scene.third.parent / "paper.json")
    for lang, first, outage in (
        ("en", "IN THE LOG, BUT LATER", "outage"), ("id", "ADA DI LOG, TETAPI", "Gangguan"),
    ):  # fmt: skip
        assert main(["verify", "promise", paper, "--log", str(scene.third), "--lang", lang]) == 1
        text = capsys.readouterr().out
        assert text.startswith(first)
        assert outage in text
        assert f": {days}." in text


def test_the_first_and_the_last_day_of_a_batch_are_not_postdated(scene: Scene) -> None:
    case = pick(scene, lambda count: count > 0)
    leaves = scene.leaves_of(scene.third)
    at = logged(scene)[case.pseudonym]
    window = next(each.reports for each in batches_of(leaves) if at < each.stop)
    days = {window.first: 0, window.last: 0, window.first - timedelta(days=1): 1}
    for day, late in days.items():
        assert result_of(scene, promise_of(scene, case, day)).late == late


# --- what only the reporter can say, said by the office -------------------------------------------


@pytest.mark.parametrize("code", REPORTER_SAYS)
def test_a_word_of_the_reporter_needs_an_opening(scene: Scene, code: Code) -> None:
    case = pick(scene, lambda count: count > 0)
    size = len(scene.leaves_of(scene.third))
    shown = [
        Opening(at, happening.act, happening.nonce)
        for at, (happening, _) in scene.city.openings.items()
        if at < size
    ]
    assert check_openings(shown, log_of(scene)) == []
    at = invent(scene, case.pseudonym, code)
    assert check_openings(shown, log_of(scene)) == [Found(Fault.FOLLOW_UP_UNOPENED, str(at))]
