# SPDX-License-Identifier: AGPL-3.0-or-later
import argparse
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.org import Org, make_org
from whistle.commands.errors import CommandError
from whistle.commands.server_options import (
    hold_state,
    parse_address,
    ready_content,
    server_calendar,
    write_ready_file,
)


def today() -> date:
    """The day at the demo organisation's seat."""
    return (datetime.now(UTC) + timedelta(hours=7)).date()


@pytest.fixture
def org(tmp_path: Path) -> Org:
    return make_org(tmp_path, today())


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:80", ("127.0.0.1", 80)),
        ("[::1]:0", ("::1", 0)),
        ("none", None),
    ],
)
def test_addresses(text: str, address: tuple[str, int] | None) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["", "127.0.0.1", "host:", "host:65536", "host:-1", "host:http"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        parse_address(text)


def test_the_calendar_is_the_one_at_the_seat(org: Org) -> None:
    assert server_calendar(org.dir, 0)() == today()


def test_a_demo_moves_its_calendar(org: Org) -> None:
    assert server_calendar(org.dir, 16)() == today() + timedelta(days=16)


def test_a_real_organisation_keeps_its_clock(org: Org) -> None:
    org.rewrite(demo=False)
    with pytest.raises(CommandError, match="says demo"):
        server_calendar(org.dir, 1)


def test_a_demo_mark_that_nobody_signed_moves_no_clock(org: Org) -> None:
    org.rewrite(demo=False)
    manifest = org.dir / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"demo":false', b'"demo":true'))
    with pytest.raises(CommandError, match="cannot be used"):
        server_calendar(org.dir, 1)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"policy\.json"):
        server_calendar(tmp_path, 0)


def test_the_ready_file_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    write_ready_file(path, ready_content(("127.0.0.1", 0), 8080))
    assert json.loads(path.read_text())["url"] == "http://127.0.0.1:8080/"
    assert list(tmp_path.iterdir()) == [path]
    write_ready_file(None, {})


def test_without_tcp_there_is_no_address() -> None:
    assert ready_content(None, None)["url"] is None


def test_a_state_directory_has_one_server(tmp_path: Path) -> None:
    with hold_state(tmp_path), pytest.raises(CommandError, match="another server"):
        hold_state(tmp_path)
    hold_state(tmp_path).release()
