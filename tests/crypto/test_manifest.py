# SPDX-License-Identifier: AGPL-3.0-or-later
"""The manifest: signed, current, newer than the last, and sound whoever is accused."""

import dataclasses
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from crypto import manifest as subject
from crypto.domains import Domain
from crypto.encoding import canonical_json, parse_json
from crypto.errors import MalformedError, ManifestError
from crypto.manifest import FormerKey, ManifestContent, Person, Signer, verify_manifest
from crypto.private.root import build_manifest_bytes, sign_manifest
from crypto.signing import public_from_seed, sign
from crypto.words import LANGUAGES
from crypto.xwing import recipient_from_seed
from tests.support.vectors import seed

ROOT = seed("root")
INSTANCE = public_from_seed(ROOT)
TODAY = date(2026, 11, 21)


def person(name: str, unit: str, *roles: str) -> Person:
    return Person(
        id=name,
        name=name.title(),
        roles=roles,
        unit=unit,
        recipient=recipient_from_seed(seed(f"{name}/recipient")),
        desk_public=public_from_seed(seed(f"{name}/desk")),
    )


CONTENT = ManifestContent(
    serial=7,
    not_before=date(2026, 1, 1),
    not_after=date(2026, 12, 31),
    name={"id": "Inspektorat", "en": "Inspectorate"},
    demo=True,
    people=(
        person("penyidik-1", "inspektorat-1", "investigator"),
        person("penyidik-2", "inspektorat-2", "investigator", "auditor"),
        person("pengawas", "inspektorat-pengaduan", "supervisor"),
        person("auditor", "inspektorat-1", "auditor"),
    ),
    services={"intake": public_from_seed(seed("intake")), "cases": public_from_seed(seed("c"))},
    files={"policy.json": "ab" * 32},
    onion="a" * 56 + ".onion",
)
DATA = build_manifest_bytes(CONTENT)
SIGNATURE = sign_manifest(ROOT, DATA)


def test_round_trip() -> None:
    manifest = verify_manifest(DATA, SIGNATURE, INSTANCE, TODAY)
    assert manifest.instance_id == INSTANCE
    assert manifest.people == CONTENT.people
    assert build_manifest_bytes(manifest) == DATA
    assert subject.parse_content(DATA) == CONTENT


def test_recipients_leave_out_the_accused_unit() -> None:
    def names(unit: str | None) -> list[str]:
        return [each.id for each in CONTENT.recipients_for(unit)]

    assert names(None) == ["penyidik-1", "penyidik-2", "pengawas"]
    assert names("inspektorat-1") == ["penyidik-2", "pengawas"]
    assert names("inspektorat-pengaduan") == ["penyidik-1", "penyidik-2"]
    assert names("kelurahan-lain") == names(None)


def test_person_by_desk_key() -> None:
    assert CONTENT.person_by_desk_key(CONTENT.people[1].desk_public) == CONTENT.people[1]
    assert CONTENT.person_by_desk_key(CONTENT.services["intake"]) is None


GONE = FormerKey("mantan", public_from_seed(seed("mantan/desk")), 3)
OLD = FormerKey("penyidik-1", public_from_seed(seed("penyidik-1/old desk")), 6)
OLD_CASES = FormerKey("cases", public_from_seed(seed("old c")), 6)
WITH_FORMER = dataclasses.replace(CONTENT, former=(GONE, OLD), former_services=(OLD_CASES,))


def test_former_keys_tell_who_signed_and_nothing_more() -> None:
    data = build_manifest_bytes(WITH_FORMER)
    manifest = verify_manifest(data, sign_manifest(ROOT, data), INSTANCE, TODAY)
    assert subject.parse_content(data) == WITH_FORMER
    assert manifest.signer(GONE.public) == Signer("mantan", is_former=True)
    assert manifest.signer(OLD.public) == Signer("penyidik-1", is_former=True)
    assert manifest.signer(CONTENT.people[0].desk_public) == ("penyidik-1", False)
    assert manifest.signer(OLD_CASES.public) is None
    assert manifest.service_signer(OLD_CASES.public) == ("cases", True)
    assert manifest.service_signer(CONTENT.services["cases"]) == ("cases", False)
    assert manifest.service_signer(GONE.public) is None
    for former in (GONE, OLD, OLD_CASES):
        assert manifest.person_by_desk_key(former.public) is None
        assert former.public not in manifest.services.values()
    assert "mantan" not in [each.id for each in manifest.recipients_for(None)]


def test_without_former_keys_the_bytes_say_nothing_of_them() -> None:
    assert b"former" not in DATA
    assert (subject.parse_content(DATA).former, CONTENT.former_services) == ((), ())


@pytest.mark.parametrize("day", [date(2026, 1, 1), date(2026, 12, 31)])
def test_first_and_last_day(day: date) -> None:
    assert verify_manifest(DATA, SIGNATURE, INSTANCE, day).serial == 7


@pytest.mark.parametrize("day", [date(2025, 12, 31), date(2027, 1, 1)])
def test_not_valid_today(day: date) -> None:
    with pytest.raises(ManifestError, match="today"):
        verify_manifest(DATA, SIGNATURE, INSTANCE, day)


def test_serial_never_goes_back() -> None:
    assert verify_manifest(DATA, SIGNATURE, INSTANCE, TODAY, min_serial=7).serial == 7
    with pytest.raises(ManifestError, match="older"):
        verify_manifest(DATA, SIGNATURE, INSTANCE, TODAY, min_serial=8)


BAD_SIGNATURES = {
    "other organisation": (DATA, SIGNATURE, public_from_seed(seed("x"))),
    "other signer": (DATA, sign(seed("x"), Domain.MANIFEST, DATA), INSTANCE),
    "other domain": (DATA, sign(ROOT, Domain.ACT_SIGNATURE, DATA), INSTANCE),
    "cut signature": (DATA, SIGNATURE[:-1], INSTANCE),
    "no signature": (DATA, b"", INSTANCE),
    "changed": (DATA.replace(b'"serial":7', b'"serial":8'), SIGNATURE, INSTANCE),
    "white space": (DATA + b"\n", SIGNATURE, INSTANCE),
    "nonsense instance": (DATA, SIGNATURE, b"x"),
}


@pytest.mark.parametrize(
    ("data", "signature", "instance"), BAD_SIGNATURES.values(), ids=BAD_SIGNATURES
)
def test_bad_signature(data: bytes, signature: bytes, instance: bytes) -> None:
    with pytest.raises(ManifestError, match="signed"):
        verify_manifest(data, signature, instance, TODAY)


def changed(**changes: Any) -> bytes:
    return canonical_json({**parse_json(DATA, max_bytes=len(DATA)), **changes})


def changed_person(**changes: Any) -> bytes:
    people = parse_json(DATA, max_bytes=len(DATA))["people"]
    return changed(people=[{**people[0], **changes}, *people[1:]])


FORMER = {"id": "mantan", "desk": "ab" * 32, "until_serial": 3}
MALFORMED = {
    "empty": b"",
    "list": b"[]",
    "duplicate key": DATA.replace(b'"v":1', b'"v":1,"v":1'),
    "too large": DATA + b" " * subject.MAX_MANIFEST,
    "version": changed(v=2),
    "serial negative": changed(serial=-1),
    "serial text": changed(serial="7"),
    "first day": changed(not_before="2026-1-1"),
    "last day": changed(not_after=None),
    "name text": changed(name="x"),
    "name in one language": changed(name={"id": "x"}),
    "demo": changed(demo=0),
    "people": changed(people={}),
    "a person": changed(people=["x"]),
    "services": changed(services=[]),
    "service name": changed(services={"In take": "00" * 32}),
    "service key": changed(services={"intake": "00" * 31}),
    "too many services": changed(services={f"s{n}": "00" * 32 for n in range(101)}),
    "files": changed(files=None),
    "file name": changed(files={"../policy.json": "00" * 32}),
    "file hash": changed(files={"policy.json": "zz" * 32}),
    "onion": changed(onion="example.org"),
    "onion with path": changed(onion="a" * 56 + ".onion/x"),
    "onion number": changed(onion=1),
    "person id": changed_person(id="Penyidik 1"),
    "person id empty": changed_person(id=""),
    "person id missing": changed_person(id=None),
    "person name": changed_person(name=["x"]),
    "roles": changed_person(roles="investigator"),
    "role": changed_person(roles=["Investigator"]),
    "role number": changed_person(roles=[1]),
    "unit": changed_person(unit="/"),
    "recipient": changed_person(recipient="age1pq1x"),
    "desk key": changed_person(desk="00"),
    "former null": changed(former=None),
    "former object": changed(former={}),
    "too many former": changed(former=[FORMER] * (subject.MAX_FORMER + 1)),
    "former text": changed(former=["x"]),
    "former id": changed(former=[{**FORMER, "id": "Mantan"}]),
    "former key": changed(former=[{**FORMER, "desk": "00"}]),
    "former serial": changed(former=[{**FORMER, "until_serial": "3"}]),
    "former without serial": changed(former=[{"id": "mantan", "desk": "ab" * 32}]),
    "former with more": changed(former=[{**FORMER, "name": "x"}]),
    "former service with a desk": changed(former_services=[FORMER]),
    "former services null": changed(former_services=None),
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_malformed_though_signed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        subject.parse_content(data)
    with pytest.raises(ManifestError, match="malformed"):
        verify_manifest(data, sign(ROOT, Domain.MANIFEST, data), INSTANCE, TODAY)


def people(*given: Person) -> Callable[[ManifestContent], ManifestContent]:
    return lambda content: dataclasses.replace(content, people=given)


def former(*keys: FormerKey) -> Callable[[ManifestContent], ManifestContent]:
    return lambda content: dataclasses.replace(content, former=keys)


ONE, TWO, BOSS, AUDITOR = CONTENT.people
MANY = tuple(person(f"p-{n}", f"unit-{n}", "investigator") for n in range(17))
UNSOUND: dict[str, Callable[[ManifestContent], ManifestContent]] = {
    "nobody": people(),
    "nobody who opens": people(AUDITOR),
    "one alone": people(ONE),
    "all in one unit": people(ONE, dataclasses.replace(TWO, unit=ONE.unit)),
    "seventeen": people(*MANY),
    "the same id": people(ONE, dataclasses.replace(TWO, id=ONE.id), BOSS),
    "the same recipient": people(ONE, dataclasses.replace(TWO, recipient=ONE.recipient), BOSS),
    "the same desk": people(ONE, dataclasses.replace(TWO, desk_public=ONE.desk_public), BOSS),
    "a desk that is a service": lambda content: dataclasses.replace(
        content, services={"intake": ONE.desk_public}
    ),
    "two services with one key": lambda content: dataclasses.replace(
        content, services={"intake": INSTANCE, "cases": INSTANCE}
    ),
    "a former key that is somebody's": former(dataclasses.replace(OLD, public=TWO.desk_public)),
    "a former key that is a service's": former(
        dataclasses.replace(OLD, public=CONTENT.services["cases"])
    ),
    "a former key twice": former(OLD, dataclasses.replace(GONE, public=OLD.public)),
    "a former key of this serial": former(dataclasses.replace(OLD, until_serial=7)),
    "a former key of a person and of a service": lambda content: dataclasses.replace(
        content, former=(OLD,), former_services=(dataclasses.replace(OLD_CASES, public=OLD.public),)
    ),
    "ends before it begins": lambda content: dataclasses.replace(
        content, not_after=content.not_before - timedelta(days=1)
    ),
}


@pytest.mark.parametrize("change", UNSOUND.values(), ids=UNSOUND)
def test_unsound(change: Callable[[ManifestContent], ManifestContent]) -> None:
    with pytest.raises(ManifestError):
        subject.check_content(change(CONTENT))
    with pytest.raises(ManifestError):
        build_manifest_bytes(change(CONTENT))


def test_unsound_though_signed() -> None:
    whole = parse_json(DATA, max_bytes=len(DATA))
    data = canonical_json({**whole, "people": whole["people"][:1]})
    with pytest.raises(ManifestError, match="recipient"):
        verify_manifest(data, sign(ROOT, Domain.MANIFEST, data), INSTANCE, TODAY)
    with pytest.raises(ManifestError):
        sign_manifest(ROOT, data)


def test_sixteen_are_enough() -> None:
    subject.check_content(people(*MANY[:16])(CONTENT))


def test_fingerprint_words() -> None:
    words = {subject.instance_fingerprint_words(INSTANCE, language) for language in LANGUAGES}
    assert all(len(each) == 12 for each in words)
    assert subject.instance_fingerprint_words(seed("x"), "id") not in words
