# SPDX-License-Identifier: AGPL-3.0-or-later
"""The signed manifest: who can open reports, which keys speak for which service.

Invariants:
- bytes are verified before they are parsed, and are canonical JSON;
- a `Manifest` comes from `verify_manifest`; what is about to be signed is a `ManifestContent`;
- person ids, recipient keys and Ed25519 keys are each used once, former keys included;
- a former key tells who signed an old act; it never makes anybody a person of the manifest;
- whichever unit a report accuses, somebody outside that unit can open it, and never more than 16.

Source: docs/spec/envelope.md section 11.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final, NamedTuple

from crypto import jsonfields as read
from crypto.age.writer import MAX_RECIPIENTS
from crypto.domains import Domain
from crypto.encoding import canonical_json, label, parse_day, parse_json
from crypto.errors import AuthenticationError, MalformedError, ManifestError
from crypto.signing import PUBLIC, verify
from crypto.words import LANGUAGES, SECRET, Language, encode_words
from crypto.xwing import Recipient

VERSION: Final = 1
MAX_MANIFEST: Final = 524288  # bytes
MAX_PEOPLE: Final = 100
MAX_FORMER: Final = 400
OPENING_ROLES: Final = frozenset({"investigator", "supervisor"})
_MAX_TEXT: Final = 200
_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_FILE: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_ONION: Final = re.compile(r"[a-z2-7]{56}\.onion")


@dataclass(frozen=True)
class Person:
    """Somebody with a desk."""

    id: str
    name: str
    roles: tuple[str, ...]
    unit: str
    recipient: Recipient
    desk_public: bytes

    @property
    def opens_reports(self) -> bool:
        """Whether reports are sealed to this person."""
        return not OPENING_ROLES.isdisjoint(self.roles)


@dataclass(frozen=True)
class FormerKey:
    """An Ed25519 key that an earlier manifest named; it still verifies what was signed then."""

    id: str
    """The person, or the service, whose key it was; the person may have left."""
    public: bytes
    until_serial: int
    """The last manifest that had it in force."""


class Signer(NamedTuple):
    """Whose key it is, and whether it is no longer in force."""

    id: str
    is_former: bool


@dataclass(frozen=True)
class ManifestContent:
    """What a manifest says, whether or not anybody has signed it."""

    serial: int
    not_before: date
    not_after: date
    name: Mapping[str, str]
    demo: bool
    people: tuple[Person, ...]
    services: Mapping[str, bytes]
    files: Mapping[str, str]
    onion: str | None
    former: tuple[FormerKey, ...] = ()
    former_services: tuple[FormerKey, ...] = ()

    def recipients_for(self, accused_unit: str | None) -> tuple[Person, ...]:
        """Return the people a report is sealed to when it accuses this unit."""
        return tuple(
            person
            for person in self.people
            if person.opens_reports and (accused_unit is None or person.unit != accused_unit)
        )

    def person_by_desk_key(self, public: bytes) -> Person | None:
        """Return whose desk signs with this key."""
        return next((each for each in self.people if each.desk_public == public), None)

    def signer(self, public: bytes) -> Signer | None:
        """Return whose desk signs, or once signed, with this key: to verify old acts only."""
        person = self.person_by_desk_key(public)
        if person is not None:
            return Signer(person.id, is_former=False)
        return _former(self.former, public)

    def service_signer(self, public: bytes) -> Signer | None:
        """Return which service signs, or once signed, with this key."""
        for name, key in self.services.items():
            if key == public:
                return Signer(name, is_former=False)
        return _former(self.former_services, public)


@dataclass(frozen=True, kw_only=True)
class Manifest(ManifestContent):
    """A manifest whose signature, serial and dates `verify_manifest` has checked."""

    instance_id: bytes


def verify_manifest(
    data: bytes, signature: bytes, instance_id: bytes, today: date, min_serial: int = 0
) -> Manifest:
    """Return the manifest, or raise `ManifestError`.

    (1) The root key signed these bytes. (2) They are a manifest. (3) It is not older than one seen
    before. (4) It is valid today. (5) Keys and ids are distinct, former keys belong to earlier
    manifests, and whichever unit is accused, 1 to 16 people remain.
    """
    # Step 1 of the list above.
    try:
        verify(instance_id, signature, Domain.MANIFEST, data)
    except AuthenticationError as error:
        raise ManifestError("manifest is not signed by this organisation") from error
    # Step 2 of the list above.
    try:
        content = parse_canonical(data)
    except MalformedError as error:
        raise ManifestError("manifest is malformed") from error
    # Step 3 of the list above.
    if content.serial < min_serial:
        raise ManifestError("manifest is older than one seen before")
    # Step 4 of the list above.
    if not content.not_before <= today <= content.not_after:
        raise ManifestError("manifest is not valid today")
    # Step 5 of the list above.
    check_content(content)
    values = {each.name: getattr(content, each.name) for each in fields(content)}
    return Manifest(**values, instance_id=instance_id)


def parse_content(data: bytes) -> ManifestContent:
    """Parse a manifest's bytes, or a draft's; nothing about them is trusted yet."""
    source = read.members(parse_json(data, max_bytes=MAX_MANIFEST))
    if read.integer(source, "v") != VERSION:
        raise MalformedError("manifest of an unknown version")
    onion = read.optional_text(source, "onion", _MAX_TEXT)
    if onion is not None and _ONION.fullmatch(onion) is None:
        raise MalformedError("not an onion address")
    name = read.members(source.get("name"))
    services = read.members(source.get("services"))
    files = read.members(source.get("files"))
    return ManifestContent(
        serial=read.integer(source, "serial"),
        not_before=parse_day(source.get("not_before")),
        not_after=parse_day(source.get("not_after")),
        name={language: read.text(name, language, _MAX_TEXT) for language in LANGUAGES},
        demo=read.boolean(source, "demo"),
        people=tuple(_person(each) for each in read.items(source, "people", MAX_PEOPLE)),
        services={key: read.hexadecimal(services, key, PUBLIC) for key in _named(services, _ID)},
        files={key: read.hexadecimal(files, key, 32).hex() for key in _named(files, _FILE)},
        onion=onion,
        former=_former_keys(source, "former", "desk"),
        former_services=_former_keys(source, "former_services", "key"),
    )


def parse_canonical(data: bytes) -> ManifestContent:
    """Parse what is, or is about to be, signed: one manifest has one encoding."""
    content = parse_content(data)
    if canonical_json(parse_json(data, max_bytes=MAX_MANIFEST)) != data:
        raise MalformedError("manifest is not canonical JSON")
    return content


def check_content(content: ManifestContent) -> None:
    """Raise `ManifestError` unless the rules hold that no single entry can show."""
    people = content.people
    former = (*content.former, *content.former_services)
    signing = [*(each.desk_public for each in people), *content.services.values()]
    signing += [each.public for each in former]
    _require_distinct([each.id for each in people], "person id")
    _require_distinct([each.recipient.raw for each in people], "recipient key")
    _require_distinct(signing, "signing key")
    if not all(each.until_serial < content.serial for each in former):
        raise ManifestError("a former key is said to be still in force")
    if content.not_before > content.not_after:
        raise ManifestError("manifest ends before it begins")
    if len(content.recipients_for(None)) > MAX_RECIPIENTS:
        raise ManifestError("more people open reports than a container can name")
    for unit in (None, *(each.unit for each in people)):
        if not content.recipients_for(unit):
            raise ManifestError("a report about some unit would have no recipient")


def instance_fingerprint_words(instance_id: bytes, language: Language) -> tuple[str, ...]:
    """Return the twelve words by which people compare an organisation's root key."""
    digest = hashlib.sha256(label(Domain.INSTANCE_FINGERPRINT, instance_id)).digest()
    return encode_words(digest[:SECRET], language)


def _person(value: Any) -> Person:
    source = read.members(value)
    roles = read.items(source, "roles", 8)
    if not all(isinstance(role, str) and _ID.fullmatch(role) for role in roles):
        raise MalformedError("not a role")
    return Person(
        id=_identifier(source, "id"),
        name=read.text(source, "name", _MAX_TEXT),
        roles=tuple(roles),
        unit=_identifier(source, "unit"),
        recipient=Recipient.from_age(read.text(source, "recipient", 2000)),
        desk_public=read.hexadecimal(source, "desk", PUBLIC),
    )


def _former_keys(source: Mapping[str, Any], name: str, key: str) -> tuple[FormerKey, ...]:
    """Read a list that may be absent but not null; its entries have these members and no others."""
    if name not in source:
        return ()
    return tuple(_former_key(each, key) for each in read.items(source, name, MAX_FORMER))


def _former_key(value: Any, key: str) -> FormerKey:
    source = read.members(value)
    if set(source) != {"id", key, "until_serial"}:
        raise MalformedError("not a former key")
    return FormerKey(
        id=_identifier(source, "id"),
        public=read.hexadecimal(source, key, PUBLIC),
        until_serial=read.integer(source, "until_serial"),
    )


def _former(keys: Iterable[FormerKey], public: bytes) -> Signer | None:
    found = next((each for each in keys if each.public == public), None)
    return None if found is None else Signer(found.id, is_former=True)


def _identifier(source: Mapping[str, Any], key: str) -> str:
    text = read.text(source, key, 63)
    if _ID.fullmatch(text) is None:
        raise MalformedError("not an identifier")
    return text


def _named(source: Mapping[str, Any], pattern: re.Pattern[str]) -> Iterable[str]:
    if len(source) > MAX_PEOPLE or not all(pattern.fullmatch(key) for key in source):
        raise MalformedError("not a name")
    return source


def _require_distinct(values: list[Any], what: str) -> None:
    if len(set(values)) != len(values):
        raise ManifestError(f"a {what} is used twice")
