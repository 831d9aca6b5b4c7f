# SPDX-License-Identifier: AGPL-3.0-or-later
"""Each way to deceive, tried on a really signed release: found, and called by its own name.

The office is taken to be dishonest: it holds the log's key and both signatures, and signs again
whatever it has changed.  The witnesses are honest unless a test says otherwise.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from case_mgmt.publication.leaves import Code, FollowUp, Kind, Leaf, report_leaf
from crypto.encoding import canonical_json
from crypto.promise import sign_promise
from crypto.tlog.cosignature import cosign
from crypto.tlog.proof import make_proof
from crypto.tlog.tree import Tree
from tests.support.org import seed
from tests.support.published import WITNESSES, Town, write
from tests.whistle.verify.conftest import Scene
from whistle.release.sheets import sheet_files
from whistle.verify.faults import Fault, FaultError, Verdict
from whistle.verify.proofs import check_proof
from whistle.verify.publiclog import policy_of
from whistle.verify.release import Trust
from whistle.verify.reporter import Notice, check_notices, check_promise
from whistle.verify.sources import Source, open_source


def faults(verdict: Verdict) -> set[Fault]:
    return {each.fault for each in verdict.faults}


def first_of(leaves: Sequence[Leaf], kind: Kind, start: int = 1) -> int:
    return next(at for at in range(start, len(leaves)) if leaves[at].kind is kind)


def without_case(leaves: list[Leaf], case: bytes) -> list[Leaf]:
    return [leaf for leaf in leaves if leaf.case != case]


def source(scene: Scene, folder: Path) -> Source:
    return open_source(folder, Trust(), Verdict())


def test_an_honest_series_verifies(scene: Scene) -> None:
    verdict = scene.verify(scene.third, scene.first, scene.second)
    assert verdict.faults == []
    states = {check.key: check.state for check in verdict.checks}
    assert states.pop("attack") == "skipped"
    assert set(states.values()) == {"passed"}


# --- report dropped -------------------------------------------------------------------------------


@pytest.fixture
def dropped(scene: Scene) -> bytes:
    """The third release, its log rewritten without a report of the first quarter."""
    leaves = scene.leaves_of(scene.third)
    case = leaves[first_of(leaves, Kind.REPORT)].case
    scene.town.relog(scene.third, without_case(leaves, case))
    return case


def test_dropped_report_is_missed_by_whoever_kept_an_earlier_release(
    scene: Scene, dropped: bytes
) -> None:
    assert scene.verify(scene.third).is_good  # the log alone cannot tell
    assert faults(scene.verify(scene.third, scene.first)) == {Fault.REPORT_DROPPED}


def test_dropped_report_is_missed_by_its_reporter(scene: Scene, dropped: bytes) -> None:
    lost = next(each for each in scene.city.cases if each.pseudonym == dropped)
    org = scene.town.org
    promise = sign_promise(
        org.service_seeds["intake"], org.instance_id, lost.commitment, lost.arrival
    )
    found = source(scene, scene.third)
    result = check_promise(promise, found.organisation.manifest, found.log)
    assert result.answer == "dropped"
    honest = source(scene, scene.second)
    assert check_promise(promise, honest.organisation.manifest, honest.log).answer == "included"


def test_dropped_follow_up(scene: Scene) -> None:
    leaves = scene.leaves_of(scene.third)
    leaves.pop(first_of(leaves, Kind.FOLLOW_UP))
    scene.town.relog(scene.third, leaves)
    assert faults(scene.verify(scene.third, scene.first)) == {Fault.FOLLOW_UP_DROPPED}


# --- follow-up invented ---------------------------------------------------------------------------


def invented(scene: Scene, case: bytes) -> list[Leaf]:
    leaves = scene.leaves_of(scene.third)
    later = next(leaf.wait for leaf in reversed(leaves) if leaf.kind is Kind.FOLLOW_UP)
    event = FollowUp(Code.UPDATED, later, case, b"a" * 32)
    return [*leaves, event.leaf(leaves[-1].period, b"n" * 32)]


def test_follow_up_invented_for_a_case_that_is_not(scene: Scene) -> None:
    scene.town.relog(scene.third, invented(scene, b"x" * 16))
    assert Fault.CASE_INVENTED in faults(scene.verify(scene.third))


def test_follow_up_invented_for_a_real_case_is_noticed_by_its_reporter(scene: Scene) -> None:
    leaves = scene.leaves_of(scene.third)
    index, (_, case) = max(
        (at, each) for at, each in scene.city.openings.items() if at < len(leaves)
    )
    mine = [
        (at, opened)
        for at, (opened, other) in scene.city.openings.items()
        if other is case and at < len(leaves)
    ]
    notices = [
        Notice(
            FollowUp(opened.code, leaves[at].wait, case.pseudonym, opened.act),
            opened.nonce,
            leaves[at].period,
            at,
        )
        for at, opened in mine
    ]
    assert check_notices(notices, source(scene, scene.third).log) == []
    event = FollowUp(Code.UPDATED, leaves[index].wait, case.pseudonym, b"a" * 32)
    scene.town.relog(scene.third, [*leaves, event.leaf(leaves[-1].period, b"n" * 32)])
    found = check_notices(notices, source(scene, scene.third).log)
    assert [(each.fault, each.where) for each in found] == [
        (Fault.FOLLOW_UP_INVENTED, str(len(leaves)))
    ]
    unlogged = replace(notices[0], nonce=b"o" * 32)
    found = check_notices([unlogged, *notices[1:]], source(scene, scene.third).log)
    assert (Fault.NOTICE_UNLOGGED, "0") in {(each.fault, each.where) for each in found}
    moved = replace(notices[0], index=1)
    found = check_notices([moved, *notices[1:]], source(scene, scene.third).log)
    assert (Fault.PROOF_OTHER_INDEX, "1") in {(each.fault, each.where) for each in found}


# --- back-dated, reordered ------------------------------------------------------------------------


def test_back_dated_follow_up(scene: Scene) -> None:
    leaves = scene.leaves_of(scene.third)
    old = leaves[first_of(leaves, Kind.REPORT)]
    event = FollowUp(Code.EXAMINING, 0, old.case, b"a" * 32)
    scene.town.relog(scene.third, [*leaves, event.leaf(leaves[-1].period, b"n" * 32)])
    assert faults(scene.verify(scene.third)) == {Fault.BACK_DATED}


def test_slipped_in_among_old_entries(scene: Scene) -> None:
    leaves = scene.leaves_of(scene.third)
    at = first_of(leaves, Kind.REPORT)
    leaves.insert(at, report_leaf(leaves[at].period, b"y" * 16, b"z" * 32))
    scene.town.relog(scene.third, leaves)
    assert scene.verify(scene.third).is_good
    assert faults(scene.verify(scene.third, scene.first)) == {Fault.LEAF_INSERTED}


def test_weeks_exchanged(scene: Scene) -> None:
    leaves = scene.leaves_of(scene.third)
    middle = first_of(leaves, Kind.REPORT, len(leaves) // 2)
    leaves.insert(1, leaves.pop(middle))
    scene.town.relog(scene.third, leaves)
    assert Fault.REORDERED in faults(scene.verify(scene.third))


def test_entries_of_one_week_exchanged(scene: Scene) -> None:
    leaves = scene.leaves_of(scene.third)
    at = first_of(leaves, Kind.REPORT)
    assert leaves[at + 1].period == leaves[at].period
    leaves[at], leaves[at + 1] = leaves[at + 1], leaves[at]
    scene.town.relog(scene.third, leaves)
    assert faults(scene.verify(scene.third, scene.first)) == {Fault.LEAVES_MOVED}


def test_entries_exchanged_in_the_files_alone(scene: Scene) -> None:
    path = scene.third / "log/tile/entries/000"
    data = path.read_bytes()
    entry = 62
    write(path, data[entry : 2 * entry] + data[:entry] + data[2 * entry :])
    scene.town.reseal(scene.third)
    assert faults(scene.verify(scene.third)) == {Fault.LOG_ALTERED}


# --- split view, replaced release -----------------------------------------------------------------


def test_split_view_beside_another_release(scene: Scene, tmp_path: Path) -> None:
    leaves = scene.leaves_of(scene.third)
    other = replace(leaves[-1], commitment=b"s" * 32)
    twin = tmp_path / "twin"
    write(twin / "x", b"")
    scene.town.publish(scene.city, "2024-q4", tmp_path / "q4")
    scene.town.relog(tmp_path / "q4", [*leaves[:-1], other])
    assert Fault.SPLIT_VIEW in faults(scene.verify(scene.third, tmp_path / "q4"))


def test_split_view_beside_the_checkpoint_of_a_witness(scene: Scene) -> None:
    leaves = scene.leaves_of(scene.third)
    other = [*leaves[:-1], replace(leaves[-1], commitment=b"s" * 32)]
    seen = scene.town.checkpoint([leaf.encode() for leaf in other]).encode()
    verdict = scene.verify(scene.third, trust=Trust(seen=(seen,)))
    assert faults(verdict) == {Fault.SPLIT_VIEW}
    same = scene.town.checkpoint([leaf.encode() for leaf in leaves[:40]]).encode()
    assert scene.verify(scene.third, trust=Trust(seen=(same,))).is_good


def test_a_log_that_was_rolled_back(scene: Scene) -> None:
    scene.town.relog(scene.third, scene.leaves_of(scene.first))
    assert Fault.LOG_SHRUNK in faults(scene.verify(scene.third, scene.second))


def test_replaced_release(scene: Scene) -> None:
    scene.town.amend(scene.first, reason="quietly better")
    scene.town.reseal(scene.first)
    assert scene.verify(scene.first).is_good
    assert faults(scene.verify(scene.third, scene.first)) == {Fault.RELEASE_REPLACED}
    assert faults(scene.verify(scene.second, scene.first)) == {Fault.RELEASE_REPLACED}


def test_release_that_nobody_was_shown(scene: Scene) -> None:
    leaves = scene.leaves_of(scene.third)
    hidden = replace(leaves[first_of(leaves, Kind.RELEASE)], commitment=b"h" * 32)
    scene.town.relog(scene.third, [*leaves, replace(hidden, period=leaves[-1].period)])
    verdict = scene.verify(scene.third, scene.first, scene.second)
    assert faults(verdict) == {Fault.RELEASE_HIDDEN}


# --- numbers --------------------------------------------------------------------------------------


def change_figures(scene: Scene, *path: str | int, by: int) -> None:
    file = scene.third / "data/figures.json"
    figures = json.loads(file.read_bytes())
    place = figures
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] += by
    write(file, canonical_json(figures))
    rewrite_tables(scene, json.loads((scene.third / "data/tables.json").read_bytes()))


def test_wrong_total(scene: Scene) -> None:
    change_figures(scene, "received", by=-1)
    verdict = scene.verify(scene.third)
    assert [(each.fault, each.where) for each in verdict.faults] == [
        (Fault.TOTAL_WRONG, "received")
    ]


def test_wrong_cohort(scene: Scene) -> None:
    change_figures(scene, "weekly", 2, "followed_up", 1, "count", by=1)
    verdict = scene.verify(scene.third)
    assert [(each.fault, each.where) for each in verdict.faults] == [
        (Fault.COHORT_WRONG, "weekly/2/followed_up/1/count")
    ]


def test_real_report_passed_off_as_a_test(scene: Scene) -> None:
    case = next(each for each in scene.city.cases if not each.is_canary)
    revealed = json.loads((scene.third / "canaries.json").read_bytes())
    revealed["revealed"].append({"case": case.pseudonym.hex(), "secret": "00" * 32})
    write(scene.third / "canaries.json", canonical_json(revealed))
    scene.town.recount(scene.third, scene.leaves_of(scene.third))
    assert faults(scene.verify(scene.third)) == {Fault.CANARY_FALSE}


# --- signatures, witnesses, files -----------------------------------------------------------------


def with_checkpoint(scene: Scene, note: str) -> None:
    write(scene.third / "log/checkpoint", note.encode())
    scene.town.reseal(scene.third)


def test_forged_cosignature(scene: Scene) -> None:
    town, leaves = scene.town, scene.leaves_of(scene.third)
    note = town.checkpoint([leaf.encode() for leaf in leaves], WITNESSES[:1])
    line = cosign(seed(f"witness {WITNESSES[1]}"), WITNESSES[1], "another text\n", 1)
    with_checkpoint(scene, note + line)
    verdict = scene.verify(scene.third)
    assert [(each.fault, each.where) for each in verdict.faults] == [
        (Fault.COSIGNATURE_FORGED, WITNESSES[1])
    ]


def test_quorum_missing(scene: Scene) -> None:
    scene.town.relog(scene.third, scene.leaves_of(scene.third), WITNESSES[:1])
    verdict = scene.verify(scene.third)
    assert [(each.fault, each.where) for each in verdict.faults] == [
        (Fault.QUORUM_MISSING, "pers, lembaga")
    ]


def test_log_signature_forged(scene: Scene) -> None:
    note = (scene.third / "log/checkpoint").read_text("utf-8")
    text, _, tail = note.rpartition("\n\n")
    with_checkpoint(scene, text + "\n\n" + "".join(tail.splitlines(keepends=True)[1:]))
    assert faults(scene.verify(scene.third)) == {Fault.CHECKPOINT_FORGED}


def test_truncated_tile(scene: Scene) -> None:
    for path in ("log/tile/0/000", "log/tile/entries/000"):
        whole = (scene.third / path).read_bytes()
        write(scene.third / path, whole[:-7])
        scene.town.reseal(scene.third)
        verdict = scene.verify(scene.third)
        assert [(each.fault, each.where) for each in verdict.faults] == [
            (Fault.TILE_TRUNCATED, path)
        ]
        write(scene.third / path, whole)


def test_proof_for_another_index(scene: Scene) -> None:
    found = source(scene, scene.third)
    log, policy = found.log, policy_of(found.organisation)
    tree = Tree(log.hashes)
    proof = make_proof(tree, 5, log.note, log.checkpoint)
    assert check_proof(proof.encode().encode(), log.entries[5], policy, log)
    moved = replace(proof, index=6)
    for data, entry in ((proof, log.entries[6]), (moved, log.entries[5])):
        with pytest.raises(FaultError) as caught:
            check_proof(data.encode().encode(), entry, policy, log)
        assert caught.value.found.fault is Fault.PROOF_OTHER_INDEX
    with pytest.raises(FaultError) as caught:
        check_proof(moved.encode().encode(), None, policy, log)
    assert caught.value.found.fault is Fault.PROOF_WRONG


def test_one_signature_is_not_enough(scene: Scene) -> None:
    scene.town.reseal(scene.third, ("penerbit",))
    assert faults(scene.verify(scene.third)) == {Fault.SIGNATURES_MISSING}


def test_signature_of_another_release(scene: Scene) -> None:
    write(scene.third / "release.sig", (scene.second / "release.sig").read_bytes())
    assert faults(scene.verify(scene.third)) == {Fault.SIGNATURE_FORGED}


def test_another_organisation_in_its_place(scene: Scene, tmp_path: Path) -> None:
    other = Town.found(tmp_path / "other", scene.town.org.today, root="impostor")
    twin = other.publish(scene.city, "2024-q3", tmp_path / "twin")
    # Whole in itself, but its log holds releases that it says it never followed.
    assert faults(scene.verify(twin)) == {Fault.RELEASE_HIDDEN}
    assert faults(scene.verify(twin, scene.first)) >= {Fault.INSTANCE_OTHER}


def test_day_of_the_release(scene: Scene) -> None:
    day = scene.leaves_of(scene.third)[-1].period + timedelta(days=7)
    scene.town.amend(scene.third, as_of=day.isoformat())
    scene.town.reseal(scene.third)
    assert faults(scene.verify(scene.third)) == {Fault.DAY_WRONG}


def test_files(scene: Scene) -> None:
    write(scene.third / "data/weekly.csv", b"from,to,received\n")
    write(scene.third / "extra.html", b"<p>")
    (scene.third / "policy.json").rename(scene.third / "data/policy.json")
    found = {(each.fault, each.where) for each in scene.verify(scene.third).faults}
    assert found >= {
        (Fault.FILE_CHANGED, "data/weekly.csv"),
        (Fault.FILE_EXTRA, "extra.html"),
        (Fault.FILE_EXTRA, "data/policy.json"),
        (Fault.FILE_MISSING, "policy.json"),
    }


def test_small_counts_in_a_table(scene: Scene) -> None:
    file = scene.third / "data/tables.json"
    tables = json.loads(file.read_bytes())
    tables["oneway"][0]["cells"][0]["count"] += 3
    rewrite_tables(scene, tables)
    assert scene.verify(scene.third).is_good
    assert faults(scene.verify(scene.third, scene.second)) == {Fault.TABLE_SMALL}
    tables["oneway"][1]["cells"][0]["count"] = 5
    rewrite_tables(scene, tables)
    assert faults(scene.verify(scene.third)) == {Fault.TABLE_SMALL}


def rewrite_tables(scene: Scene, tables: dict[str, Any]) -> None:
    figures = json.loads((scene.third / "data/figures.json").read_bytes())
    write(scene.third / "data/tables.json", canonical_json(tables))
    for path, data in sheet_files(figures, tables).items():
        write(scene.third / path, data)
    scene.town.reseal(scene.third)


def test_table_with_other_numbers_and_of_another_form(scene: Scene) -> None:
    file = scene.third / "data/weekly.csv"
    write(file, file.read_bytes().replace(b",true,", b",maybe,", 1))
    scene.town.reseal(scene.third)
    assert faults(scene.verify(scene.third)) == {Fault.SHEET_WRONG, Fault.PACKAGE_INVALID}
