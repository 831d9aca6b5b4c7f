# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle-desk publish` and `whistle publish` on a real case server: who may, and what not."""

import asyncio
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from case_mgmt.publication.names import log_origin
from crypto.encoding import canonical_json
from crypto.signing import public_from_seed
from crypto.tlog.note import SignerKey
from crypto.tlog.policy import Log, simple_policy
from crypto.tlog.tree import Tree, leaf_hash
from tests.support.case_office import PEOPLE
from tests.support.org import Org, seed
from tests.whistle.desk.bureau import Bureau, running_bureau
from tests.whistle.desk.commands import Done, desk, run
from whistle.cases.staging import MANIFEST_FILES

ID = "2026-q1"


def keep_log(org: Org, state: Path) -> None:
    """Let the organisation keep a log without witnesses."""
    signer = SignerKey(log_origin(org.instance_id), seed("service log"))
    policy = simple_policy(Log(signer.verifier), [], 0).encode().encode()
    (org.dir / "log-policy.txt").write_bytes(policy)
    files = {**org.manifest["files"], "log-policy.txt": hashlib.sha256(policy).hexdigest()}
    services = {**org.manifest["services"], "log": public_from_seed(signer.seed).hex()}
    org.rewrite(files=files, services=services)
    (state / "log.key").write_text(signer.seed.hex() + "\n", "ascii")


@pytest.fixture
async def bureau(tmp_path: Path) -> AsyncIterator[Bureau]:
    async with running_bureau(tmp_path, prepare=keep_log, people=PEOPLE) as made:
        async with asyncio.timeout(60):
            while not opened(made):
                await asyncio.sleep(0.01)
        yield made


def opened(bureau: Bureau) -> bool:
    """Whether the opening entry is public; the server sees to that by itself."""
    with bureau.services.store.reading() as unit:
        return unit.public_size() == 1


def drafted(bureau: Bureau, folder: Path, **changes: Any) -> Path:
    """A release of the log as it stands, with little in it."""
    with bureau.services.store.reading() as unit:
        tree = Tree(leaf_hash(entry) for entry in unit.entries())
    files = {name: (bureau.org.dir / name).read_bytes() for name in MANIFEST_FILES}
    files["data/figures.json"] = b"{}"
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    about = {
        "v": 1, "id": ID, "instance": bureau.org.instance_id.hex(), "definitions": "2026-1",
        "previous": None, "reason": None,
        "log": {"origin": "x", "size": tree.size, "root": tree.root().hex()},
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    }  # fmt: skip
    (folder / "release.json").write_bytes(canonical_json({**about, **changes}))
    return folder


async def sign(bureau: Bureau, person: str, folder: Path) -> Done:
    return await asyncio.to_thread(
        run, "publish", "sign", folder, "--keystore", bureau.keystores[person],
        "--passphrase-file", bureau.passphrase_file, "--json", "--lang", "en",
    )  # fmt: skip


async def signed(bureau: Bureau, folder: Path) -> Path:
    for person in ("penerbit", "pemeriksa"):
        assert (await sign(bureau, person, folder)).code == 0
    return folder


async def submit(bureau: Bureau, folder: Path, person: str = "penerbit") -> Done:
    return await desk(bureau, person, "publish", "submit", folder)


def releases(bureau: Bureau) -> list[str]:
    with bureau.services.store.reading() as unit:
        return [each.id for each in unit.releases()]


async def test_two_sign_and_it_is_out(bureau: Bureau, tmp_path: Path) -> None:
    folder = drafted(bureau, tmp_path / "r")
    assert (await sign(bureau, "penerbit", folder)).json["signed"] == ["penerbit"]
    early = await submit(bureau, folder)
    assert (early.code, releases(bureau)) == (1, [])
    assert (await sign(bureau, "pemeriksa", folder)).json["signed"] == ["penerbit", "pemeriksa"]
    assert (await submit(bureau, folder)).json == {"id": ID, "status": "published"}
    assert releases(bureau) == [ID]


async def test_the_same_release_again_is_answered_alike(bureau: Bureau, tmp_path: Path) -> None:
    folder = await signed(bureau, drafted(bureau, tmp_path / "r"))

    def waiting() -> int:
        with bureau.services.store.reading() as unit:
            return len(list(unit.waiting_leaves()))

    assert (await submit(bureau, folder)).code == 0
    once = waiting()
    assert (await submit(bureau, folder)).json == {"id": ID, "status": "published"}
    assert (releases(bureau), waiting()) == ([ID], once)
    other = await signed(bureau, drafted(bureau, tmp_path / "other", reason="tertukar"))
    done = await submit(bureau, other)
    assert done.code == 1
    assert "must continue the newest" in done.err + done.out
    with bureau.services.store.reading() as unit:
        kept = unit.public_file(f"releases/{ID}/release.json")
    assert kept == (folder / "release.json").read_bytes()


@pytest.mark.parametrize("person", ["penyidik-1", "penyidik-2"])
async def test_a_role_that_does_not_sign(bureau: Bureau, tmp_path: Path, person: str) -> None:
    folder = drafted(bureau, tmp_path / "r")
    assert (await sign(bureau, person, folder)).code == 1
    assert not (folder / "release.sig").exists()


async def test_one_person_does_not_sign_twice(bureau: Bureau, tmp_path: Path) -> None:
    folder = drafted(bureau, tmp_path / "r")
    assert (await sign(bureau, "penerbit", folder)).code == 0
    before = (folder / "release.sig").read_bytes()
    done = await sign(bureau, "penerbit", folder)
    assert done.code == 1
    assert "signed this release already" in done.err + done.out
    value = json.loads(before)
    value["signatures"] *= 2
    (folder / "release.sig").write_bytes(canonical_json(value))
    assert ((await submit(bureau, folder)).code, releases(bureau)) == (1, [])


async def test_without_a_publisher_nobody_is_second(bureau: Bureau, tmp_path: Path) -> None:
    folder = drafted(bureau, tmp_path / "r")
    assert (await sign(bureau, "pengawas", folder)).code == 0
    assert (await sign(bureau, "pemeriksa", folder)).code == 1
    assert (await sign(bureau, "penerbit", folder)).code == 0
    assert (await sign(bureau, "pemeriksa", folder)).code == 1  # there is no third


@pytest.mark.parametrize("name", ["data/figures.json", "log-policy.txt"])
async def test_a_file_changed_after_the_first_signature(
    bureau: Bureau, tmp_path: Path, name: str
) -> None:
    folder = drafted(bureau, tmp_path / "r")
    assert (await sign(bureau, "penerbit", folder)).code == 0
    (folder / name).write_bytes(b"{ }")
    assert (await sign(bureau, "pemeriksa", folder)).code == 1
    assert len(json.loads((folder / "release.sig").read_bytes())["signatures"]) == 1


async def test_everything_changed_after_both_signatures(bureau: Bureau, tmp_path: Path) -> None:
    folder = await signed(bureau, drafted(bureau, tmp_path / "r"))
    for change in (
        lambda: (folder / "data/figures.json").write_bytes(b"[]"),
        lambda: drafted(bureau, folder, reason="lain"),  # the list as well: then who signed it?
        lambda: (folder / "extra.txt").write_bytes(b""),
    ):
        change()
        assert (await submit(bureau, folder)).code == 1
        bureau.services.staging.drop(ID)
    assert releases(bureau) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"instance": "00" * 32}, "carries another manifest"),
        ({"id": "2026-q2"}, None),
        ({"previous": {"id": "2025-q4", "sha256": "00" * 32}}, "must continue the newest"),
        ({"log": {"origin": "x", "size": 2, "root": "00" * 32}}, "does not fit the public log"),
        ({"log": {"origin": "x", "size": 1, "root": "00" * 32}}, "does not fit the public log"),
        ({"log": {"origin": "x", "size": True, "root": 1}}, "files are incomplete"),
        ({"log": None}, "files are incomplete"),
    ],
)
async def test_claims_that_are_not_true(
    bureau: Bureau, tmp_path: Path, changes: dict[str, Any], code: str | None
) -> None:
    folder = await signed(bureau, drafted(bureau, tmp_path / "r", **changes))
    done = await submit(bureau, folder)
    if code is None:
        assert releases(bureau) == ["2026-q2"]
        return
    assert (done.code, releases(bureau)) == (1, [])
    assert code in done.err + done.out


@pytest.mark.parametrize("person", ["pemeriksa", "pengawas", "penyidik-1"])
async def test_only_a_publisher_hands_in(bureau: Bureau, tmp_path: Path, person: str) -> None:
    folder = await signed(bureau, drafted(bureau, tmp_path / "r"))
    assert ((await submit(bureau, folder, person)).code, releases(bureau)) == (1, [])


@pytest.mark.parametrize("content", [None, b"", b"[]", b"{}", b'{"id":"../../x"}', b"\xff"])
async def test_folders_that_are_no_release(
    bureau: Bureau, tmp_path: Path, content: bytes | None
) -> None:
    folder = tmp_path / "r"
    folder.mkdir()
    if content is not None:
        (folder / "release.json").write_bytes(content)
    assert (await sign(bureau, "penerbit", folder)).code == 1
    done = await submit(bureau, folder)
    assert done.code in {1, 2}
    assert "Traceback" not in done.err
    assert releases(bureau) == []


async def test_damaged_signatures(bureau: Bureau, tmp_path: Path) -> None:
    folder = await signed(bureau, drafted(bureau, tmp_path / "r"))
    good = json.loads((folder / "release.sig").read_bytes())
    first, second = good["signatures"]
    for damaged in (
        [first], [second, second], [first, {**second, "signature": first["signature"]}],
        [first, {**second, "person": "pengawas"}], [first, second, first], [first, "x"], [],
    ):  # fmt: skip
        (folder / "release.sig").write_bytes(canonical_json({"v": 1, "signatures": damaged}))
        assert ((await submit(bureau, folder)).code, releases(bureau)) == (1, [])


async def test_whistle_publish_calls_the_desk(bureau: Bureau, tmp_path: Path) -> None:
    folder = drafted(bureau, tmp_path / "r")
    program = shutil.which("whistle", path=str(Path(sys.executable).parent))
    assert program is not None
    words = [
        program, "publish", "sign", str(folder), "--keystore", str(bureau.keystores["penerbit"]),
        "--passphrase-file", str(bureau.passphrase_file), "--json",
    ]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["signed"] == ["penerbit"]
    again = subprocess.run(words, capture_output=True, text=True, check=False)
    assert again.returncode == 1
