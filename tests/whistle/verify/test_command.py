# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle verify` and `whistle federate` as people run them: words, JSON, exit codes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from case_mgmt.publication.leaves import FollowUp, Kind
from crypto.encoding import b64
from crypto.manifest import instance_fingerprint_words
from crypto.promise import sign_promise
from crypto.tlog.proof import make_proof
from crypto.tlog.tree import Tree
from tests.support.city import City, CityPlan
from tests.support.independent_log import BadLogError, check_proof_file
from tests.support.published import Town, write
from tests.whistle.verify.conftest import QUARTERS, Scene
from whistle.cli import main
from whistle.intake.logged import Logged, evidence
from whistle.tar import Archive, Member
from whistle.verify.faults import Verdict
from whistle.verify.release import Trust
from whistle.verify.sources import open_source

Capture = pytest.CaptureFixture[str]


def run(capsys: Capture, *words: str | Path, code: int = 0) -> str:
    """Standard output of one command, which must end with this code."""
    assert main([str(word) for word in words]) == code
    return capsys.readouterr().out


def as_json(capsys: Capture, *words: str | Path, code: int = 0) -> Any:
    return json.loads(run(capsys, *words, "--json", code=code))


def words_of(scene: Scene) -> str:
    return " ".join(instance_fingerprint_words(scene.town.org.instance_id, "id"))


def test_honest_release_in_words(scene: Scene, capsys: Capture) -> None:
    text = run(
        capsys, "verify", "release", scene.third, "--earlier", scene.first, scene.second,
        "--instance", words_of(scene), "--lang", "en", "--quick",
    )  # fmt: skip
    assert text.startswith("NOTHING WRONG FOUND")
    assert "Compare these words" not in text
    assert "- Working out the hidden numbers" in text
    assert "the log only grew since the earlier releases (2)" in text
    unpinned = run(capsys, "verify", "release", scene.first, "--lang", "id", "--quick")
    assert unpinned.startswith("TIDAK DITEMUKAN KESALAHAN")
    assert "Cocokkan kata-kata ini dengan poster" in unpinned.replace("\n", " ")


def test_tampered_release_in_words_and_json(scene: Scene, capsys: Capture) -> None:
    write(scene.third / "data/weekly.csv", b"x")
    text = run(capsys, "verify", "release", scene.third, "--lang", "en", "--quick", code=1)
    assert text.startswith("NOT TRUE: 3 faults were found.")
    assert "The file data/weekly.csv is not the one that was signed." in text
    assert "What to do: Download it once more" in text
    found = as_json(capsys, "verify", "release", scene.third, "--quick", code=1)
    assert found["good"] is False
    assert found["faults"][0]["fault"] == "file_changed"
    assert [each["state"] for each in found["checks"]].count("failed") == 3


def test_wrong_words_another_policy_and_no_folder(
    scene: Scene, tmp_path: Path, capsys: Capture
) -> None:
    other = " ".join(instance_fingerprint_words(bytes(32), "en"))
    found = as_json(
        capsys, "verify", "release", scene.third, "--quick", "--instance", other, code=1
    )
    assert [each["fault"] for each in found["faults"]] == ["instance_other"]
    policy = (scene.third / "log-policy.txt").read_text("utf-8")
    log_line = next(line for line in policy.splitlines() if line.startswith("log "))
    stranger = Town.found(tmp_path / "other", QUARTERS[-1], root="impostor").log_key.verifier
    write(tmp_path / "mine.txt", f"log {stranger.encode()}\nquorum none\n".encode())
    assert log_line
    found = as_json(
        capsys, "verify", "release", scene.third, "--quick", "--policy", tmp_path / "mine.txt",
        code=1,
    )  # fmt: skip
    assert [each["fault"] for each in found["faults"]] == ["checkpoint_forged"]
    for bad in (["--instance", "twelve words"], ["--policy", str(tmp_path / "none")]):
        assert main(["verify", "release", str(scene.third), *bad]) == 1
    assert main(["verify", "release", str(tmp_path / "none")]) == 1
    empty = as_json(capsys, "verify", "release", tmp_path, "--quick", code=1)
    assert [each["fault"] for each in empty["faults"]] == ["folder_unreadable"]


def promise_for(scene: Scene, pseudonym: bytes) -> bytes:
    case = next(each for each in scene.city.cases if each.pseudonym == pseudonym)
    org = scene.town.org
    return sign_promise(org.service_seeds["intake"], org.instance_id, case.commitment, case.arrival)


def test_promise_kept_broken_and_early(scene: Scene, tmp_path: Path, capsys: Capture) -> None:
    leaves = scene.leaves_of(scene.third)
    first, last = leaves[1].case, next(leaf.case for leaf in reversed(leaves) if leaf.case[0])
    promise = tmp_path / "promise"
    write(promise, promise_for(scene, first))
    found = as_json(capsys, "verify", "promise", promise, "--log", scene.third)
    assert (found["answer"], found["index"]) == ("included", 1)
    write(promise, b64(promise_for(scene, first)).encode() + b"\n")
    text = run(capsys, "verify", "promise", promise, "--log", scene.third, "--lang", "en")
    assert text.startswith("KEPT")

    scene.town.relog(scene.third, [leaf for leaf in leaves if leaf.case not in {first, last}])
    proof = tmp_path / "proof.json"
    found = as_json(
        capsys, "verify", "promise", promise, "--log", scene.third, "--proof", proof, code=1
    )
    assert found["answer"] == "dropped"
    assert [each["fault"] for each in found["faults"]] == ["promise_broken"]
    again = as_json(capsys, "verify", "promise", proof, "--log", scene.third, code=1)
    assert again["answer"] == "dropped"
    assert set(json.loads(proof.read_bytes())) == {
        "checkpoint", "instance", "kind", "latest", "promise", "v",
    }  # fmt: skip
    write(promise, promise_for(scene, last))
    text = run(capsys, "verify", "promise", promise, "--log", scene.third, "--lang", "en", code=1)
    assert text.startswith("NOT DUE YET")


def test_an_entry_proof_that_others_understand(
    scene: Scene, tmp_path: Path, capsys: Capture
) -> None:
    index, leaf = next(
        (number, each) for number, each in enumerate(scene.leaves_of(scene.third))
        if each.kind is Kind.REPORT and number > 300
    )  # fmt: skip
    promise, proof = tmp_path / "promise", tmp_path / "mine.tlog-proof"
    write(promise, promise_for(scene, leaf.case))
    log = ("--log", scene.third)
    found = as_json(capsys, "verify", "promise", promise, *log, "--entry-proof", proof)
    assert found["index"] == index
    entry = leaf.encode()
    found = as_json(capsys, "verify", "proof", proof, *log, "--entry", entry.hex())
    assert found["good"] is True
    policy = (scene.third / "log-policy.txt").read_text("utf-8").splitlines()
    keys = [line.split() for line in policy]
    (key,) = [words[1] for words in keys if words[:1] == ["log"]]
    witnesses = [words[2] for words in keys if words[:1] == ["witness"]]
    assert check_proof_file(proof.read_bytes(), entry, key, witnesses).size > index
    with pytest.raises(BadLogError, match="proof"):
        check_proof_file(proof.read_bytes(), entry[:-1] + b"x", key, witnesses)
    assert (
        main(["verify", "promise", str(promise), *map(str, log), "--entry-proof", str(proof)]) == 1
    )


def test_archives_stand_for_folders(scene: Scene, tmp_path: Path, capsys: Capture) -> None:
    packed = [pack(each, tmp_path / f"{each.name}.tar") for each in (scene.second, scene.third)]
    found = as_json(
        capsys, "verify", "release", packed[1], "--earlier", packed[0], scene.first, "--quick"
    )
    assert found["good"] is True
    write(scene.third / "data/weekly.csv", b"x")
    bad = pack(scene.third, tmp_path / "bad.tar")
    found = as_json(capsys, "verify", "release", bad, "--quick", code=1)
    assert found["faults"][0]["fault"] == "file_changed"
    promise = tmp_path / "promise"
    write(promise, promise_for(scene, scene.leaves[1].case))
    assert as_json(capsys, "verify", "promise", promise, "--log", packed[1])["index"] == 1
    write(tmp_path / "no.tar", b"no archive")
    for lang in ("id", "en"):
        words = ["verify", "release", str(tmp_path / "no.tar"), "--lang", lang]
        assert main(words) == 1
    assert "was not opened: the archive is damaged" in capsys.readouterr().err


def pack(folder: Path, out: Path) -> Path:
    files = [each for each in folder.rglob("*") if each.is_file()]
    members = [
        Member.of(f"{folder.name}/{each.relative_to(folder).as_posix()}", each.read_bytes())
        for each in files
    ]
    write(out, b"".join(Archive(members).pieces(65536)))
    return out


def test_forged_promise(scene: Scene, tmp_path: Path, capsys: Capture) -> None:
    promise = tmp_path / "promise"
    for data in (b"nothing", bytes(140), promise_for(scene, scene.leaves[1].case)[:-1] + b"x"):
        write(promise, data)
        found = as_json(capsys, "verify", "promise", promise, "--log", scene.third, code=1)
        assert [each["fault"] for each in found["faults"]] == ["promise_forged"]
    write(promise, json.dumps(evidence(scene.town.org.instance_id, None, [])).encode())
    found = as_json(capsys, "verify", "promise", promise, "--log", scene.third, code=1)
    assert [each["fault"] for each in found["faults"]] == ["promise_absent"]


def opened(scene: Scene, size: int) -> list[dict[str, Any]]:
    return [
        {
            "case": case.pseudonym.hex(), "code": int(happening.code),
            "wait": scene.leaves[index].wait, "act": happening.act.hex(),
            "nonce": happening.nonce.hex(), "by": scene.leaves[index].period.isoformat(),
            "index": index,
        }
        for index, (happening, case) in scene.city.openings.items()
        if index < size
    ]  # fmt: skip


def test_notices_and_openings(scene: Scene, tmp_path: Path, capsys: Capture) -> None:
    rows = opened(scene, len(scene.leaves_of(scene.third)))
    paper = tmp_path / "paper.json"
    mine = [row for row in rows if row["case"] == rows[0]["case"]]
    write(paper, json.dumps({"v": 1, "notices": mine}).encode())
    run(capsys, "verify", "notices", paper, "--log", scene.third)
    write(
        paper, json.dumps({"v": 1, "notices": mine[1:] or [{**mine[0], "act": "00" * 32}]}).encode()
    )
    found = as_json(capsys, "verify", "notices", paper, "--log", scene.third, code=1)
    assert "follow_up_invented" in {each["fault"] for each in found["faults"]}
    shown = [{key: row[key] for key in ("index", "act", "nonce")} for row in rows]
    write(paper, json.dumps({"v": 1, "openings": [*shown, {**shown[0], "index": 10**6}]}).encode())
    run(capsys, "verify", "openings", paper, "--log", scene.third)
    office = next(at for at, row in enumerate(rows) if row["code"] in {1, 2, 3, 12})
    others = [*shown[:office], *shown[office + 1 :]]
    write(paper, json.dumps({"v": 1, "openings": others}).encode())
    found = as_json(capsys, "verify", "openings", paper, "--log", scene.third, code=1)
    assert [each["fault"] for each in found["faults"]] == ["follow_up_unopened"]
    shown[office]["nonce"] = "00" * 32
    write(paper, json.dumps({"v": 1, "openings": shown}).encode())
    found = as_json(capsys, "verify", "openings", paper, "--log", scene.third, code=1)
    assert [each["fault"] for each in found["faults"]] == ["opening_false", "follow_up_unopened"]
    for what in ("notices", "openings"):
        write(paper, b"{}")
        as_json(capsys, "verify", what, paper, "--log", scene.third, code=1)


def test_the_file_of_the_status_page_serves_both_commands(
    scene: Scene, tmp_path: Path, capsys: Capture
) -> None:
    leaves = scene.leaves_of(scene.third)
    happening, case = scene.city.openings[next(
        at for at, leaf in enumerate(leaves) if leaf.kind is Kind.FOLLOW_UP
    )]  # fmt: skip
    assert happening in case.happenings
    shown = [
        Logged(leaf.commitment, leaf.period, FollowUp(leaf.code, leaf.wait, leaf.case, one.act),
               one.nonce, at)
        for at, leaf in enumerate(leaves)
        for one, whose in [scene.city.openings.get(at, (None, None))]
        if one is not None and whose is case
    ]  # fmt: skip
    promise = b64(promise_for(scene, case.pseudonym))
    paper = tmp_path / "file.json"
    write(paper, json.dumps(evidence(scene.town.org.instance_id, promise, shown)).encode())
    run(capsys, "verify", "promise", paper, "--log", scene.third)
    run(capsys, "verify", "notices", paper, "--log", scene.third)


def test_proof_file_and_a_folder_of_the_site(scene: Scene, tmp_path: Path, capsys: Capture) -> None:
    log = open_source(scene.third, Trust(), Verdict()).log
    proof = tmp_path / "entry.tlog-proof"
    write(proof, make_proof(Tree(log.hashes), 5, log.note, log.checkpoint).encode().encode())
    for name in ("release.json", "release.sig"):
        (scene.third / name).unlink()
    write(scene.third / "instance.id", scene.town.org.instance_id.hex().encode() + b"\n")
    run(capsys, "verify", "proof", proof, "--log", scene.third, "--entry", log.entries[5].hex())
    found = as_json(
        capsys, "verify", "proof", proof, "--log", scene.third, "--entry", log.entries[6].hex(),
        code=1,
    )  # fmt: skip
    assert [each["fault"] for each in found["faults"]] == ["proof_other_index"]


@pytest.mark.slow
def test_attack_on_the_hidden_numbers(scene: Scene, capsys: Capture) -> None:
    pytest.importorskip("highspy")
    found = as_json(capsys, "verify", "release", scene.first, code=1)
    # The sample's tables are drawn, not counted: they cannot fit this log, and the attack says so.
    assert [each["check"] for each in found["checks"] if each["state"] == "failed"] == ["attack"]


def test_nothing_heavy_and_no_network_is_loaded() -> None:
    code = (
        "import sys\nfrom whistle.commands import verify\n"
        "print(sorted(name for name in ('sqlalchemy', 'aiohttp', 'numpy', 'highspy', 'matplotlib',"
        " 'sqlcipher3', 'stem', 'holidays', 'crypto.private') if name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


# --- several cities -------------------------------------------------------------------------------


def second_city(folder: Path) -> Path:
    town = Town.found(folder, QUARTERS[0], root="another city")
    city = City(CityPlan(reports=200, days=90, offices=2, canaries=3, seed=9))
    city.run_until(QUARTERS[0])
    return town.publish(city, "2024-q1", folder / "2024-q1")


def test_cities_in_one_table(scene: Scene, tmp_path: Path, capsys: Capture) -> None:
    other = second_city(tmp_path / "other")
    out = tmp_path / "out"
    run(capsys, "federate", scene.third, other, "--out", out)
    assert {each.name for each in out.iterdir()} == {
        "index.html", "en.html", "federation.csv", "federation.json",
    }  # fmt: skip
    rows = json.loads((out / "federation.json").read_bytes())["cities"]
    figures = json.loads((other / "data/figures.json").read_bytes())
    assert rows[1]["received"] == figures["received"]
    assert rows[1]["asked"] == figures["confirmations"]["asked"]
    assert rows[1]["silent"] == figures["confirmations"]["silent"]
    assert len((out / "federation.csv").read_text("utf-8").splitlines()) == 3
    page = (out / "en.html").read_text("utf-8")
    assert "<script" not in page
    assert f"{rows[0]['settled']} of {rows[0]['asked']}" in page
    assert main(["federate", str(other), "--out", str(out)]) == 1  # never over something else


def test_cities_refused(scene: Scene, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "out"
    other = second_city(tmp_path / "other")
    found = as_json(capsys, "federate", scene.third, scene.second, "--out", out, code=1)
    assert [each["fault"] for each in found["faults"]] == ["city_twice"]
    figures = json.loads((other / "data/figures.json").read_bytes())
    town = Town.found(tmp_path / "other", QUARTERS[0], root="another city")
    write(other / "data/figures.json", json.dumps({**figures, "definitions": "2031-1"},
          sort_keys=True, separators=(",", ":")).encode())  # fmt: skip
    town.amend(other, definitions="2031-1")
    town.reseal(other)
    found = as_json(capsys, "federate", scene.third, other, "--out", out, code=1)
    assert [each["fault"] for each in found["faults"]] == ["definitions_differ"]
    write(scene.third / "extra", b"")
    found = as_json(capsys, "federate", scene.third, "--out", out, code=1)
    assert [each["fault"] for each in found["faults"]] == ["file_extra"]
    assert not out.exists()
