# SPDX-License-Identifier: AGPL-3.0-or-later
"""Archives that every computer opens, the same bytes each time."""

import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whistle.errors import StoreError
from whistle.tar import Archive, Member

NAMES = st.from_regex(r"[a-z0-9]{1,20}(/[a-z0-9.]{1,30}){0,3}", fullmatch=True)


def opened(archive: Archive, length: int) -> dict[str, bytes]:
    data = b"".join(archive.pieces(length))
    assert len(data) == archive.size
    found = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as file:
        assert file.pax_headers == {}
        for each in file:
            content = file.extractfile(each)
            assert content is not None
            assert (each.type, each.mtime, each.uid, each.gid) == (tarfile.REGTYPE, 0, 0, 0)
            assert (each.uname, each.gname, each.mode) == ("", "", 0o644)
            found[each.name] = content.read()
    return found


@given(st.dictionaries(NAMES, st.binary(max_size=2000), max_size=6), st.integers(1, 3000))
def test_what_goes_in_comes_out_sorted(files: dict[str, bytes], length: int) -> None:
    archive = Archive(Member.of(name, data) for name, data in files.items())
    found = opened(archive, length)
    assert found == files
    assert list(found) == sorted(files)
    backwards = Archive(Member.of(name, files[name]) for name in reversed(files))
    assert b"".join(backwards.pieces(512)) == b"".join(archive.pieces(length))


def test_files_on_a_disk_are_read_piece_by_piece(tmp_path: Path) -> None:
    place = tmp_path / "f"
    place.write_bytes(bytes(range(256)) * 8)
    archive = Archive([Member("a/f", 2048, place)])
    assert opened(archive, 100) == {"a/f": place.read_bytes()}
    assert max(len(each) for each in archive.pieces(600)) == 1024  # the end, always whole
    place.write_bytes(b"short")
    with pytest.raises(StoreError, match="shorter"):
        list(archive.pieces(100))


@pytest.mark.parametrize("name", ["n" * 101, "d/" * 150 + "n", "ä"])
def test_names_without_room(name: str) -> None:
    with pytest.raises(ValueError, match=r"name|ascii|ustar|prefix"):
        Archive([Member.of(name, b"")])


def test_two_files_of_one_name() -> None:
    with pytest.raises(ValueError, match="two files"):
        Archive([Member.of("a", b"1"), Member.of("a", b"2")])
