# SPDX-License-Identifier: AGPL-3.0-or-later
"""From nothing to a signed manifest, by commands alone."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from crypto.manifest import verify_manifest
from onion.address import encode_address
from tests.whistle.desk.bureau import PASSPHRASE
from tests.whistle.desk.commands import run

CHEAP = ("--memory-mib", "64", "--json", "--lang", "en")


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    path = tmp_path / "passphrase"
    path.write_text(PASSPHRASE)
    return path


@pytest.fixture
def instance(tmp_path: Path, passphrase: Path) -> str:
    done = run(
        "root", "new", "--out", tmp_path / "root.key", "--passphrase-file", passphrase, *CHEAP
    )
    return str(done.json["instance"])


def keys(tmp_path: Path, passphrase: Path, instance: str, person: str, *more: object) -> Any:
    return run(
        "keys", "new", "--person", person, "--instance", instance,
        "--out", tmp_path / f"{person}.keystore", "--passphrase-file", passphrase, *CHEAP, *more,
    )  # fmt: skip


def draft(people: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "serial": 1,
        "not_before": "2026-01-01",
        "not_after": "2027-01-01",
        "name": {"id": "Inspektorat", "en": "Inspectorate"},
        "demo": False,
        "people": people,
        "services": {"intake": "01" * 32, "cases": "02" * 32},
        "files": {"policy.json": "03" * 32, "catalogue.json": "04" * 32},
        "onion": None,
    }


@pytest.mark.slow
def test_founding(tmp_path: Path, passphrase: Path, instance: str) -> None:
    people = []
    for number in (1, 2):
        person = f"penyidik-{number}"
        made = keys(tmp_path, passphrase, instance, person).json
        enrolment = json.loads((tmp_path / f"{person}.enrolment.json").read_text())
        assert enrolment == {name: made[name] for name in ("person", "recipient", "desk")}
        roles = {"id": person, "name": person, "roles": ["investigator"], "unit": f"unit-{number}"}
        people.append({**roles, "recipient": enrolment["recipient"], "desk": enrolment["desk"]})
    (tmp_path / "draft.json").write_text(json.dumps(draft(people)))
    done = run(
        "root", "sign", "--root", tmp_path / "root.key", "--passphrase-file", passphrase,
        "--manifest-draft", tmp_path / "draft.json", "--out", tmp_path / "org", "--json",
    )  # fmt: skip
    assert done.json == {"instance": instance, "serial": 1}
    org = tmp_path / "org"
    assert sorted(path.name for path in org.iterdir()) == [
        "instance.id", "manifest.json", "manifest.sig",
    ]  # fmt: skip
    assert (org / "instance.id").read_text() == instance + "\n"
    manifest = verify_manifest(
        (org / "manifest.json").read_bytes(),
        (org / "manifest.sig").read_bytes(),
        bytes.fromhex(instance),
        date(2026, 5, 1),
    )
    assert [person.id for person in manifest.people] == ["penyidik-1", "penyidik-2"]


def test_keys_show(tmp_path: Path, passphrase: Path, instance: str) -> None:
    made = keys(tmp_path, passphrase, instance, "pengawas").json
    words = ("keys", "show", "--keystore", tmp_path / "pengawas.keystore")
    shown = run(*words, "--passphrase-file", passphrase, "--json").json
    assert (shown["desk"], shown["instance"]) == (made["desk"], instance)
    people = run(*words, "--passphrase-file", passphrase, "--lang", "id").out
    assert "Orang: pengawas" in people
    digits = shown["recipient_fingerprint"][:32]
    assert digits[:4] + " " + digits[4:8] in people


def test_private_keys_never_show(tmp_path: Path, passphrase: Path, instance: str) -> None:
    done = keys(tmp_path, passphrase, instance, "pengawas")
    assert "AGE-SECRET-KEY" not in done.out + done.err
    stored = (tmp_path / "pengawas.keystore").read_bytes()
    assert b"pengawas" not in stored
    for name in ("pengawas.keystore", "root.key"):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0


@pytest.mark.slow
def test_nothing_is_overwritten(tmp_path: Path, passphrase: Path, instance: str) -> None:
    keys(tmp_path, passphrase, instance, "pengawas")
    before = (tmp_path / "pengawas.keystore").read_bytes()
    again = keys(tmp_path, passphrase, instance, "pengawas")
    assert again.code == 2
    (tmp_path / "pengawas.enrolment.json").unlink()
    assert keys(tmp_path, passphrase, instance, "pengawas").code == 2
    assert (tmp_path / "pengawas.keystore").read_bytes() == before
    root = ("root", "new", "--out", tmp_path / "root.key", "--passphrase-file", passphrase)
    assert run(*root, *CHEAP).code == 2


@pytest.mark.parametrize("text", ["", "00", "zz" * 32, "00" * 33])
def test_wrong_instance(tmp_path: Path, passphrase: Path, text: str) -> None:
    done = keys(tmp_path, passphrase, text, "pengawas")
    assert done.code == 2
    assert not (tmp_path / "pengawas.keystore").exists()


@pytest.mark.parametrize(
    "more", [("--memory-mib", "1"), ("--memory-mib", "5000"), ("--person", "x" * 64)]
)
def test_settings_out_of_range(
    tmp_path: Path, passphrase: Path, instance: str, more: tuple[str, str]
) -> None:
    assert keys(tmp_path, passphrase, instance, "pengawas", *more).code == 2
    assert not (tmp_path / "pengawas.keystore").exists()


def test_weak_passphrase(tmp_path: Path, instance: str) -> None:
    weak = tmp_path / "weak"
    weak.write_text("pendek")
    done = keys(tmp_path, weak, instance, "pengawas")
    assert done.code == 2
    assert "at least 12" in done.err


BAD_DRAFTS: dict[str, Any] = {
    "not json": "{",
    "a list": "[]",
    "no serial": json.dumps({**draft([]), "serial": "1"}),
    "nobody": json.dumps(draft([])),
    "a float": json.dumps({**draft([]), "serial": 1.5}),
    "ends before it begins": json.dumps({**draft([]), "not_after": "2025-01-01"}),
}


@pytest.mark.parametrize("name", BAD_DRAFTS)
def test_a_bad_draft_is_not_signed(
    tmp_path: Path, passphrase: Path, instance: str, name: str
) -> None:
    del instance
    (tmp_path / "draft.json").write_text(BAD_DRAFTS[name])
    done = run(
        "root", "sign", "--root", tmp_path / "root.key", "--passphrase-file", passphrase,
        "--manifest-draft", tmp_path / "draft.json", "--out", tmp_path / "org",
    )  # fmt: skip
    assert done.code == 2
    assert not (tmp_path / "org" / "manifest.sig").exists()


def test_a_keystore_is_not_a_root_key(tmp_path: Path, passphrase: Path, instance: str) -> None:
    keys(tmp_path, passphrase, instance, "pengawas")
    (tmp_path / "draft.json").write_text(json.dumps(draft([])))
    done = run(
        "root", "sign", "--root", tmp_path / "pengawas.keystore", "--passphrase-file", passphrase,
        "--manifest-draft", tmp_path / "draft.json", "--out", tmp_path / "org",
    )  # fmt: skip
    assert done.code == 4


def test_an_onion_key_is_made_once_and_gets_its_address_later(tmp_path: Path) -> None:
    flags = ("--person", "penyidik-1", "--out", tmp_path, "--json", "--lang", "en")
    first = run("keys", "onion", *flags).json
    assert first["auth_private"] is None
    public = Path(first["public"])
    assert public.read_text().startswith("descriptor:x25519:")
    before = public.read_text()
    address = encode_address(bytes(range(32)))
    second = run("keys", "onion", *flags, "--address", address).json
    assert public.read_text() == before
    private = Path(second["auth_private"])
    assert private.read_text().startswith(f"{address.removesuffix('.onion')}:descriptor:x25519:")
    for secret in (private, tmp_path / "penyidik-1.onion-key"):
        assert secret.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "flags", [("--person", "../x"), ("--person", "x", "--address", "abc.onion")]
)
def test_a_wrong_name_or_address_is_explained(tmp_path: Path, flags: tuple[str, ...]) -> None:
    done = run("keys", "onion", *flags, "--out", tmp_path, "--json", "--lang", "en")
    assert done.code == 2
