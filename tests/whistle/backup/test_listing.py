# SPDX-License-Identifier: AGPL-3.0-or-later
"""The lists of a backup: strict, canonical, and no path that leaves the state directory."""

import json
from datetime import date

import pytest

from crypto.encoding import canonical_json
from crypto.errors import MalformedError
from crypto.signing import public_from_seed
from whistle.backup.errors import DamageError
from whistle.backup.listing import (
    PARTS,
    OpenList,
    SealedList,
    StoredFile,
    check_path,
    parse_open_list,
    parse_sealed_list,
    sign_list,
    verify_list,
)

INDEX, PIECE = "aa" * 32, "bb" * 32
LIST = OpenList(
    7, "cc" * 32, date(2026, 4, 7), "dd" * 32, "cases", ("cases", "org"), INDEX,
    {INDEX: 2000, PIECE: 3000},
)  # fmt: skip
FILE = StoredFile("cases/cases.db", 5, "ee" * 32, (PIECE,))


def test_round_trips() -> None:
    assert parse_open_list(LIST.encode()) == LIST
    sealed = SealedList(7, (FILE,), {"cases": {"rows": {"acts": 1}}})
    assert parse_sealed_list(sealed.encode(), LIST) == sealed


def test_only_the_signer_verifies() -> None:
    signature = sign_list(bytes(32), LIST.encode())
    verify_list(public_from_seed(bytes(32)), signature, LIST.encode())
    for public, data in ((bytes(32), LIST.encode()), (public_from_seed(bytes(32)), b"other")):
        with pytest.raises(DamageError):
            verify_list(public, signature, data)


@pytest.mark.parametrize(
    "file",
    [
        StoredFile("tor/hs-intake/x", 5, "ee" * 32, (PIECE,)),  # a part that was not backed up
        StoredFile("cases/x", 5, "ee" * 32, ("ff" * 32,)),
        StoredFile("cases/x", 0, "ee" * 32, (PIECE,)),
        StoredFile("cases/x", 5, "ee" * 32, ()),
    ],
)
def test_files_a_signed_list_does_not_cover(file: StoredFile) -> None:
    with pytest.raises(DamageError):
        parse_sealed_list(SealedList(7, (file,), {}).encode(), LIST)


def test_of_another_backup_or_twice_the_same_path() -> None:
    for sealed in (SealedList(8, (FILE,), {}), SealedList(7, (FILE, FILE), {})):
        with pytest.raises(DamageError):
            parse_sealed_list(sealed.encode(), LIST)


def test_no_part_holds_keys_of_people() -> None:
    assert not {"people", "root"} & set(PARTS)


@pytest.mark.parametrize(
    "path",
    [
        "../etc/passwd", "/etc/passwd", "cases/../../x", "cases", "people/me.keystore",
        "root/root.key", "log/x", "cases//x", "cases/./x", "cases/x/", "cases/a b", "cases/\n",
        "cases/a\x00b", "cases/..", "cases/...", "cases" + "/1" * 16, "", ".", "backup/memory.json",
        "cases/\u202ex", "cases\\x", "C:/x", "cases/-rf",
    ],
)  # fmt: skip
def test_no_path_leaves_its_part(path: str) -> None:
    with pytest.raises(MalformedError):
        check_path(path)


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2}, {"number": 0}, {"number": "1"}, {"number": True}, {"previous": "x"},
        {"day": "2026-13-01"}, {"instance": "AA" * 32}, {"signer": "root"}, {"parts": []},
        {"parts": ["people"]}, {"parts": ["org", "org"]}, {"index": "00" * 32}, {"objects": {}},
        {"objects": {"x": 1}}, {"objects": {"00" * 32: 0}}, {"objects": {"00" * 32: -1}},
        {"more": 1}, {"objects": []}, {"parts": "org"},
    ],
)  # fmt: skip
def test_hostile_lists(change: dict[str, object]) -> None:
    source = json.loads(LIST.encode())
    with pytest.raises(DamageError):
        parse_open_list(canonical_json({**source, **change}))


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b"null", b"{" * 400, b"1e9"])
def test_garbage_lists(data: bytes) -> None:
    with pytest.raises(DamageError):
        parse_open_list(data)
    with pytest.raises(DamageError):
        parse_sealed_list(data, LIST)
