# SPDX-License-Identifier: AGPL-3.0-or-later
"""The poster says what the organisation's files say, with an address that passed its checksum."""

import re
from pathlib import Path

import pytest

from crypto.manifest import instance_fingerprint_words
from onion.address import encode_address
from tests.support.org import Org, make_org, seed
from tests.whistle.test_qr import pixels
from tests.whistle.tool.keys_at_hand import TODAY
from tests.whistle.tool.running import Done, run, stop_the_clock
from whistle import qr
from whistle.layout import Layout

ONION = encode_address(seed("onion"))
OTHER = encode_address(seed("another onion"))


@pytest.fixture
def org(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Org:
    stop_the_clock(monkeypatch, lambda: TODAY)
    return make_org(tmp_path / "state", TODAY)


def poster(tmp_path: Path, *words: object) -> Done:
    return run(
        "poster", "--state", tmp_path / "state", "--out", tmp_path / "out", "--lang", "en", *words
    )


def tor_says(tmp_path: Path, onion: str) -> None:
    folder = Layout(tmp_path / "state").tor / "hs-intake"
    folder.mkdir(parents=True)
    (folder / "hostname").write_text(onion + "\n")


def test_pages_and_images(org: Org, tmp_path: Path) -> None:
    tor_says(tmp_path, ONION)
    done = poster(tmp_path)
    assert done.code == 0, done.err
    out = tmp_path / "out"
    names = {"poster-id.html", "poster-en.html", "onion-qr.png", "root-key-qr.png"}
    assert {path.name for path in out.iterdir()} == names
    assert (out / "onion-qr.png").read_bytes() == qr.png(f"http://{ONION}/", 8)
    key = "WHISTLE:" + org.instance_id.hex().upper()
    assert (out / "root-key-qr.png").read_bytes() == qr.png(key, 8)
    assert len(pixels((out / "onion-qr.png").read_bytes())) >= 200
    for lang in ("id", "en"):
        page = (out / f"poster-{lang}.html").read_text()
        text = re.sub(r"<[^>]+>", "", page)
        assert ONION in text.replace(" ", "").replace("\n", "")
        assert org.instance_id.hex() in text
        words = instance_fingerprint_words(org.instance_id, "en" if lang == "en" else "id")
        assert re.findall(r"<li>([a-z]+)</li>", page) == list(words)
        assert "<script" not in page
        assert not re.findall(r'(?:src|href)="(?!data:image/png;base64,)', page)


@pytest.mark.parametrize("place", [0, 20, 55])
def test_one_wrong_character_is_refused(org: Org, tmp_path: Path, place: int) -> None:
    wrong = ONION[:place] + ("b" if ONION[place] == "a" else "a") + ONION[place + 1 :]
    done = poster(tmp_path, "--onion", wrong)
    assert done.code == 1
    assert "not an onion address" in done.err
    assert not (tmp_path / "out").exists()


def test_where_the_address_comes_from(org: Org, tmp_path: Path) -> None:
    assert "no onion address yet" in poster(tmp_path).err
    assert poster(tmp_path, "--onion", f"http://{ONION}/").code == 0
    org.rewrite(onion=ONION, serial=2)
    assert poster(tmp_path).code == 0
    tor_says(tmp_path, OTHER)
    assert "another onion address" in poster(tmp_path).err


def test_a_damaged_organisation_gets_no_poster(org: Org, tmp_path: Path) -> None:
    (org.dir / "manifest.sig").write_bytes(bytes(64))
    done = poster(tmp_path, "--onion", ONION)
    assert done.code == 1
    assert "not signed" in done.err
