# SPDX-License-Identifier: AGPL-3.0-or-later
"""Targets: documents that lie in folders and are fetched by programs, signed or about to be."""

import hashlib
from datetime import date

from case_mgmt.catalogue import demo_catalogue, parse_catalogue
from case_mgmt.errors import CaseError
from case_mgmt.policy import default_policy, parse_policy
from crypto.errors import AuthenticationError, MalformedError
from crypto.handover import Handover, verify_handover
from crypto.signing import public_from_seed
from tests.fuzz.target import Target, chosen, fixed, require, ways
from whistle.backup.errors import DamageError
from whistle.backup.listing import (
    OpenList,
    SealedList,
    StoredFile,
    check_path,
    parse_open_list,
    parse_sealed_list,
)
from whistle.sitefiles import SiteFile, SiteList, parse_list

OLD, NEW = fixed("old root"), fixed("new root")
DAY = date(2026, 4, 7)
HEX32 = "0f" * 32
OUTER = OpenList(
    number=3, previous=HEX32, day=DAY, instance=fixed("instance").hex(), signer="cases",
    parts=("cases", "org"), index=HEX32, objects={HEX32: 9, "aa" * 32: 1},
)  # fmt: skip


def organisation(data: bytes) -> None:
    """Policy, catalogue, list of a site, hand-over of a root key."""
    way, data = chosen(data, 4)
    if way == 0:
        policy = parse_policy(data)
        require(parse_policy(policy.to_json()) == policy, "a policy changes on its way")
    elif way == 1:
        catalogue = parse_catalogue(data)
        require(parse_catalogue(catalogue.to_json()) == catalogue, "a catalogue changes")
    elif way == 2:
        require(parse_list(data).encode() == data, "a list has two forms")
    else:
        found = verify_handover(data, public_from_seed(OLD))
        require(found.new == public_from_seed(NEW), "a stranger follows")


def documents() -> list[bytes]:
    """One of each."""
    listed = SiteList(4, (SiteFile("/en/a.html", HEX32, 3), SiteFile("/x.css", HEX32, 0)))
    handed = Handover(public_from_seed(OLD), public_from_seed(NEW), DAY, "planned")
    return ways(
        [default_policy(2026, 2026).to_json()],
        [demo_catalogue().to_json()],
        [listed.encode()],
        [handed.document(OLD, NEW)],
    )


def backup_lists(data: bytes) -> None:
    """The open list has one form; the sealed one, which anybody may have sealed, stays in place."""
    way, data = chosen(data, 2)
    if way == 0:
        require(parse_open_list(data).encode() == data, "an open list has two forms")
        return
    for file in parse_sealed_list(data, OUTER).files:
        path = check_path(file.path)
        require(not path.is_absolute() and ".." not in path.parts, "a path climbs")
        require(path.parts[0] in OUTER.parts, "a path outside of what was kept")
        require(set(file.objects) <= set(OUTER.objects), "an object nobody signed")


def lists() -> list[bytes]:
    """Of a small backup."""
    digest = hashlib.sha256(b"x").hexdigest()
    file = StoredFile("cases/blobs/ab", 1, digest, (HEX32,))
    return ways([OUTER.encode()], [SealedList(3, (file,), {"cases": {"acts": 4}}).encode()])


TARGETS = (
    Target(
        "organisation", organisation, (CaseError, MalformedError, AuthenticationError), documents,
        (b'"v":1', b"null", b"true", b"[]", b"{}"), 8192,
    ),
    Target(
        "backup_lists", backup_lists, (DamageError, MalformedError), lists,
        (b'"v":1', b"../", b"/", b"null", b"[]"), 2048,
    ),
)  # fmt: skip
