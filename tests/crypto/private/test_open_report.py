# SPDX-License-Identifier: AGPL-3.0-or-later
"""Opening reports and attachments, and sealing reports to others."""

import dataclasses
import hashlib
from typing import Any

import pytest

from crypto.age.stream import SEALED_CHUNK
from crypto.age.writer import header_length, seal_all
from crypto.attachment import AttachmentSealer
from crypto.body import AttachmentRef
from crypto.envelope import check_container, seal_message, split
from crypto.errors import AuthenticationError, CryptoError, MalformedError
from crypto.frame import Frame, FrameType, Origin, encode_frame
from crypto.private.open_report import AttachmentOpener, open_attachment, open_message, rewrap
from crypto.xwing import identity_to_age, recipient_from_seed
from tests.support.vectors import counting_rng, pieces, seed

INSTANCE, THREAD = seed("instance"), seed("thread")[:16]
SEEDS = [seed(f"desk/{n}") for n in range(4)]
RECIPIENTS = [recipient_from_seed(each) for each in SEEDS]
FRAME = Frame(
    type=FrameType.REPORT,
    origin=Origin.TOOL,
    instance_id=INSTANCE,
    thread_id=THREAD,
    message_id=bytes(16),
    prev=bytes(32),
    recipients_digest=bytes(32),
    day=0,
    body=b"{}",
)
RAW = encode_frame(FRAME, seed("reporter"))
CONTAINER = seal_message(RAW, RECIPIENTS[:3], counting_rng())


@pytest.mark.parametrize("key", SEEDS[:3])
def test_each_recipient_opens(key: bytes) -> None:
    frame, raw = open_message(key, CONTAINER, INSTANCE, THREAD)
    assert raw == RAW
    assert frame.body == b"{}"


@pytest.mark.parametrize(
    ("key", "instance", "thread"),
    [
        (SEEDS[3], INSTANCE, THREAD),
        (SEEDS[0], seed("elsewhere"), THREAD),
        (SEEDS[0], INSTANCE, bytes(16)),
    ],
    ids=["not a recipient", "other organisation", "other thread"],
)
def test_belongs_elsewhere(key: bytes, instance: bytes, thread: bytes) -> None:
    with pytest.raises(AuthenticationError):
        open_message(key, CONTAINER, instance, thread)


def test_content_that_is_no_frame() -> None:
    container = seal_all(RECIPIENTS[:1], bytes(4096), counting_rng())
    with pytest.raises(MalformedError):
        open_message(SEEDS[0], container, INSTANCE, THREAD)


# ---- re-sealing ------------------------------------------------------------------------------


def test_rewrap_changes_the_header_alone() -> None:
    again = rewrap(SEEDS[0], CONTAINER, [RECIPIENTS[3], RECIPIENTS[0]], counting_rng())
    assert split(again)[1] == split(CONTAINER)[1]
    assert check_container(again).recipients == 2
    for key in (SEEDS[3], SEEDS[0]):
        assert open_message(key, again, INSTANCE, THREAD)[1] == RAW
    with pytest.raises(AuthenticationError):
        open_message(SEEDS[1], again, INSTANCE, THREAD)


@pytest.mark.parametrize("recipients", [[], [RECIPIENTS[0]] * 2])
def test_rewrap_to_bad_recipients(recipients: list[Any]) -> None:
    with pytest.raises(MalformedError):
        rewrap(SEEDS[0], CONTAINER, recipients, counting_rng())


def test_rewrap_by_a_stranger() -> None:
    with pytest.raises(AuthenticationError):
        rewrap(SEEDS[3], CONTAINER, RECIPIENTS, counting_rng())


# ---- attachments -----------------------------------------------------------------------------

DATA = counting_rng("attachment")(200_000)
KEY = seed("attachment")


def sealed(data: bytes) -> tuple[AttachmentRef, bytes]:
    sealer = AttachmentSealer(counting_rng())
    blob = sealer.update(data)
    end, reference = sealer.final("x.bin", "a/b")
    return reference, blob + end


REF, BLOB = sealed(DATA)


@pytest.mark.parametrize("size", [100, 4096, SEALED_CHUNK, 10_000_000])
def test_attachment_however_it_arrives(size: int) -> None:
    opener = AttachmentOpener(REF)
    assert b"".join(map(opener.update, pieces(BLOB, size))) + opener.final() == DATA


@pytest.mark.parametrize("at", [0, 100, 1626, 1627, 1643, 100_000, len(BLOB) - 1])
def test_changed_attachment(at: int) -> None:
    changed = bytearray(BLOB)
    changed[at] ^= 1
    with pytest.raises(CryptoError):
        open_attachment(REF, bytes(changed))


def crafted(plain: bytes, **change: Any) -> tuple[AttachmentRef, bytes]:
    """A blob with this plaintext, under a reference that says otherwise."""
    reference = dataclasses.replace(
        REF,
        identity=identity_to_age(KEY),
        size=3,
        padded=65536,
        sha256=hashlib.sha256(b"abc").hexdigest(),
    )
    blob = seal_all([recipient_from_seed(KEY)], plain, counting_rng())
    return dataclasses.replace(reference, **change), blob


PADDED = b"abc".ljust(65536, b"\x00")


def test_crafting_is_right_when_nothing_is_wrong() -> None:
    assert open_attachment(*crafted(PADDED)) == b"abc"


HOSTILE = {
    "other hash": crafted(PADDED, sha256="00" * 32),
    "says it is longer": crafted(PADDED, size=4),
    "says it is shorter": crafted(PADDED, size=2),
    "padding not zero": crafted(PADDED[:-1] + b"\x01"),
    "less padding": crafted(PADDED[:-1]),
    "no padding": crafted(b"abc"),
    "more padding": crafted(PADDED + b"\x00"),
    "far more padding": crafted(PADDED + bytes(1_000_000)),
    "cut": (REF, BLOB[:-1]),
    "cut at a chunk": (REF, BLOB[: header_length(1) + 16 + SEALED_CHUNK]),
    "cut in the header": (REF, BLOB[:100]),
    "empty": (REF, b""),
    "trailing byte": (REF, BLOB + b"\x00"),
    "another file's key": (crafted(PADDED)[0], BLOB[: len(crafted(PADDED)[1])]),
}


@pytest.mark.parametrize(("reference", "blob"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_attachment(reference: AttachmentRef, blob: bytes) -> None:
    with pytest.raises(CryptoError):
        open_attachment(reference, blob)


def test_an_endless_blob_is_cut_off_early() -> None:
    opener = AttachmentOpener(crafted(PADDED)[0])
    blob = crafted(PADDED + bytes(10_000_000))[1]
    for piece in pieces(blob[:67_000], 1000):
        opener.update(piece)
    with pytest.raises(MalformedError, match="longer"):
        opener.update(blob[67_000:68_000])
