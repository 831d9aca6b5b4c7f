# SPDX-License-Identifier: AGPL-3.0-or-later
"""The two signatures of a release.

Invariants
* Two different people sign, one of them a publisher; nobody signs twice.
* What is signed is SHA-256(release.json), which names every other file by its hash; `sign` refuses
  a folder whose files are others.
* Who may sign is what the manifest in the folder says; that it is the organisation's manifest, the
  caller of `verify_signatures` has verified (crypto.manifest).

Source: docs/spec/release.md section 4.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crypto import jsonfields as read
from crypto.domains import Domain
from crypto.encoding import b64, canonical_json, parse_json, unb64
from crypto.errors import AuthenticationError, MalformedError
from crypto.manifest import ManifestContent, Person, parse_content
from crypto.signing import PUBLIC, public_from_seed, verify
from crypto.signing import sign as sign_bytes
from whistle.release.errors import FolderError, SignatureError
from whistle.release.folder import SIGNATURES, check_folder, release_digest

PUBLISHER: Final = "publisher"
SIGNING_ROLES: Final = frozenset({PUBLISHER, "supervisor", "auditor"})
SIGNERS: Final = 2
MAX_SIGNATURES_FILE: Final = 4096  # bytes


@dataclass(frozen=True)
class ReleaseSignature:
    """One person's word for a release."""

    person: str
    key: bytes
    signature: bytes


def sign(folder: Path, person_id: str, desk_seed: bytes) -> None:
    """Add a person's signature to `release.sig`.

    Raises SignatureError (may not sign, or signed already), FolderError (files were changed).
    """
    check_folder(folder)
    manifest = _manifest(folder)
    public = public_from_seed(desk_seed)
    person = _person(manifest, public)
    if person.id != person_id:
        raise SignatureError("this desk key belongs to somebody else")
    signatures = read_signatures(folder)
    if any(each.person == person_id for each in signatures):
        raise SignatureError(f"{person_id} has signed this release already")
    if len(signatures) >= SIGNERS:
        raise SignatureError("this release has its two signatures")
    made = sign_bytes(desk_seed, Domain.RELEASE, release_digest(folder))
    both = (*signatures, ReleaseSignature(person_id, public, made))
    if len(both) == SIGNERS:
        _check_signers([_person(manifest, each.key) for each in both])
    _write(folder, both)


def read_signatures(folder: Path) -> tuple[ReleaseSignature, ...]:
    """The signatures there are, unverified; none if the file is missing.  Raises SignatureError."""
    try:
        data = (folder / SIGNATURES).read_bytes()
    except FileNotFoundError:
        return ()
    try:
        source = read.members(parse_json(data, max_bytes=MAX_SIGNATURES_FILE))
        if set(source) != {"v", "signatures"} or read.integer(source, "v") != 1:
            raise MalformedError("release.sig of an unknown version")
        return tuple(_signature(each) for each in read.items(source, "signatures", SIGNERS))
    except MalformedError as error:
        raise SignatureError("release.sig is malformed") from error


def verify_signatures(folder: Path, manifest: ManifestContent) -> tuple[Person, ...]:
    """Return the two people who signed this folder's release.json.

    Raises SignatureError.  The other files are `check_folder`'s business.
    """
    signatures = read_signatures(folder)
    if len(signatures) != SIGNERS:
        raise SignatureError("a release needs two signatures")
    digest = release_digest(folder)
    people = []
    for each in signatures:
        person = _person(manifest, each.key)
        if person.id != each.person:
            raise SignatureError("a signature names somebody else than its key")
        try:
            verify(each.key, each.signature, Domain.RELEASE, digest)
        except AuthenticationError as error:
            raise SignatureError("a signature does not fit release.json") from error
        people.append(person)
    _check_signers(people)
    return tuple(people)


def _check_signers(people: Sequence[Person]) -> None:
    if len({person.id for person in people}) != SIGNERS:
        raise SignatureError("a release needs the signatures of two different people")
    if not any(PUBLISHER in person.roles for person in people):
        raise SignatureError("one of the two must be a publisher")


def _person(manifest: ManifestContent, public: bytes) -> Person:
    person = manifest.person_by_desk_key(public)
    if person is None:
        raise SignatureError("the manifest names nobody with this key")
    if SIGNING_ROLES.isdisjoint(person.roles):
        raise SignatureError(f"{person.id} has no role that signs releases")
    return person


def _manifest(folder: Path) -> ManifestContent:
    try:
        return parse_content((folder / "manifest.json").read_bytes())
    except (OSError, MalformedError) as error:
        raise FolderError("no readable manifest") from error


def _signature(value: object) -> ReleaseSignature:
    source = read.members(value)
    if set(source) != {"person", "key", "signature"}:
        raise MalformedError("not a signature")
    return ReleaseSignature(
        read.text(source, "person", 63),
        read.hexadecimal(source, "key", PUBLIC),
        unb64(read.text(source, "signature", 200)),
    )


def _write(folder: Path, signatures: Sequence[ReleaseSignature]) -> None:
    entries = [
        {"person": each.person, "key": each.key.hex(), "signature": b64(each.signature)}
        for each in signatures
    ]
    part = folder.with_name(f".{folder.name}.sig.part")
    part.write_bytes(canonical_json({"v": 1, "signatures": entries}))
    part.rename(folder / SIGNATURES)
