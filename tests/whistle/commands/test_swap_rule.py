# SPDX-License-Identifier: AGPL-3.0-or-later
"""A real organisation refuses to start with swap; a demo starts and says so. Whether it is a demo
is read from the signed manifest."""

from datetime import date
from pathlib import Path

import pytest

from tests.support.org import make_org
from whistle.commands import server_options
from whistle.commands.errors import CommandError
from whistle.swap import WARNING

TODAY = date(2026, 4, 7)


@pytest.fixture(autouse=True)
def _swap_is_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_options, "disk_swap", lambda: ["/dev/sda5"])
    monkeypatch.setattr(server_options, "lock_memory", lambda: True)


def test_a_real_organisation_refuses_with_the_way_out(tmp_path: Path) -> None:
    org = make_org(tmp_path, TODAY, demo=False).dir
    with pytest.raises(CommandError, match=r"swapoff -a.*--allow-swap"):
        server_options.guard_memory(org, TODAY, is_allowed=False)


def test_its_operator_may_allow_it(tmp_path: Path) -> None:
    org = make_org(tmp_path, TODAY, demo=False).dir
    assert server_options.guard_memory(org, TODAY, is_allowed=True) == WARNING


def test_a_demo_is_warned(tmp_path: Path) -> None:
    org = make_org(tmp_path, TODAY).dir
    assert server_options.guard_memory(org, TODAY, is_allowed=False) == WARNING


def test_a_demo_mark_that_is_not_signed_counts_for_nothing(tmp_path: Path) -> None:
    org = make_org(tmp_path, TODAY, demo=False).dir
    text = (org / "manifest.json").read_text(encoding="utf-8")
    changed = text.replace('"demo":false', '"demo":true')
    assert changed != text
    (org / "manifest.json").write_text(changed, encoding="utf-8")
    with pytest.raises(CommandError):
        server_options.guard_memory(org, TODAY, is_allowed=False)


def test_without_swap_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_options, "disk_swap", list)
    assert server_options.guard_memory(tmp_path, TODAY, is_allowed=False) is None
