# SPDX-License-Identifier: AGPL-3.0-or-later
"""A bundle's head has one form, and its signature holds the parts together."""

import json
from dataclasses import replace
from typing import Any

import pytest

from crypto.bundle import (
    MAX_HEAD,
    BundleBlob,
    BundleHead,
    head_length,
    parse_head,
    sign_bundle,
)
from crypto.encoding import canonical_json
from crypto.errors import AuthenticationError, CryptoError, MalformedError
from crypto.signing import public_from_seed

SEED, INSTANCE, THREAD, CONTAINER = bytes(range(32)), bytes(32), bytes(16), b"container"
HEAD = BundleHead(
    lookup_id=THREAD,
    auth_public=public_from_seed(SEED),
    signature=sign_bundle(SEED, INSTANCE, THREAD, CONTAINER),
    mailbox_key=bytes(32),
    dossier=b"d" * 300,
    recipients=("penyidik-1", "pengawas"),
    container=len(CONTAINER),
    blobs=(BundleBlob("00" * 16, 67195), BundleBlob("01" * 16, 5)),
    commitment=bytes(32),
)


def test_round_trip() -> None:
    data = HEAD.encode()
    length = head_length(data[:8])
    assert length == len(data) - 8
    assert parse_head(data[8:]) == HEAD
    assert HEAD.total == len(data) + len(CONTAINER) + 67195 + 5


def test_signature_names_organisation_thread_and_container() -> None:
    HEAD.verify(INSTANCE, CONTAINER)
    for instance, container in ((b"\x01" * 32, CONTAINER), (INSTANCE, b"another")):
        with pytest.raises(AuthenticationError):
            HEAD.verify(instance, container)


def test_commitment_may_be_absent() -> None:
    head = replace(HEAD, commitment=None)
    assert parse_head(head.encode()[8:]) == head


def changed(**members: Any) -> bytes:
    source = json.loads(HEAD.encode()[8:])
    source.update(members)
    return canonical_json({key: value for key, value in source.items() if value is not None})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        HEAD.encode()[8:] + b" ",
        HEAD.encode()[8:].replace(b":", b": ", 1),
        changed(story="plain"),
        changed(lookup_id="00"),
        changed(lookup_id=None),
        changed(auth_public="0" * 63),
        changed(signature="AAAA"),
        changed(dossier=""),
        changed(dossier="A" * 9000),
        changed(commitment="00"),
        changed(commitment=1),
        changed(recipients=[]),
        changed(recipients=["p"] * 17),
        changed(recipients=[1]),
        changed(container=0),
        changed(container=-1),
        changed(container=3_000_000),
        changed(container=True),
        changed(blobs=[{"id": "00" * 16, "size": 0}]),
        changed(blobs=[{"id": "00" * 16, "size": 5}, {"id": "00" * 16, "size": 5}]),
        changed(blobs=[{"id": "00" * 16, "size": 5, "name": "x"}]),
        changed(blobs={}),
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(CryptoError):
        parse_head(data)


@pytest.mark.parametrize(
    "prefix",
    [b"", b"WHB1", b"WHB2\x00\x00\x00\x05", b"WHB1" + bytes(4),
     b"WHB1" + (MAX_HEAD + 1).to_bytes(4, "big"), b"WHB1\x00\x00\x00\x05x"],
)  # fmt: skip
def test_prefix(prefix: bytes) -> None:
    with pytest.raises(MalformedError):
        head_length(prefix)
