# SPDX-License-Identifier: AGPL-3.0-or-later
"""docs/spec/log.md says what the code does: keys, checkpoint, proof, policy, entries, limits."""

import json
import re
from datetime import date
from pathlib import Path

from case_mgmt.publication.leaves import WAIT_EDGES, Code, FollowUp, release_leaf, report_leaf
from crypto.promise import MAX_LOG_DAYS, MAX_MERGE_DAYS
from crypto.tlog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from crypto.tlog.cosignature import cosign
from crypto.tlog.lines import KeyType
from crypto.tlog.note import MAX_NOTE, MAX_SIGNATURES, SignerKey, split_note
from crypto.tlog.policy import Log, Witness, parse_policy, simple_policy
from crypto.tlog.proof import make_proof, parse_proof, verify_proof
from crypto.tlog.tree import Tree
from crypto.tlog.witness import MAX_REQUEST
from whistle.witness import client, server

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "spec" / "log.md").read_text("utf-8")
BLOCKS = dict(re.findall(r"^```\w+ example: ([\w-]+)\n(.*?)^```$", TEXT, re.M | re.S))
KEYS = json.loads(BLOCKS["keys"])
ORIGIN = KEYS["log"].partition("+")[0]
LOG = SignerKey(ORIGIN, bytes.fromhex(KEYS["log_seed"]))
WITNESS = SignerKey(
    "witness.example/first", bytes.fromhex(KEYS["witness_seed"]), KeyType.COSIGNATURE
)


def entries() -> list[bytes]:
    opening, report, follow_up = json.loads(BLOCKS["entries"])
    act = FollowUp(
        Code(follow_up["code"]),
        follow_up["wait"],
        bytes.fromhex(follow_up["case"]),
        bytes.fromhex(follow_up["act"]),
    )
    leaves = [
        release_leaf(date.fromisoformat(opening["opening"]), bytes(32)),
        report_leaf(
            date.fromisoformat(report["report"]),
            bytes.fromhex(report["case"]),
            bytes.fromhex(report["commitment"]),
        ),
        act.leaf(date.fromisoformat(follow_up["follow_up"]), bytes.fromhex(follow_up["nonce"])),
    ]
    assert [leaf.encode().hex() for leaf in leaves] == [
        each["entry"] for each in (opening, report, follow_up)
    ]
    return [leaf.encode() for leaf in leaves]


def test_the_keys() -> None:
    assert (LOG.verifier.encode(), WITNESS.verifier.encode()) == (KEYS["log"], KEYS["witness"])


def test_the_entries_and_their_checkpoint() -> None:
    tree = Tree()
    for entry in entries():
        assert len(entry) == 60
        tree.append(entry)
    checkpoint = Checkpoint(ORIGIN, tree.size, tree.root())
    assert open_checkpoint(BLOCKS["checkpoint"], LOG.verifier) == checkpoint
    time = int.from_bytes(split_note(BLOCKS["checkpoint"])[1][1].signature[:8], "big")
    line = cosign(WITNESS.seed, WITNESS.name, checkpoint.text(), time)
    assert sign_checkpoint(checkpoint, LOG) + line == BLOCKS["checkpoint"]
    assert make_proof(tree, 2, BLOCKS["checkpoint"], checkpoint).encode() == BLOCKS["proof"]


def test_the_policy_and_the_proof() -> None:
    policy = parse_policy(BLOCKS["policy"])
    url = "http://127.0.0.1:8095"
    assert policy == simple_policy(Log(LOG.verifier), [Witness("first", WITNESS.verifier, url)], 1)
    assert policy.encode() == BLOCKS["policy"]
    proof = parse_proof(BLOCKS["proof"])
    assert verify_proof(proof, entries()[2], policy).checkpoint.size == 3


def test_the_numbers() -> None:
    flat = " ".join(TEXT.split())
    assert ", ".join(map(str, WAIT_EDGES[:-1])) + f" and {WAIT_EDGES[-1]}, inclusive" in flat
    assert f"at most {MAX_NOTE // 1024} KiB and {MAX_SIGNATURES} signatures" in flat
    assert f"more than {server.BODY_SECONDS:.0f} seconds" in flat
    assert f"more than {MAX_REQUEST // 1024} KiB, or {server.MAX_WAITING} others wait" in flat
    assert client.SECONDS == 120
    assert f"oldest has waited {MAX_MERGE_DAYS} days" in flat
    assert f"arrival and {MAX_LOG_DAYS} days" in flat


def test_the_outcomes_and_the_statuses() -> None:
    for outcome in client.Outcome:
        assert f"`{outcome}`" in TEXT
    for status in (200, 400, 403, 404, 408, 409, 413, 422, 503):
        assert re.search(rf"^\|.*\b{status}\b", TEXT, re.M)
    for code in Code:
        assert code is Code.NONE or re.search(rf"^\| [\d, ]*\b{code.value}\b", TEXT, re.M)
