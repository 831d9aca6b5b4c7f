# SPDX-License-Identifier: AGPL-3.0-or-later
"""Key files: never overwritten, never readable by others, wrong ones named; serials only rise."""

from pathlib import Path

import pytest

from crypto.private.keystore import Identity, seal_keystore
from crypto.rng import system_rng
from tests.whistle.desk.bureau import CHEAP, PASSPHRASE
from whistle.desk.errors import KeysError, UsageError
from whistle.desk.keyring import (
    SerialMemory,
    find_keystore,
    find_keystores,
    is_private,
    read_passphrase,
    require_good_passphrase,
    write_new,
)


@pytest.fixture
def keystore(tmp_path: Path) -> Path:
    identity = Identity("penyidik-1", b"\x01" * 32, b"\x02" * 32, b"\x03" * 32)
    path = tmp_path / "penyidik-1.keystore"
    write_new(path, seal_keystore(identity, PASSPHRASE, system_rng, **CHEAP))
    return path


def test_unlock(keystore: Path) -> None:
    found = find_keystore(keystore)
    assert found.label == "penyidik-1"
    assert found.unlock(PASSPHRASE).person == "penyidik-1"


@pytest.mark.parametrize("passphrase", ["", "salah", PASSPHRASE + " ", PASSPHRASE.upper()])
def test_wrong_passphrase(keystore: Path, passphrase: str) -> None:
    with pytest.raises(KeysError) as error:
        find_keystore(keystore).unlock(passphrase)
    assert error.value.key == "desk.error.cannot_unlock"
    assert error.value.exit_code == 4


@pytest.mark.parametrize("place", [4, 10, 40, 60, -1])
def test_damaged_keystore(keystore: Path, place: int) -> None:
    raw = bytearray(keystore.read_bytes())
    raw[place] ^= 0x80
    keystore.write_bytes(raw)
    with pytest.raises(KeysError):
        find_keystore(keystore).unlock(PASSPHRASE)


@pytest.mark.parametrize(
    ("content", "key"),
    [(b"", "not_a_keystore"), (b"WHSR" + bytes(100), "not_a_keystore"),
     (b"WHSK" + bytes(5000), "not_a_keystore")],
)  # fmt: skip
def test_other_files(tmp_path: Path, content: bytes, key: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(KeysError) as error:
        find_keystore(path)
    assert error.value.key == f"desk.error.{key}"


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(KeysError) as error:
        find_keystore(tmp_path / "none")
    assert error.value.key == "desk.error.cannot_read"


def test_a_folder_of_keystores(keystore: Path) -> None:
    (keystore.parent / "passphrase.txt").write_text("x")
    (keystore.parent / "penyidik-1.keystore.seen.json").write_text("{}")
    (keystore.parent / "folder").mkdir()
    assert [found.label for found in find_keystores(keystore.parent)] == ["penyidik-1"]
    with pytest.raises(KeysError):
        find_keystores(keystore.parent / "folder")
    with pytest.raises(KeysError):
        find_keystores(keystore.parent / "nowhere")


def test_nothing_is_overwritten_and_nobody_else_reads_it(keystore: Path) -> None:
    before = keystore.read_bytes()
    with pytest.raises(UsageError):
        write_new(keystore, b"x")
    assert keystore.read_bytes() == before
    assert is_private(keystore)
    link = keystore.with_name("link")
    link.symlink_to(keystore.with_name("target"))
    with pytest.raises(UsageError):
        write_new(link, b"x")
    with pytest.raises(KeysError):
        write_new(keystore / "below", b"x")


def test_passphrases(tmp_path: Path) -> None:
    path = tmp_path / "p"
    path.write_bytes(b"satu dua \r\nzweite Zeile\n")
    assert read_passphrase(path, "?") == "satu dua "
    assert read_passphrase(None, "? ", lambda prompt: prompt + "x") == "? x"
    path.write_bytes(b"\xff")
    with pytest.raises(KeysError):
        read_passphrase(path, "?")

    def no_terminal(_prompt: str) -> str:
        raise EOFError

    with pytest.raises(KeysError):
        read_passphrase(None, "?", no_terminal)


def test_short_passphrases_are_refused_for_new_keys() -> None:
    require_good_passphrase("dua belas ok")
    with pytest.raises(UsageError):
        require_good_passphrase("sebelas chr")


def test_serials_only_rise(keystore: Path) -> None:
    memory = SerialMemory(keystore, system_rng)
    assert memory.highest() == 0
    memory.remember(3)
    memory.remember(2)
    assert SerialMemory(keystore, system_rng).highest() == 3
    path = keystore.with_name("penyidik-1.keystore.seen.json")
    assert is_private(path)
    assert len(list(keystore.parent.iterdir())) == 2


@pytest.mark.parametrize("content", ["", "[]", '{"serial":-1}', '{"serial":true}', '{"v":1}', "7"])
def test_a_damaged_memory_is_not_taken_for_none(keystore: Path, content: str) -> None:
    keystore.with_name("penyidik-1.keystore.seen.json").write_text(content)
    with pytest.raises(KeysError) as error:
        SerialMemory(keystore, system_rng).highest()
    assert error.value.key == "desk.error.memory_damaged"
