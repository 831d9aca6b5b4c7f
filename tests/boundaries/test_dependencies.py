# SPDX-License-Identifier: AGPL-3.0-or-later
"""Dependencies: each one justified, licensed, pinned and hashed; nothing gets in beside the locks.

A new runtime dependency, or a new optional group, needs its rows in docs/dependencies.md (a group
`x` has a section "Optional: `x`"); nothing has to be changed here.
"""

import base64
import json
import re
from pathlib import Path

import pytest

from tests.supply.licences import READ_BY_HAND, allowed, licence_of, report
from tests.supply.locks import (
    BUILD,
    DEVELOPMENT,
    NPM_LOCKS,
    ROOT,
    RUNTIME,
    Locked,
    asked,
    locks,
    name_of,
    parse_lock,
    project,
    read_lock,
    run_time_locks,
    scripts,
)
from tests.supply.sbom import needs_of

PAGE = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
SETUP = (ROOT / ".ci" / "setup").read_text(encoding="utf-8")
GROUPS = asked()
PIN = "a==1 \\\n    --hash=sha256:" + "0" * 64 + "\n"

_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)


def sections() -> dict[str, list[list[str]]]:
    """The rows of the table of each section."""
    parts = _SECTION.split(PAGE)
    found = {}
    for title, text in zip(parts[1::2], parts[2::2], strict=True):
        lines = [line for line in text.splitlines() if line.startswith("|")][2:]
        found[title] = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return found


ROWS = sections()


def title_of(group: str) -> str:
    return f"Optional: `{group}`" if group else "Runtime"


def direct() -> set[str]:
    return {name_of(one) for group in GROUPS.values() for one in group}


def brought_along() -> set[str]:
    names = {one.name for name in run_time_locks() for one in read_lock(name)}
    return names - direct()


def by_name(lock: str) -> dict[str, Locked]:
    return {one.name: one for one in read_lock(lock)}


@pytest.mark.parametrize("group", GROUPS)
def test_each_dependency_has_its_line(group: str) -> None:
    rows = ROWS[title_of(group)]
    assert [row[0] for row in rows] == sorted(name_of(one) for one in GROUPS[group])
    assert all(len(row[1]) >= 20 for row in rows)


def test_no_section_is_left_over() -> None:
    optional = {title for title in ROWS if title.startswith("Optional: ")}
    assert optional == {title_of(group) for group in GROUPS if group}


def test_each_package_that_is_brought_along_has_its_line() -> None:
    rows = ROWS["Brought along"]
    assert [row[0] for row in rows] == sorted(brought_along())
    for name, bringers, _ in rows:
        assert bringers, name
        for bringer in bringers.split(", "):
            assert name in needs_of(bringer), (name, bringer)


def test_each_script_has_its_line() -> None:
    rows = ROWS["In the scripts of the site"]
    assert {row[0]: row[2] for row in rows} == {one.name: one.licence for one in scripts()}


@pytest.mark.parametrize(
    "row",
    [row for title in ROWS if title != "Checking them" for row in ROWS[title]],
    ids=lambda r: r[0],
)
def test_each_licence_is_what_the_package_says_and_fits_ours(row: list[str]) -> None:
    name, _, licence = row
    assert allowed(licence)
    if not name.startswith("@"):
        assert licence == licence_of(name)


def test_licences_read_by_hand_are_still_needed() -> None:
    assert set(READ_BY_HAND) <= direct() | brought_along()


@pytest.mark.parametrize(
    ("expression", "fits"),
    [
        ("MIT", True), ("Apache-2.0 AND MIT", True), ("GPL-2.0-only OR MIT", True),
        ("(MIT OR GPL-2.0-only) AND Zlib", True), ("GPL-2.0-only", False), ("", False),
        ("MIT AND SSPL-1.0", False), ("LicenseRef-Proprietary", False),
    ],
)  # fmt: skip
def test_which_licences_fit(expression: str, fits: bool) -> None:
    assert allowed(expression) is fits


@pytest.mark.parametrize("lock", locks())
def test_each_locked_package_is_pinned_with_hashes(lock: str) -> None:
    entries = read_lock(lock)
    assert entries
    assert len({one.name for one in entries}) == len(entries)
    assert all(len(set(one.hashes)) == len(one.hashes) for one in entries)


@pytest.mark.parametrize(
    "text",
    [
        "a==1\n", "a>=1 \\\n    --hash=sha256:" + "0" * 64, PIN.replace("256:", "1:"),
        PIN.replace("0" * 64, "0" * 63), "-e .\n", "--pre\n", "a @ ./x\n",
        PIN.replace("a==1", "a==1 ; x \\\n --pre"),
    ],
)  # fmt: skip
def test_anything_else_in_a_lock_is_seen(text: str) -> None:
    with pytest.raises(ValueError, match="not a pin"):
        parse_lock(PIN + text)


def test_a_pin_is_read() -> None:
    (one,) = parse_lock("# c\n" + PIN)
    assert (one.name, one.version, one.marker, one.hashes) == ("a", "1", "", ("0" * 64,))
    (one,) = parse_lock(PIN.replace("a==1", "a-b==1.2 ; sys_platform == 'win32'"))
    assert (one.name, one.version, one.marker) == ("a-b", "1.2", "sys_platform == 'win32'")


@pytest.mark.parametrize("group", GROUPS)
def test_what_is_asked_for_is_locked_within_its_bounds(group: str) -> None:
    development = by_name(DEVELOPMENT)
    locked = by_name(RUNTIME) if not group else development
    for one in GROUPS[group]:
        assert one.specifier.contains(locked[name_of(one)].version), one
        assert development[name_of(one)].version == locked[name_of(one)].version


def test_all_locks_pin_the_same() -> None:
    development = by_name(DEVELOPMENT)
    for lock in (*run_time_locks(), BUILD):
        for name, one in by_name(lock).items():
            assert development.get(name, one) == one, (lock, name)


def test_the_runtime_lock_is_whole_and_holds_nothing_else() -> None:
    locked = by_name(RUNTIME)
    reached: set[str] = set()
    waiting = {name_of(one) for one in GROUPS[""]}
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting |= set(needs_of(name)) - reached
    assert reached == set(locked)


def test_what_builds_is_locked() -> None:
    wanted = {re.split(r"[<>=]", one)[0] for one in project()["build-system"]["requires"]}
    assert wanted <= set(by_name(BUILD))


@pytest.mark.parametrize("lock", NPM_LOCKS)
def test_each_script_package_is_pinned_with_its_digest(lock: str) -> None:
    packages = json.loads((ROOT / lock).read_text(encoding="utf-8"))["packages"]
    named = {path: entry for path, entry in packages.items() if path}
    assert named
    for path, entry in named.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+[\w.+-]*", entry["version"]), path
        kind, _, digest = entry["integrity"].partition("-")
        assert (kind, len(base64.b64decode(digest))) == ("sha512", 64), path


def test_setup_installs_by_hash_and_runs_no_script_of_a_package() -> None:
    installs = [line for line in SETUP.splitlines() if "$pip install" in line]
    assert installs
    for line in installs:
        assert "--require-hashes" in line or "--no-deps --no-build-isolation --editable ." in line
    (npm,) = (line for line in SETUP.splitlines() if "npm ci" in line)
    assert "--ignore-scripts" in npm


def test_an_audit_without_an_answer_is_a_failure() -> None:
    script = (ROOT / ".ci" / "audit").read_text(encoding="utf-8")
    (asking,) = (
        line for line in script.splitlines() if line.strip().startswith('"$venv/bin/pip-a')
    )
    assert {"--strict", "--require-hashes", "failed=1"} <= set(asking.split())
    assert "--require-hashes -r .ci/audit.lock" in script
    assert "pip-audit" in by_name(".ci/audit.lock")


def test_nothing_names_another_place_to_install_from() -> None:
    files = [ROOT / name for name in (*locks(), "pyproject.toml", ".ci/setup")]
    files += [path for path in ROOT.glob("**/.npmrc") if "node_modules" not in path.parts]
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"index-url|find-links|registry *=|trusted-host", text), path


def test_the_report_names_each_package_once() -> None:
    locked = read_lock(RUNTIME)
    lines = report(locked, scripts()).splitlines()
    assert len(lines) == len(locked) + len(scripts())
    assert lines == sorted(lines)


def test_there_is_one_place_for_locks() -> None:
    assert {Path(name).name for name in locks()} >= {RUNTIME, DEVELOPMENT, "build.lock"}
