# SPDX-License-Identifier: AGPL-3.0-or-later
"""docs/spec/acts.md is what the code says; its worked example verifies from its own bytes."""

import re
from datetime import date

from case_mgmt.acts import Act, SignedAct, act_hash, verify_chain
from case_mgmt.deadlines import due
from case_mgmt.lifecycle import TABLE
from case_mgmt.model import DeviceKey
from case_mgmt.notices import notice_for
from case_mgmt.policy import default_policy
from tests.support.acts_document import DOCUMENT, example, parts, render

TEXT = DOCUMENT.read_text(encoding="utf-8")


def test_the_generated_parts_are_up_to_date() -> None:
    assert render(TEXT) == TEXT
    assert set(re.findall(r"<!-- generated: (\w+) -->", TEXT)) == set(parts())


def test_every_step_of_the_table_is_in_the_document() -> None:
    for kind, source, target in TABLE:
        if source is not target and source is not None:
            assert f"| {kind} | `{source}` | `{target}` |" in TEXT


def test_the_worked_example_verifies_from_its_text() -> None:
    chain = []
    for block in re.split(r"^act \d+ +", TEXT, flags=re.MULTILINE)[1:]:
        lines = block.split("```")[0].splitlines()
        values = [line.split(maxsplit=1)[1] for line in lines[1:]]
        data = lines[0].encode()
        assert act_hash(data) == values[0]
        second = DeviceKey(values[2]) if len(values) > 2 else None
        seal = bytes.fromhex(values[3]) if len(values) > 2 else None
        chain.append(SignedAct(Act.parse(data), bytes.fromhex(values[1]), second, seal))
    assert chain == example()
    verify_chain(chain)


def test_the_fields_of_an_act_and_of_a_notice_are_described() -> None:
    signed = example()[0]
    policy = default_policy(2025, 2029)
    section = TEXT.split("## 3. Format")[1].split("## 4.")[0]
    for name in signed.act.to_object():
        assert f"`{name}`" in section
    notices = TEXT.split("## 7. Notices")[1].split("## 8.")[0]
    for name in notice_for(signed, [signed.act], policy, None).meta:
        assert f"`{name}`" in notices


def test_the_numbers_in_the_text_are_those_of_the_policy() -> None:
    policy = default_policy(2025, 2029)
    for words in (
        f"| `assess` | {policy.assess} working days |",
        f"| `first_step` | {policy.first_step} working days |",
        f"| `update` | {policy.update_every_days} calendar days",
        f"| `overall` | {policy.overall} working days |",
    ):
        assert words in TEXT
    history = [signed.act for signed in example()]
    clock = due(history, policy, date(2026, 4, 9))
    assert f"outside_mandate` on 2026-04-09 | - | - | {clock.contest_until} |" in TEXT
