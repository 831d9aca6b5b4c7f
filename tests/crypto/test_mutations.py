# SPDX-License-Identifier: AGPL-3.0-or-later
"""Damaged frames, containers, boxes, manifests and recipients: Python and the browser's functions
give the same verdict on each, and open the same content where nothing was wrong."""

import base64
import hashlib
import json
import random
import subprocess
from collections import Counter
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from crypto import jsonfields
from crypto.age.reader import ReplySeed, open_single
from crypto.encoding import canonical_json, parse_json
from crypto.envelope import split
from crypto.errors import AuthenticationError, MalformedError, ManifestError
from crypto.frame import decode_frame
from crypto.mailbox import open_notice, open_own_copy
from crypto.manifest import verify_manifest
from crypto.private.age_open import open_all
from crypto.xwing import Recipient
from tests.support.browser_build import bundle
from tests.support.mutated_json import objects
from tests.support.mutated_manifests import manifests, recipients
from tests.support.mutated_sealed import Case, boxes, containers, frames
from tests.support.vectors import FOLDER

VERDICTS = {"accepted", "malformed", "not_authentic", "old", "not_today", "rules"}
MANIFEST_VERDICTS = {
    "manifest is not signed by this organisation": "not_authentic",
    "manifest is malformed": "malformed",
    "manifest is older than one seen before": "old",
    "manifest is not valid today": "not_today",
}
Verdict = tuple[str, str]


def raw(text: str) -> bytes:
    return base64.b64decode(text)


def judge_container(case: Case) -> bytes:
    """A reply by the one who may open a single stanza; a message as server and desk read it."""
    data, seed = raw(case["data"]), raw(case["seed"])
    if case["single"]:
        plain = open_single(ReplySeed(seed), data)
    else:
        split(data)
        plain = open_all(seed, data)
    return decode_frame(plain).body if case["framed"] else plain


def judge_manifest(case: Case) -> bytes:
    data, today = raw(case["data"]), date.fromisoformat(case["today"])
    verify_manifest(data, raw(case["signature"]), raw(case["root"]), today, case["least"])
    return data


def judge_notice(case: Case) -> bytes:
    key, lookup = raw(case["key"]), raw(case["lookup"])
    return open_notice(key, lookup, case["place"], raw(case["data"])).container or b""


def judge_own_copy(case: Case) -> bytes:
    key, lookup, message = raw(case["key"]), raw(case["lookup"]), raw(case["message"])
    return open_own_copy(key, lookup, message, raw(case["data"])).encode()


def judge_json(case: Case) -> bytes:
    """An object has one meaning; its canonical form says which."""
    return canonical_json(
        dict(jsonfields.members(parse_json(raw(case["data"]), max_bytes=1 << 20)))
    )


JUDGES: dict[str, Callable[[Case], bytes]] = {
    "frame": lambda case: decode_frame(raw(case["data"])).body,
    "container": judge_container,
    "manifest": judge_manifest,
    "recipient": lambda case: Recipient.from_age(case["text"]).raw,
    "notice": judge_notice,
    "own_copy": judge_own_copy,
    "json": judge_json,
}


def verdict(case: Case) -> Verdict:
    try:
        return "accepted", hashlib.sha256(JUDGES[case["kind"]](case)).hexdigest()
    except MalformedError:
        return "malformed", ""
    except AuthenticationError:
        return "not_authentic", ""
    except ManifestError as error:
        return MANIFEST_VERDICTS.get(str(error), "rules"), ""


@cache
def cases() -> tuple[Case, ...]:
    chance = random.Random(6)
    makers = (frames, containers, boxes, manifests, recipients, objects)
    return tuple(case for make in makers for case in make(chance))


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> list[Verdict]:
    """What the browser's functions say, from one process."""
    folder: Path = tmp_path_factory.mktemp("verdicts")
    bundle(folder, "vectors")
    done = subprocess.run(
        ["node", str(FOLDER / "verdicts.mjs"), str(folder / "vectors.js")],
        input=json.dumps(cases()), capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [(code, opened) for code, opened in json.loads(done.stdout)]


@pytest.fixture(scope="module")
def ours() -> list[Verdict]:
    return [verdict(case) for case in cases()]


def test_same_verdict_on_every_case(ours: list[Verdict], theirs: list[Verdict]) -> None:
    assert {code for code, _ in ours} == VERDICTS
    differing = [
        (case["kind"], number, mine, other)
        for number, (case, mine, other) in enumerate(zip(cases(), ours, theirs, strict=True))
        if mine != other
    ]
    assert differing == []


def test_a_thousand_are_refused(theirs: list[Verdict]) -> None:
    refused = {
        json.dumps(case): case["kind"]
        for case, (code, _) in zip(cases(), theirs, strict=True)
        if code != "accepted"
    }
    kinds = Counter(refused.values())
    assert kinds.total() >= 1000
    assert set(kinds) == set(JUDGES)


def test_what_changed_nothing_is_accepted(ours: list[Verdict]) -> None:
    whole = {
        case["kind"] for case, (code, _) in zip(cases(), ours, strict=True) if code == "accepted"
    }
    assert whole == set(JUDGES)
