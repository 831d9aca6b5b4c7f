# SPDX-License-Identifier: AGPL-3.0-or-later
"""Two people sign, one of them a publisher, and only what release.json names."""

import json
import shutil
from pathlib import Path

import pytest

from crypto.domains import Domain
from crypto.encoding import b64, canonical_json
from crypto.manifest import ManifestContent
from crypto.signing import public_from_seed
from crypto.signing import sign as sign_bytes
from tests.support.org import seed
from tests.whistle.release.conftest import Built
from whistle.release.errors import FolderError, SignatureError
from whistle.release.folder import release_digest
from whistle.release.signing import read_signatures, sign, verify_signatures


def desk(person: str) -> bytes:
    return seed(f"device {person}")


@pytest.fixture
def folder(built: Built, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built.folder, tmp_path / "copy"))


@pytest.fixture
def manifest(built: Built) -> ManifestContent:
    return built.inputs.manifest


@pytest.mark.parametrize("second", ["auditor", "pengawas"])
def test_two_people_sign(folder: Path, manifest: ManifestContent, second: str) -> None:
    assert read_signatures(folder) == ()
    sign(folder, "penerbit", desk("penerbit"))
    with pytest.raises(SignatureError, match="two signatures"):
        verify_signatures(folder, manifest)
    sign(folder, second, desk(second))
    assert [person.id for person in verify_signatures(folder, manifest)] == ["penerbit", second]
    third = "pengawas" if second == "auditor" else "auditor"
    with pytest.raises(SignatureError, match="has its two"):
        sign(folder, third, desk(third))


@pytest.mark.parametrize(
    ("person", "key"),
    [
        ("penyidik-1", "penyidik-1"),  # no role that signs
        ("penerbit", "auditor"),  # somebody else's key
        ("penerbit", "stranger"),  # nobody's key
    ],
)
def test_who_may_not_sign(folder: Path, person: str, key: str) -> None:
    with pytest.raises(SignatureError):
        sign(folder, person, desk(key))
    assert not (folder / "release.sig").exists()


def test_nobody_signs_twice(folder: Path) -> None:
    sign(folder, "penerbit", desk("penerbit"))
    with pytest.raises(SignatureError, match="already"):
        sign(folder, "penerbit", desk("penerbit"))


def test_one_of_the_two_is_a_publisher(folder: Path) -> None:
    sign(folder, "auditor", desk("auditor"))
    with pytest.raises(SignatureError, match="publisher"):
        sign(folder, "pengawas", desk("pengawas"))
    assert len(read_signatures(folder)) == 1


def test_a_changed_file_is_not_signed(folder: Path) -> None:
    (folder / "data/figures.json").write_bytes(b"{}")
    with pytest.raises(FolderError, match=r"figures\.json"):
        sign(folder, "penerbit", desk("penerbit"))


def entry(folder: Path, person: str, key: str, domain: Domain = Domain.RELEASE) -> dict[str, str]:
    made = sign_bytes(desk(key), domain, release_digest(folder))
    public = public_from_seed(desk(key)).hex()
    return {"person": person, "key": public, "signature": b64(made)}


def write(folder: Path, *entries: dict[str, str]) -> None:
    (folder / "release.sig").write_bytes(canonical_json({"v": 1, "signatures": [*entries]}))


@pytest.mark.parametrize(
    "pair",
    [
        (("penerbit", "penerbit"), ("penerbit", "penerbit")),
        (("penerbit", "penerbit"), ("auditor", "pengawas")),
        (("auditor", "auditor"), ("pengawas", "pengawas")),
        (("penerbit", "penerbit"), ("penyidik-1", "penyidik-1")),
        (("penerbit", "penerbit"), ("stranger", "stranger")),
    ],
    ids=["same", "name", "publisher", "role", "key"],
)
def test_pairs_that_do_not_count(
    folder: Path, manifest: ManifestContent, pair: tuple[tuple[str, str], ...]
) -> None:
    write(folder, *(entry(folder, *each) for each in pair))
    with pytest.raises(SignatureError):
        verify_signatures(folder, manifest)


def test_a_signature_from_another_domain_or_release_does_not_fit(
    folder: Path, manifest: ManifestContent
) -> None:
    good = entry(folder, "auditor", "auditor")
    write(folder, entry(folder, "penerbit", "penerbit", Domain.STATISTICS), good)
    with pytest.raises(SignatureError, match="does not fit"):
        verify_signatures(folder, manifest)
    write(folder, entry(folder, "penerbit", "penerbit"), good)
    verify_signatures(folder, manifest)
    head = json.loads((folder / "release.json").read_bytes())
    (folder / "release.json").write_bytes(canonical_json({**head, "reason": "other"}))
    with pytest.raises(SignatureError, match="does not fit"):
        verify_signatures(folder, manifest)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"v":2,"signatures":[]}',
        b'{"v":1,"signatures":[{}]}',
        b'{"v":1,"signatures":[],"more":1}',
        b'{"v":1,"signatures":[1,2,3]}',
        b'{"v":1,"signatures":[{"person":"a","key":"00","signature":"AA"}]}',
        b" " * 5000,
    ],
)
def test_malformed_files_are_refused(folder: Path, manifest: ManifestContent, data: bytes) -> None:
    (folder / "release.sig").write_bytes(data)
    with pytest.raises(SignatureError):
        verify_signatures(folder, manifest)
