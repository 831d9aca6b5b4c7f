# SPDX-License-Identifier: AGPL-3.0-or-later
"""Attachments: sealed while they stream; size is all that shows, and only roughly."""

import hashlib

import pytest

from crypto.age.header import parse_header
from crypto.age.stream import CHUNK, SEALED_CHUNK
from crypto.attachment import AttachmentSealer, ciphertext_size
from crypto.body import AttachmentRef
from crypto.padding import padme
from crypto.private.open_report import open_attachment
from tests.support.vectors import counting_rng, pieces

DATA = counting_rng("attachment")(300_000)


def sealed(data: bytes, size: int = 10_000_000, name: str = "rng") -> tuple[bytes, AttachmentRef]:
    sealer = AttachmentSealer(counting_rng(name))
    blob = b"".join(map(sealer.update, pieces(data, size)))
    end, reference = sealer.final("foto.jpg", "image/jpeg")
    return blob + end, reference


@pytest.mark.parametrize("length", [0, 1, 65535, 65536, 65537, 131_073, 300_000])
@pytest.mark.parametrize("size", [4096, 65536, 100_000])
def test_round_trip(length: int, size: int) -> None:
    blob, reference = sealed(DATA[:length], size)
    assert reference.size == length
    assert reference.padded == padme(length)
    assert reference.sha256 == hashlib.sha256(DATA[:length]).hexdigest()
    assert len(blob) == ciphertext_size(reference.padded)
    assert open_attachment(reference, blob) == DATA[:length]
    assert AttachmentRef.from_json(reference.to_json()) == reference


def test_the_number_in_the_specification() -> None:
    assert parse_header(sealed(b"")[0]).length == 1627
    assert ciphertext_size(65536) == 1627 + 16 + 65536 + 16


def test_small_ones_look_alike() -> None:
    assert len(sealed(b"")[0]) == len(sealed(b"x")[0]) == len(sealed(bytes(65536))[0])


def test_each_has_its_own_key_and_id() -> None:
    (_, first), (_, second) = sealed(b"a"), sealed(b"a", name="other")
    assert first.id != second.id
    assert first.identity != second.identity


def test_nothing_piles_up() -> None:
    """What goes in comes out, but for the header and less than two chunks."""
    sealer = AttachmentSealer(counting_rng())
    given = returned = 0
    for piece in pieces(DATA, 10_000):
        given += len(piece)
        returned += len(sealer.update(piece))
        assert given - returned <= CHUNK + 20
        assert returned - given <= SEALED_CHUNK + 1700
    end, _reference = sealer.final("x", "y/z")
    assert len(end) <= SEALED_CHUNK * 2


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_all_kinds_of_bytes(kind: type) -> None:
    sealer = AttachmentSealer(counting_rng())
    blob = sealer.update(kind(DATA))
    end, reference = sealer.final("x", "y/z")
    assert sealer.size == len(DATA)
    assert open_attachment(reference, blob + end) == DATA


def test_name_and_type_are_tamed() -> None:
    _, reference = AttachmentSealer(counting_rng()).final("../../\u202egpj.exe", "x")
    assert (reference.name, reference.type) == ("gpj.exe", "application/octet-stream")
    assert not reference.stripped
