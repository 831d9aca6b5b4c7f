# SPDX-License-Identifier: AGPL-3.0-or-later
"""The bill of materials names what the locks hold, no more, no less, and the same each time."""

import json
import re
from typing import Any

import pytest

from tests.supply import sbom
from tests.supply.locks import asked, installed, name_of, scripts
from tests.support.telling import telling


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(sbom.build("1.2.3"))
    return loaded


def test_it_is_the_same_each_time_and_knows_no_clock() -> None:
    first = sbom.build("1.2.3")
    assert first == sbom.build("1.2.3")
    assert first != sbom.build("1.2.4")
    assert telling(first) == []
    assert b"timestamp" not in first


def test_its_head(bill: dict[str, Any]) -> None:
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", bill["serialNumber"])
    ours = bill["metadata"]["component"]
    assert (ours["name"], ours["version"], ours["type"]) == (sbom.NAME, "1.2.3", "application")


def test_it_lists_what_is_locked_and_bundled(bill: dict[str, Any]) -> None:
    found = {(one["purl"].split("/")[0], one["name"], one["version"]) for one in bill["components"]}
    locked = {("pkg:pypi", one.name, one.version) for one in installed().values()}
    assert found == locked | {("pkg:npm", one.name, one.version) for one in scripts()}
    assert all(one["licenses"][0]["expression"] for one in bill["components"])


def test_it_carries_the_digests_of_the_locks(bill: dict[str, Any]) -> None:
    listed = {
        one["name"]: tuple(each["value"] for each in one.get("properties", []))
        for one in bill["components"]
        if "hashes" not in one
    }
    assert listed == {one.name: one.hashes for one in installed().values()}
    digests = [one["hashes"][0] for one in bill["components"] if "hashes" in one]
    assert len(digests) == len(scripts())
    assert all((one["alg"], len(one["content"])) == ("SHA-512", 128) for one in digests)


def test_every_reference_leads_somewhere_and_everything_is_reached(bill: dict[str, Any]) -> None:
    root = bill["metadata"]["component"]["bom-ref"]
    known = {one["bom-ref"] for one in bill["components"]} | {root}
    graph = {one["ref"]: set(one["dependsOn"]) for one in bill["dependencies"]}
    assert set(graph) == known
    assert set().union(*graph.values()) <= known
    reached, waiting = set(), {root}
    while waiting:
        one = waiting.pop()
        reached.add(one)
        waiting |= graph[one] - reached
    assert reached == known
    direct = {ref.partition("@")[0].rpartition("/")[2] for ref in graph[root] if ":pypi/" in ref}
    named = {name_of(one) for group in asked().values() for one in group}
    assert direct == named & set(installed())
    assert {name_of(one) for one in asked()[""]} <= direct
