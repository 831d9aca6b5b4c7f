# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a server can check about a container it cannot open."""

import pytest

from crypto import envelope as subject
from crypto.age.header import Stanza, build_header, parse_header
from crypto.age.writer import header_length, seal_all
from crypto.errors import CryptoError, MalformedError
from crypto.padding import FRAME_SIZES
from crypto.private.age_open import open_all
from crypto.xwing import recipient_from_seed
from tests.support.vectors import counting_rng, seed

SEEDS = [seed(f"envelope/{n}") for n in range(16)]
RECIPIENTS = [recipient_from_seed(each) for each in SEEDS]
FRAME = b"f" * 4096
GOOD = subject.seal_message(FRAME, RECIPIENTS[:3], counting_rng())
HEADER, PAYLOAD = subject.split(GOOD)


@pytest.mark.parametrize("size", FRAME_SIZES)
@pytest.mark.parametrize("count", [1, 3, 16])
def test_sizes(size: int, count: int) -> None:
    container = subject.seal_message(bytes(size), RECIPIENTS[:count], counting_rng())
    chunks = -(-size // 65536)
    assert len(container) == 86 + 1557 * count + size + 16 * chunks
    assert subject.check_container(container) == subject.ContainerInfo(count, size)
    assert open_all(SEEDS[count - 1], container) == bytes(size)


def test_the_number_in_the_specification() -> None:
    assert len(GOOD) == 8869


def test_split() -> None:
    assert HEADER + PAYLOAD == GOOD
    assert len(HEADER) == header_length(3)


@pytest.mark.parametrize("size", [0, 1, 4095, 4097, 8192, 2097152])
def test_only_frames_are_sealed(size: int) -> None:
    with pytest.raises(MalformedError):
        subject.seal_message(bytes(size), RECIPIENTS[:1], counting_rng())


STANZAS = [each.encode() for each in parse_header(GOOD).stanzas]
FILE_KEY = bytes(16)


def headed(*stanzas: bytes) -> bytes:
    return build_header(stanzas, FILE_KEY) + PAYLOAD


def reshaped(stanza: bytes, old: bytes, new: bytes) -> bytes:
    assert old in stanza
    return headed(stanza.replace(old, new, 1))


ONE = STANZAS[0]
REJECTED = {
    "empty": b"",
    "not age": b"PK\x03\x04" + GOOD,
    "armor": b"-----BEGIN AGE ENCRYPTED FILE-----\n" + GOOD,
    "version 2": GOOD.replace(b"/v1", b"/v2", 1),
    "no stanza": headed(),
    "seventeen stanzas": headed(*[ONE] * 17),
    "covert stanza": headed(*STANZAS, Stanza((b"x-grease",), b"who am I").encode()),
    "covert stanza first": headed(Stanza((b"x-grease",), b"").encode(), *STANZAS),
    "classic stanza": headed(Stanza((b"X25519", b"A" * 43), bytes(32)).encode()),
    "covert argument": reshaped(ONE, b"-> mlkem768x25519 ", b"-> mlkem768x25519 x "),
    "argument one short": reshaped(ONE, ONE[18:19], b""),
    "argument not canonical": headed(ONE[:1511] + b"B" + ONE[1512:]),
    "body not canonical": headed(ONE[:-2] + b"B\n"),
    "body one short": headed(ONE[:-2] + b"\n"),
    "body on two lines": headed(ONE[:-10] + b"\n" + ONE[-10:]),
    "CR": GOOD.replace(b"\n", b"\r\n", 1),
    "MAC not canonical": HEADER[:-2] + b"B\n" + PAYLOAD,
    "no payload": HEADER,
    "only a nonce": HEADER + PAYLOAD[:16],
    "payload one short": GOOD[:-1],
    "payload one long": GOOD + b"\x00",
    "payload of no bucket": seal_all(RECIPIENTS[:1], bytes(5000), counting_rng()),
    "empty payload": seal_all(RECIPIENTS[:1], b"", counting_rng()),
    "payload length no stream has": GOOD + bytes(65536 - 4096 + 8),
}


@pytest.mark.parametrize("data", REJECTED.values(), ids=REJECTED)
def test_rejected(data: bytes) -> None:
    with pytest.raises(MalformedError):
        subject.check_container(data)


def test_every_line_edit_is_rejected() -> None:
    lines = HEADER.split(b"\n")
    for n in range(len(lines) - 1):
        without = b"\n".join(lines[:n] + lines[n + 1 :]) + PAYLOAD
        twice = b"\n".join([*lines[: n + 1], *lines[n:]]) + PAYLOAD
        for edited in (without, twice):
            with pytest.raises(CryptoError):
                open_all(SEEDS[0], edited)


@pytest.mark.parametrize("at", [*range(0, len(GOOD), 211), len(GOOD) - 1])
def test_changed_byte_never_opens(at: int) -> None:
    changed = bytearray(GOOD)
    changed[at] ^= 2
    with pytest.raises(CryptoError):
        open_all(SEEDS[2], bytes(changed))
