# SPDX-License-Identifier: AGPL-3.0-or-later
"""docs/spec/offline.md says what the programs do: examples recomputed, flags and codes compared."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from crypto.bundle import head_length, parse_head
from crypto.encoding import unb64
from crypto.manifest import instance_fingerprint_words
from crypto.signing import public_from_seed
from tests.support.intake import Intake
from tests.whistle.tool.running import pinned, run, tool, write_answers
from tests.whistle.tool.test_site import sign_site
from whistle.intake.served import QR_PREFIX
from whistle.sitefiles import list_files, verify_list
from whistle.texts import load_tool_texts
from whistle.tool.sitecheck import Finding

TEXT = (Path(__file__).parents[3] / "docs/spec/offline.md").read_text("utf-8")
EXAMPLES: dict[str, Any] = {
    name: json.loads(block)
    for name, block in re.findall(r"```json example: ([^\n]+)\n(.*?)```", TEXT, re.S)
}


def test_root_key() -> None:
    example = EXAMPLES["root key"]
    instance = bytes.fromhex(example["instance_id"])
    assert example["qr"] == QR_PREFIX + example["instance_id"].upper()
    assert example["id"].split() == list(instance_fingerprint_words(instance, "id"))
    assert example["en"].split() == list(instance_fingerprint_words(instance, "en"))


def test_bundle() -> None:
    example = EXAMPLES["bundle"]
    data = example["head"].encode()
    assert head_length(bytes.fromhex(example["prefix"])) == len(data)
    head = parse_head(data)
    assert head.auth_public == public_from_seed(bytes.fromhex(example["auth_seed"]))
    container = bytes.fromhex(example["container"])
    head.verify(bytes.fromhex(example["instance_id"]), container)
    assert head.container == len(container)
    for member in json.loads(data):
        assert f"| `{member}` |" in TEXT, member


def test_site_list() -> None:
    example = EXAMPLES["site list"]
    served = {path: content.encode() for path, content in example["files"].items()}
    data = list_files(served, example["serial"]).encode()
    assert data.decode() == example["list"]
    root = public_from_seed(bytes.fromhex(example["root_seed"]))
    assert verify_list(data, unb64(example["signature"]), root).serial == 3


def test_codes_are_explained() -> None:
    for code in get_args(Finding):
        assert f"| `{code}` |" in TEXT
    texts = load_tool_texts("en").texts
    problems = [
        key.removeprefix("tool.problem.") for key in texts if key.startswith("tool.problem.")
    ]
    assert len(problems) == 6
    for code in problems:
        assert f"| `{code}` |" in TEXT


@pytest.mark.parametrize("command", ["seal", "read", "verify-site", "poster"])
def test_flags(command: str) -> None:
    (usage,) = re.findall(rf"^whistle {command} (.*?)(?=^whistle |^```)", TEXT, re.M | re.S)
    documented = set(re.findall(r"--[a-z-]+", usage))
    known = set(re.findall(r"--[a-z-]+", run(command, "--help").out)) - {"--help"}
    assert documented == {flag for flag in known if not flag.startswith("--answers-")}


def shape(value: Any) -> Any:
    """The keys of a JSON value; a list stands for its first entry."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else None


async def test_json(intake: Intake, tmp_path: Path) -> None:
    sealed = await tool(
        "seal", "--manifest", intake.org.dir, *pinned(intake), "--send", intake.base, "--json",
        "--answers", write_answers(tmp_path), "--out", tmp_path / "b.whb",
    )  # fmt: skip
    assert shape(sealed.json) == shape(EXAMPLES["seal"])
    read = await tool(
        "read", "--site", intake.base, *pinned(intake), "--json", typed=sealed.json["receipt"]["id"]
    )
    example = dict(EXAMPLES["read"])
    assert example.pop("acts")
    assert read.json.pop("acts", None) == []
    assert set(read.json) - {"acts"} == set(example)
    assert shape(read.json["timeline"]) == shape(example["timeline"])
    sign_site(intake.org, tmp_path)
    checked = await tool("verify-site", intake.base, *pinned(intake), "--json")
    assert shape(checked.json) == shape(EXAMPLES["verify-site"])
