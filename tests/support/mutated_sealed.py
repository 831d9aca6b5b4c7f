# SPDX-License-Identifier: AGPL-3.0-or-later
"""Frames, containers and boxes, whole and damaged: by chance, and by somebody who holds the keys.

A case is what both implementations are asked; bytes are base64. Nothing is drawn but from the
seeded generator, so that every run asks the same.
"""

import base64
import hashlib
import random
import struct
from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from crypto.age.header import build_header, payload_key
from crypto.domains import Domain
from crypto.encoding import b64_standard, label, unb64_standard
from crypto.frame import Frame, FrameType, Origin, encode_frame
from crypto.mailbox import Notice, seal_notice, seal_own_copy
from crypto.signing import public_from_seed, sign
from tests.support.mutated_signatures import odd_signatures
from tests.support.mutations import damaged
from tests.support.vectors import counting_rng, own_vectors, seed

Case = dict[str, Any]
CHUNK = 65536
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
SIGNER = seed("mutations/signer")
LOOKUP, MESSAGE, BOX_KEY = seed("lookup")[:16], seed("message")[:16], seed("box")


def b64(data: bytes) -> str:
    """Bytes in a case."""
    return base64.b64encode(data).decode("ascii")


def _frame(data: bytes) -> Case:
    return {"kind": "frame", "data": b64(data)}


def frame(body: bytes, *, signed: bool = True, origin: Origin = Origin.ARRIVAL) -> bytes:
    """Return a whole frame."""
    made = Frame(
        type=FrameType.REPORT,
        origin=origin,
        instance_id=seed("instance"),
        thread_id=LOOKUP,
        message_id=MESSAGE,
        prev=seed("prev"),
        recipients_digest=seed("digest"),
        day=20778,
        body=body,
    )
    return encode_frame(made, SIGNER if signed else None)


def resigned(data: bytes, patches: list[tuple[int, bytes]], *, domain: str = "") -> bytes:
    """Write into a frame and sign what then stands there, as only its signer can."""
    changed = bytearray(data)
    for at, piece in patches:
        changed[at : at + len(piece)] = piece
    changed[176:240] = sign(SIGNER, Domain(domain or Domain.FRAME_SIGNATURE), *_covered(changed))
    return bytes(changed)


def _covered(data: bytes | bytearray) -> tuple[bytes, bytes]:
    length = min(int.from_bytes(data[140:144], "big"), len(data) - 240)
    return bytes(data[:176]), hashlib.sha256(data[240 : 240 + length]).digest()


def _crafted_frames(whole: bytes, plain: bytes) -> Iterator[bytes]:
    u32 = struct.Struct(">I").pack
    length = int.from_bytes(whole[140:144], "big")
    for at, values in ((4, range(8)), (5, range(6)), (6, (1, 128)), (7, (0, 2, 3, 129, 255))):
        for value in values:
            yield resigned(whole, [(at, bytes([value]))])
    for size in (0, length - 1, length + 1, 3856, 3857, 4096, 2**31, 2**32 - 1):
        yield resigned(whole, [(140, u32(size))])
    for day in (0, 1, 2932896, 2932897, 2**32 - 1):
        yield resigned(whole, [(136, u32(day))])
    for domain in (Domain.MANIFEST, Domain.ACT_SIGNATURE, Domain.PROMISE, Domain.FRAME_HASH):
        yield resigned(whole, [], domain=domain)
    for at in (8, 40, 56, 72, 104):
        yield resigned(whole, [(at, seed("other")[:16])])
    yield from _misfits(whole)
    yield from _misfits(plain)


def _misfits(data: bytes) -> Iterator[bytes]:
    for size in (0, 1, 239, 240, 4095, 4097, 8192, 65536):
        yield data[:size].ljust(size, b"\0")
    yield data.ljust(16384, b"\0")
    yield resigned(data.ljust(16384, b"\0"), [(144, public_from_seed(SIGNER))])
    yield data[:-1] + b"\1"
    yield data[:7] + bytes([data[7] ^ 1]) + data[8:]
    yield data[:144] + seed("sender") + data[176:]
    yield data[:176] + seed("sign") * 2 + data[240:]
    yield data[:144] + bytes(96) + data[240:]


def _odd_frames(whole: bytes) -> Iterator[bytes]:
    rest = whole[240 : 240 + int.from_bytes(whole[140:144], "big")]

    def message(key: bytes) -> bytes:
        head = whole[:144] + key
        return label(Domain.FRAME_SIGNATURE, head, hashlib.sha256(rest).digest())

    for key, signature in odd_signatures(SIGNER, message).values():
        yield whole[:144] + key + signature + whole[240:]


def frames(chance: random.Random) -> Iterator[Case]:
    """Yield frames."""
    short, long = frame(b'{"v":1}' * 9), frame(b"a" * 4000)
    plain = frame(b'{"v":1}' * 9, signed=False)
    wholes = (short, long, plain, frame(b""), frame(b"", signed=False))
    yield from map(_frame, wholes)
    yield from map(_frame, _crafted_frames(short, plain))
    yield from map(_frame, _odd_frames(short))
    for data, count in ((short, 150), (plain, 70), (long, 30)):
        for turn in range(count):
            end = 320 if turn % 3 else 1 << 60
            yield _frame(damaged(data, chance, end=end))


# --- containers ---------------------------------------------------------------------------------


class _Known:
    """A container of vectors.json, whose file key is known."""

    def __init__(self, number: int, plain: bytes) -> None:
        vectors = own_vectors()
        source = vectors["containers"][number]
        self.file_key = bytes.fromhex(source["file_key"])
        self.nonce = bytes.fromhex(source["nonce"])
        self.stanzas = [each.encode("ascii") for each in source["stanzas"]]
        self.seed = bytes.fromhex(vectors["recipients"][source["recipients"][0]]["seed"])
        self.plain = plain
        self.single = len(self.stanzas) == 1

    def header(self, stanzas: list[bytes] | None = None) -> bytes:
        """A header around these stanzas, with the right MAC."""
        return build_header(self.stanzas if stanzas is None else stanzas, self.file_key)

    def payload(self, chunks: list[tuple[bytes, int, int]] | None = None) -> bytes:
        """A payload of (plaintext, counter, whether last)."""
        aead = ChaCha20Poly1305(payload_key(self.file_key, self.nonce))
        if chunks is None:
            count = max(1, -(-len(self.plain) // CHUNK))
            chunks = [
                (self.plain[n * CHUNK : (n + 1) * CHUNK], n, int(n == count - 1))
                for n in range(count)
            ]
        sealed = [
            aead.encrypt(counter.to_bytes(11, "big") + bytes([last]), data, None)
            for data, counter, last in chunks
        ]
        return self.nonce + b"".join(sealed)

    def case(self, data: bytes, *, framed: bool = False) -> Case:
        """The question whether this opens."""
        return {
            "kind": "container", "data": b64(data), "seed": b64(self.seed), "single": self.single,
            "framed": framed,
        }  # fmt: skip


def _crafted_headers(known: _Known) -> Iterator[bytes]:
    one = known.stanzas[0]
    arrow, body = one.decode().splitlines()
    share, wrapped = arrow.split(" ")[2], body
    lists: list[list[bytes]] = [
        [], [one, one], known.stanzas[::-1], known.stanzas[1:], [one] * 16, [one] * 17,
        [*known.stanzas, b"-> grease-x y\nQUJD\n"], [b"-> X25519 " + (b"A" * 43 + b"\n") * 2],
        [*known.stanzas, one.replace(b"mlkem768x25519", b"mlkem768X25519")],
    ]  # fmt: skip
    ours = f"-> mlkem768x25519 {share}"
    points = [bytes(32), b"\x01" + bytes(31), b"\xff" * 32]
    lines = [
        (f"{ours} x", wrapped), (f"-> mlkem768x25519  {share}", wrapped),
        (f"{ours}\r", f"{wrapped}\r"), (ours, f"\n{wrapped}"), (f"{ours}=", wrapped),
        (ours, f"{wrapped}="), (ours[:-1], wrapped), (ours, wrapped[:-1]),
        (f"{ours}AAAA", wrapped), (ours, f"{wrapped}AAAA"), (f"->{ours[3:]}", wrapped),
        (f" {ours}", wrapped), (f"-> MLKEM768X25519 {share}", wrapped), (ours, f"{wrapped}\n"),
        (ours, f"{wrapped[:40]}\n{wrapped[40:]}"), (f"-> {share}", wrapped),
        (ours.replace(share[7], "-", 1), wrapped), (_next(ours), wrapped), (ours, _next(wrapped)),
        *[(f"-> mlkem768x25519 {_share(share, point)}", wrapped) for point in points],
    ]  # fmt: skip
    lists += [[f"{first}\n{second}\n".encode(), *known.stanzas[1:]] for first, second in lines]
    for stanzas in lists:
        yield known.header(stanzas)


def _next(text: str) -> str:
    """The same bytes with other bits in the last, partly used character: not canonical."""
    return text[:-1] + _BASE64[_BASE64.index(text[-1]) + 1]


def _share(text: str, point: bytes) -> str:
    """The same stanza with another X25519 share."""
    return b64_standard(unb64_standard(text.encode())[:1088] + point).decode()


def _crafted_ends(known: _Known) -> Iterator[bytes]:
    head, payload = known.header(), known.payload()
    mac = head[-44:-1]
    for end in (
        mac + b"=\n", mac + b"\r\n", mac + b" \n", mac + b"\n\n", mac[:-1] + b"\n", mac,
        _next(mac.decode()).encode() + b"\n", b"\n", b"A" * 43 + b"\n", mac + b"AA\n",
    ):  # fmt: skip
        yield head[:-44] + end + payload
    for line in (b"v2\n", b"v1 \n", b"v1\r\n", b"v1", b"v1\n\n"):
        yield head.replace(b"v1\n", line, 1) + payload
    yield b"\n" + head + payload
    yield head.upper() + payload


def _crafted_payloads(known: _Known) -> Iterator[bytes]:
    first, second = known.plain[:CHUNK], known.plain[CHUNK:]
    orders: list[list[tuple[bytes, int, int]]] = [
        [(first, 0, 1), (second, 1, 1)], [(first, 0, 0), (second, 1, 0)], [(first, 0, 1)],
        [(first, 0, 0), (b"", 1, 1)], [(first, 0, 0), (second, 1, 0), (b"", 2, 1)], [(b"", 0, 1)],
        [(first, 1, 0), (second, 0, 1)], [(first, 0, 0), (second, 2, 1)], [(second, 0, 1)],
        [(first, 0, 0)], [(b"", 0, 0)], [(first, 0, 0), (first, 1, 0), (second, 2, 1)],
        [(first[:100], 0, 0), (second, 1, 1)], [(b"", 0, 0), (second, 1, 1)],
    ]  # fmt: skip
    for chunks in orders:
        yield known.header() + known.payload(chunks)
    whole = known.header() + known.payload()
    start = len(known.header()) + 16
    for size in (
        0,
        1,
        15,
        16,
        17,
        CHUNK,
        CHUNK + 15,
        CHUNK + 16,
        CHUNK + 17,
        CHUNK + 31,
        CHUNK + 32,
    ):
        yield whole[: start + size]
    for size in (1, 15, 16, 17, CHUNK + 16):
        yield whole + bytes(size)
    yield whole[: start - 16] + bytes(16) + whole[start:]


def containers(chance: random.Random) -> Iterator[Case]:
    """Yield containers."""
    reply = _Known(1, frame(b"a", origin=Origin.DESK))
    several = _Known(0, frame(b'{"v":1}' * 9))
    two_chunks = _Known(7, b"a" * (CHUNK + 1))
    for known in (reply, several):
        whole = known.header() + known.payload()
        yield known.case(whole, framed=True)
        yield {**known.case(whole), "seed": b64(seed("stranger"))}
        for header in _crafted_headers(known):
            yield known.case(header + known.payload(), framed=True)
        for data in _crafted_ends(known):
            yield known.case(data, framed=True)
        for turn in range(110):
            end = len(known.header()) + 40 if turn % 4 else 1 << 60
            yield known.case(damaged(whole, chance, end=end), framed=True)
    whole = two_chunks.header() + two_chunks.payload()
    for data in (whole, *_crafted_payloads(two_chunks)):
        yield two_chunks.case(data)
    for _ in range(30):
        yield two_chunks.case(damaged(whole, chance, start=len(two_chunks.header())))
    for _ in range(20):
        inner = _Known(1, damaged(reply.plain, chance, end=320)[:4096].ljust(4096, b"\0"))
        yield inner.case(inner.header() + inner.payload(), framed=True)


# --- boxes --------------------------------------------------------------------------------------


def _notice(data: bytes, place: int = 3) -> Case:
    key, lookup = b64(BOX_KEY), b64(LOOKUP)
    return {"kind": "notice", "data": b64(data), "key": key, "lookup": lookup, "place": place}


def _own_copy(data: bytes, message: bytes = MESSAGE) -> Case:
    key, lookup, named = b64(BOX_KEY), b64(LOOKUP), b64(message)
    return {"kind": "own_copy", "data": b64(data), "key": key, "lookup": lookup, "message": named}


def _box(plain: bytes, place: bytes) -> bytes:
    nonce = seed("nonce")[:12]
    return nonce + ChaCha20Poly1305(BOX_KEY).encrypt(nonce, plain, place)


def boxes(chance: random.Random) -> Iterator[Case]:
    """Yield notices and own copies."""
    rng = counting_rng("boxes")
    notice = seal_notice(BOX_KEY, LOOKUP, 3, Notice({"v": 1}, b"sealed"), rng)
    copy = seal_own_copy(BOX_KEY, LOOKUP, MESSAGE, "Sudah dibayar?", rng)
    yield _notice(notice)
    yield _notice(notice, 4)
    yield _own_copy(copy)
    yield _own_copy(copy, seed("another")[:16])
    for _ in range(40):
        yield _notice(damaged(notice, chance))
        yield _own_copy(damaged(copy, chance))
    pair = struct.Struct(">II").pack
    where = label(Domain.NOTICE, LOOKUP, (3).to_bytes(4, "big"))
    meta = b'{"v":1}'
    for first, second in (
        (7, 0),
        (7, 1),
        (6, 0),
        (7, 8177),
        (7, 8178),
        (0, 0),
        (2**32 - 1, 1),
        (7, 2**32 - 1),
    ):
        plain = (pair(first, second) + meta).ljust(8192, b"\0")
        yield _notice(_box(plain, where))
    for content in (
        b"[]", b"{}", b"\xff", b"{", b"null", b'{"v":1}x', b'{"v":1,"v":1}', b'{"v":1.0}',
        b'{"v":1e0}', b' {"v": 1} ', b'{"v":[{"a":1,"a":1}]}', b'{"v":"\\ud800"}',
    ):  # fmt: skip
        yield _notice(_box((pair(len(content), 0) + content).ljust(8192, b"\0"), where))
    for size in (0, 16, 8191, 8193, 32768):
        yield _notice(_box((pair(7, 0) + meta).ljust(size, b"\0")[:size], where))
    mine = label(Domain.OWN_COPY, LOOKUP, MESSAGE)
    for length, content in (
        (1, b"a"),
        (1, b"ab"),
        (2, b"\xc3\xa9"),
        (1, b"\xc3\xa9"),
        (4092, b""),
        (4093, b""),
    ):
        yield _own_copy(_box((length.to_bytes(4, "big") + content).ljust(4096, b"\0"), mine))
