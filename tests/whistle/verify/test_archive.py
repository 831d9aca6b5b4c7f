# SPDX-License-Identifier: AGPL-3.0-or-later
"""Archives from strangers: the honest ones open, whoever packed them; the others never do."""

import gzip
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whistle.tar import Archive, Member
from whistle.verify import archive as subject

FILES = {"release.json": b"{}", "log/checkpoint": b"note", "data/weekly.csv": b"a,b\n" * 300}
Packer = Callable[[Mapping[str, bytes]], bytes]


def ours(files: Mapping[str, bytes]) -> bytes:
    return b"".join(Archive(Member.of(name, each) for name, each in files.items()).pieces(4096))


def tarred(form: int) -> Packer:
    def pack(files: Mapping[str, bytes]) -> bytes:
        return tar_of([(tarfile.TarInfo(name), data) for name, data in files.items()], form)

    return pack


def tar_of(members: list[tuple[tarfile.TarInfo, bytes]], form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as file:
        for info, data in members:
            info.size = len(data)
            info.mtime = 1_700_000_000.5 if form == tarfile.PAX_FORMAT else 0
            file.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zipped(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in files.items():
            file.writestr(name, data)
    return out.getvalue()


PACKERS: dict[str, Packer] = {
    "ours": ours,
    "ustar": tarred(tarfile.USTAR_FORMAT),
    "gnu": tarred(tarfile.GNU_FORMAT),
    "pax": tarred(tarfile.PAX_FORMAT),
    "tgz": lambda files: gzip.compress(ours(files)),
    "zip": zipped,
}
EVERY_PACKER = pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)


def unpack(tmp_path: Path, data: bytes) -> Path:
    (tmp_path / "archive").write_bytes(data)
    into = tmp_path / "into"
    into.mkdir(exist_ok=True)
    return subject.unpack(tmp_path / "archive", into)


def refused(tmp_path: Path, data: bytes) -> str:
    with pytest.raises(subject.ArchiveError) as caught:
        unpack(tmp_path, data)
    outside = {each.name for each in tmp_path.iterdir()} - {"archive", "into"}
    assert outside == set()
    return caught.value.why


@EVERY_PACKER
@pytest.mark.parametrize(
    "base", ["", "2026-q3/", "Downloads (1)/2026-q3/", f"{'d' * 50}/{'e' * 60}/"]
)
def test_honest_archives(tmp_path: Path, pack: Packer, base: str) -> None:
    root = unpack(tmp_path, pack({base + name: data for name, data in FILES.items()}))
    found = {
        each.relative_to(root).as_posix(): each.read_bytes()
        for each in root.rglob("*")
        if each.is_file()
    }
    assert found == FILES


def test_folders_and_a_leading_dot(tmp_path: Path) -> None:
    folder = tarfile.TarInfo("./")
    folder.type = tarfile.DIRTYPE
    inner = tarfile.TarInfo("./log/")
    inner.type = tarfile.DIRTYPE
    data = tar_of(
        [(folder, b""), (inner, b""), (tarfile.TarInfo("./log/checkpoint"), b"note")],
        tarfile.GNU_FORMAT,
    )
    assert (unpack(tmp_path, data) / "log/checkpoint").read_bytes() == b"note"


@EVERY_PACKER
@pytest.mark.parametrize(
    "name",
    [
        "../release.json", "a/../../b", "/etc/passwd", "a//b", "a/./b", "C:/x", "a\\..\\b", "..",
        "a/\nb", "/".join("a" * 21),
    ],
)  # fmt: skip
def test_hostile_names(tmp_path: Path, pack: Packer, name: str) -> None:
    assert refused(tmp_path, pack({"release.json": b"{}", name: b"x"})) == "path"


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.CONTTYPE],
)
def test_only_plain_files_in_a_tar(tmp_path: Path, kind: bytes) -> None:
    info = tarfile.TarInfo("2026-q3/release.json")
    info.type, info.linkname = kind, "../../../etc/passwd"
    assert refused(tmp_path, tar_of([(info, b"")], tarfile.USTAR_FORMAT)) == "kind"


def test_only_plain_files_in_a_zip(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        info = zipfile.ZipInfo("release.json")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(info, "/etc/passwd")
    assert refused(tmp_path, out.getvalue()) == "kind"
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as file:
            file.writestr("release.json", "{}")
        assert refused(tmp_path, out.getvalue()) == "kind"


@pytest.mark.parametrize("again", ["release.json", "RELEASE.JSON"])
@pytest.mark.parametrize("form", ["tar", "zip"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_no_name_twice(tmp_path: Path, again: str, form: str) -> None:
    out = io.BytesIO()
    if form == "zip":
        with zipfile.ZipFile(out, "w") as file:
            file.writestr("release.json", "{}")
            file.writestr(again, "other")
        data = out.getvalue()
    else:
        names = [tarfile.TarInfo("release.json"), tarfile.TarInfo(again)]
        data = tar_of([(each, b"{}") for each in names])
    assert refused(tmp_path, data) == "twice"


def test_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "MAX_FILE", 1000)
    for pack in PACKERS.values():
        assert refused(tmp_path, pack({"release.json": bytes(1001)})) == "size"
    monkeypatch.setattr(subject, "MAX_FILE", 2**40)
    monkeypatch.setattr(subject, "MAX_TOTAL", 100_000)
    many = {f"{number}/release.json": bytes(30_000) for number in range(4)}
    for pack in PACKERS.values():
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        assert refused(folder, pack(many)) == "size"
    monkeypatch.setattr(subject, "MAX_FILES", 3)
    few = {f"{number}/release.json": b"" for number in range(4)}
    for pack in PACKERS.values():
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        assert refused(folder, pack(few)) == "size"


def test_a_claimed_size_allocates_nothing(tmp_path: Path) -> None:
    info = tarfile.TarInfo("release.json")
    info.size = 8**11 - 1
    assert refused(tmp_path, info.tobuf(tarfile.USTAR_FORMAT)) == "size"
    info.size = 8**12  # only GNU's binary form holds it
    assert refused(tmp_path, info.tobuf(tarfile.GNU_FORMAT)) == "size"


@pytest.mark.parametrize("record", [b"size=3", b"linkpath=/etc/passwd", b"GNU.sparse.major=1"])
def test_records_that_mean_another_file(tmp_path: Path, record: bytes) -> None:
    line = b"%d %s\n" % (len(record) + 4 + (len(record) + 4 > 99), record)
    note = tarfile.TarInfo("note")
    note.type = tarfile.XHDTYPE
    members = [(note, line), (tarfile.TarInfo("release.json"), b"{}")]
    assert refused(tmp_path, tar_of(members, tarfile.USTAR_FORMAT)) == "kind"


def test_what_holds_two_or_nothing(tmp_path: Path) -> None:
    assert refused(tmp_path, ours({"readme.txt": b""})) == "nothing"
    two = tmp_path / "two"
    two.mkdir()
    assert refused(two, ours({"a/release.json": b"", "b/release.json": b""})) == "several"


@EVERY_PACKER
def test_cut_short_anywhere(tmp_path: Path, pack: Packer) -> None:
    data = pack({"release.json": b"{}" * 400})
    end = len(data.rstrip(b"\0")) if pack is not zipped else len(data)
    for number, length in enumerate(range(0, end, max(1, end // 25))):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert refused(folder, data[:length]) == "broken"


@pytest.mark.parametrize("tail", [b"x", bytes(512) + ours({"release.json": b"another"})])
@pytest.mark.parametrize("packed", [False, True])
def test_nothing_follows_the_end(tmp_path: Path, tail: bytes, packed: bool) -> None:
    data = ours({"release.json": b"{}"}) + tail
    assert refused(tmp_path, gzip.compress(data) if packed else data) == "broken"


@given(st.data())
def test_damage_never_leads_outside(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    packed = bytearray(data.draw(st.sampled_from([pack(FILES) for pack in PACKERS.values()])))
    for _ in range(data.draw(st.integers(1, 4))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    folder = tmp_path_factory.mktemp("damaged")
    try:
        root = unpack(folder, bytes(packed))
    except subject.ArchiveError:
        pass
    else:
        assert root.is_relative_to(folder / "into")
    assert {each.name for each in folder.iterdir()} <= {"archive", "into"}
    assert not any(each.is_symlink() for each in folder.rglob("*"))
