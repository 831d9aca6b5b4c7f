# SPDX-License-Identifier: AGPL-3.0-or-later
"""What publishers and auditors do as whole steps: draft, submit, reveal, fetch openings.

Invariants
* Everything fetched is verified here before it counts (figures.py, trust.py).
* Cards are opened on the publisher's computer and leave it only as suppressed tables.
* A release is handed in file by file and judged by the server as a whole; the folder is the same
  for everybody who signs it.

Specification: docs/spec/desk.md, docs/spec/case-api.md section 6.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from case_mgmt.desk.cards import open_card
from case_mgmt.desk.errors import OpeningError
from crypto.encoding import b64, parse_day, parse_json, unb64, unhex
from crypto.errors import CryptoError
from crypto.manifest import Manifest
from crypto.private.keystore import Identity
from crypto.promise import commitment_of
from crypto.receipt import derive, parse_receipt
from crypto.tlog.policy import parse_policy
from whistle.desk.client import CaseClient
from whistle.desk.errors import GateRefusedError, UnreachableError, UsageError
from whistle.desk.figures import (
    Canaries,
    Office,
    Plan,
    VerifiedLog,
    carded,
    check_canaries,
    compose,
    first_day,
    verify_log,
)
from whistle.desk.trust import Organisation
from whistle.release.inputs import EarlierRelease, ReleaseInputs

_MAX_FILE: Final = 16 * 1024 * 1024
_CASE: Final = 16
_SECRET: Final = 32


@dataclass(frozen=True)
class Draft:
    """What `publish draft` was asked for."""

    id: str
    canaries: Canaries
    reason: str | None


@dataclass(frozen=True)
class Fetched:
    """The answer to GET /v1/publication, verified."""

    log: VerifiedLog
    office: Office
    releases: tuple[tuple[str, str], ...]
    """Id and digest of each release, oldest first."""


class Publishing:
    """One publisher's or auditor's steps on one case server."""

    def __init__(self, client: CaseClient, identity: Identity) -> None:
        self._client = client
        self._identity = identity

    async def fetch(self, organisation: Organisation) -> Fetched:
        """The log and what is out.  Raises: UnreachableError, GateRefusedError, KeysError."""
        answer = await self._client.get("/v1/publication")
        try:
            files = {str(name): unb64(each) for name, each in answer["files"].items()}
            entries = [unb64(each) for each in answer["entries"]]
            releases = tuple((str(each["id"]), str(each["sha256"])) for each in answer["releases"])
            note = str(answer["note"])
            _require_files(files, organisation.manifest)
            log = verify_log(note, entries, parse_policy(files["log-policy.txt"]))
        except (CryptoError, LookupError, TypeError, AttributeError) as error:
            raise UnreachableError("desk.error.bad_answer") from error
        office = Office(self._identity.instance_id, files, organisation.catalogue)
        return Fetched(log, office, releases)

    async def draft(self, organisation: Organisation, draft: Draft) -> ReleaseInputs:
        """Everything the release is made of."""
        fetched = await self.fetch(organisation)
        check_canaries(fetched.log, draft.canaries)
        earlier, last = await self._earlier(fetched)
        cards = await self._cards(organisation.manifest)
        plan = Plan(draft.id, earlier, first_day(fetched.log, last), draft.reason)
        counted = carded(fetched.log.cases, cards)
        return compose(fetched.office, fetched.log, counted, draft.canaries, plan)

    async def submit(self, folder: Path) -> str:
        """Hand a signed release in; its id."""
        release = folder_id(folder)
        for name, content in _files(folder):
            await self._client.post(
                f"/v1/publication/releases/{release}/files",
                {"path": name, "content": b64(content)},
            )
        await self._client.post(f"/v1/publication/releases/{release}", {})
        return release

    async def openings(self) -> Any:
        """What is behind the follow-up leaves, for an auditor."""
        return await self._client.get("/v1/publication/openings")

    async def reveal(self, organisation: Organisation, codes: Iterable[str]) -> dict[bytes, bytes]:
        """The auditor's own reports, found in the log by their receipts."""
        fetched = await self.fetch(organisation)
        cases = {case.commitment: case.pseudonym for case in fetched.log.cases}
        found: dict[bytes, bytes] = {}
        for code in codes:
            try:
                keys = derive(parse_receipt(code), self._identity.instance_id)
            except CryptoError as error:
                raise UsageError("desk.publish.code_wrong") from error
            case = cases.get(commitment_of(keys.log_secret))
            if case is not None:
                found[case] = keys.log_secret
        return found

    async def _earlier(self, fetched: Fetched) -> tuple[tuple[EarlierRelease, ...], date | None]:
        found: list[EarlierRelease] = []
        last: date | None = None
        for release, digest in fetched.releases:
            figures = await self._json(release, "data/figures.json")
            tables = await self._json(release, "data/tables.json")
            about = await self._json(release, "release.json")
            found.append(EarlierRelease(release, digest, figures, tables))
            last = parse_day(about["period"]["to"])
        return tuple(found), last

    async def _json(self, release: str, path: str) -> Mapping[str, Any]:
        answer = await self._client.get(f"/v1/publication/releases/{release}/{path}")
        try:
            value = parse_json(unb64(answer["content"]), max_bytes=_MAX_FILE)
        except (CryptoError, LookupError, TypeError) as error:
            raise UnreachableError("desk.error.bad_answer") from error
        if not isinstance(value, dict):
            raise UnreachableError("desk.error.bad_answer")
        return value

    async def _cards(self, manifest: Manifest) -> dict[bytes, dict[str, str]]:
        found: dict[bytes, dict[str, str]] = {}
        after = "start"
        while True:
            answer = await self._client.get(f"/v1/publication/cards/{after}")
            listed = answer["cards"]
            if not listed:
                return found
            for each in listed:
                after = str(each["case"])
                opened = self._open(unb64(each["container"]), manifest)
                if opened is not None:
                    found[unhex(after, _CASE)] = opened

    def _open(self, container: bytes, manifest: Manifest) -> dict[str, str] | None:
        try:
            return open_card(self._identity.recipient_seed, container, manifest)
        except (OpeningError, CryptoError):
            return None


def read_canaries(path: Path) -> dict[bytes, bytes]:
    """A canaries.json.  Raises: UsageError."""
    try:
        value = parse_json(path.read_bytes(), max_bytes=_MAX_FILE)
        return {
            unhex(each["case"], _CASE): unhex(each["secret"], _SECRET) for each in value["revealed"]
        }
    except (OSError, CryptoError, LookupError, TypeError) as error:
        raise UsageError("desk.publish.canaries_file", file=path.name) from error


def folder_id(folder: Path) -> str:
    """The id of the release in a folder.  Raises: UsageError."""
    try:
        value = parse_json((folder / "release.json").read_bytes(), max_bytes=_MAX_FILE)
        return str(value["id"])
    except (OSError, CryptoError, LookupError, TypeError) as error:
        raise UsageError("desk.publish.folder", file=folder.name) from error


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        yield path.relative_to(folder).as_posix(), path.read_bytes()


def _require_files(files: Mapping[str, bytes], manifest: Manifest) -> None:
    """The files a release carries are those this desk has verified or can verify now."""
    for name in ("policy.json", "log-policy.txt"):
        if hashlib.sha256(files[name]).hexdigest() != manifest.files.get(name):
            raise GateRefusedError("desk.publish.log_differs")
