# SPDX-License-Identifier: AGPL-3.0-or-later
"""A key list is believed only when it is the pinned organisation's, no older, and in force."""

import json
from pathlib import Path

import pytest

from crypto.manifest import instance_fingerprint_words
from tests.support.org import make_org
from tests.whistle.tool.keys_at_hand import TODAY, days, organisation, trust
from whistle.tool.errors import KeyListError
from whistle.tool.keylist import Pin, SerialMemory
from whistle.tool.source import Trust, from_folder


def refusal(trusted: Trust, folder: Path) -> str:
    with pytest.raises(KeyListError) as caught:
        from_folder(folder, trusted)
    return caught.value.key


def test_pinned_by_key(tmp_path: Path) -> None:
    org = organisation(tmp_path)
    keys = from_folder(org.dir, trust(org))
    assert keys.instance_id == org.instance_id
    assert {person.id for person in keys.audience(frozenset())} == set(org.identities)


@pytest.mark.parametrize("lang", ["id", "en"])
def test_pinned_by_words(tmp_path: Path, lang: str) -> None:
    org = organisation(tmp_path)
    words = " ".join(instance_fingerprint_words(org.instance_id, "en" if lang == "en" else "id"))
    pin = Pin.parse(None, words.upper())
    assert from_folder(org.dir, Trust(pin, SerialMemory(None), TODAY)).instance_id


def test_words_of_another_organisation(tmp_path: Path) -> None:
    org = organisation(tmp_path)
    words = " ".join(instance_fingerprint_words(bytes(32), "id"))
    pinned = Trust(Pin.parse(None, words), SerialMemory(None), TODAY)
    assert refusal(pinned, org.dir) == "tool.pin_differs"
    both = Trust(Pin.parse(org.instance_id.hex(), words), SerialMemory(None), TODAY)
    assert refusal(both, org.dir) == "tool.pin_differs"


def test_words_without_an_offered_key(tmp_path: Path) -> None:
    org = organisation(tmp_path)
    words = " ".join(instance_fingerprint_words(org.instance_id, "id"))
    (org.dir / "instance.id").unlink()
    pinned = Trust(Pin.parse(None, words), SerialMemory(None), TODAY)
    assert refusal(pinned, org.dir) == "tool.instance_missing"


@pytest.mark.parametrize(
    ("instance", "words", "key"),
    [
        (None, None, "tool.pin_missing"),
        ("00", None, "tool.pin_malformed"),
        ("zz" * 32, None, "tool.pin_malformed"),
        (None, "twelve other words", "tool.words_malformed"),
    ],
)
def test_no_pin_no_keys(instance: str | None, words: str | None, key: str) -> None:
    with pytest.raises(KeyListError) as caught:
        Pin.parse(instance, words)
    assert caught.value.key == key


def test_signature(tmp_path: Path) -> None:
    org = organisation(tmp_path)
    other = make_org(tmp_path / "other", TODAY, root="another root")
    assert refusal(trust(other), org.dir) == "tool.keys_signature"
    path = org.dir / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b"penyidik-1", b"penyidik-9"))
    assert refusal(trust(org), org.dir) == "tool.keys_signature"


def test_dates(tmp_path: Path) -> None:
    org = organisation(tmp_path)
    assert refusal(trust(org, TODAY + days(3000)), org.dir) == "tool.keys_date"
    assert refusal(trust(org, TODAY - days(30)), org.dir) == "tool.keys_date"


def test_lower_serial_than_seen(tmp_path: Path) -> None:
    org = organisation(tmp_path)
    memory = tmp_path / "seen.json"
    org.rewrite(serial=7)
    from_folder(org.dir, trust(org, remember=memory))
    assert json.loads(memory.read_text()) == {org.instance_id.hex(): 7}
    org.rewrite(serial=6)
    assert refusal(trust(org, remember=memory), org.dir) == "tool.keys_older"
    assert (
        from_folder(org.dir, trust(org)).manifest.serial == 6
    )  # nothing remembered, nothing known
    assert refusal(Trust(Pin(org.instance_id), SerialMemory(None), TODAY, 7), org.dir) == (
        "tool.keys_older"
    )


def test_a_refused_list_is_not_remembered(tmp_path: Path) -> None:
    org = organisation(tmp_path)
    memory = tmp_path / "seen.json"
    org.rewrite(serial=9)
    refusal(trust(org, TODAY + days(3000), memory), org.dir)
    assert not memory.exists()


def test_damaged_memory_is_said(tmp_path: Path) -> None:
    org = organisation(tmp_path)
    memory = tmp_path / "seen.json"
    memory.write_text("[]")
    assert refusal(trust(org, remember=memory), org.dir) == "tool.memory_damaged"


@pytest.mark.parametrize("name", ["policy.json", "catalogue.json"])
def test_files_are_those_of_the_list(tmp_path: Path, name: str) -> None:
    org = organisation(tmp_path)
    path = org.dir / name
    path.write_bytes(path.read_bytes() + b" ")
    assert refusal(trust(org), org.dir) == "tool.keys_file"
    path.unlink()
    assert refusal(trust(org), org.dir) == "tool.file_missing"


def test_accused_people_are_left_out(tmp_path: Path) -> None:
    org = organisation(tmp_path)
    keys = from_folder(org.dir, trust(org))
    left = keys.audience(frozenset({"inspektorat-1"}))
    assert "penyidik-1" not in {person.id for person in left}
    with pytest.raises(KeyListError):
        keys.audience(frozenset({"inspektorat-1", "inspektorat-2", "inspektorat-pengaduan"}))
