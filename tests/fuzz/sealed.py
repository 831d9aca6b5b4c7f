# SPDX-License-Identifier: AGPL-3.0-or-later
"""Targets: what arrives sealed or signed.

Behind a tag or signature a fuzzer never gets by itself, so the targets seal and sign for it: what
is tried is what the holder of a key could send.
"""

import struct
from datetime import date

from crypto.age import stream
from crypto.age.header import MAC_PREFIX, VERSION_LINE, parse_header, try_parse_header
from crypto.age.reader import ReplySeed, open_single
from crypto.age.writer import seal_all
from crypto.bundle import (
    PREFIX,
    BundleBlob,
    BundleHead,
    head_length,
    parse_head,
)
from crypto.domains import Domain
from crypto.encoding import label
from crypto.envelope import check_container, split
from crypto.errors import AuthenticationError, CryptoError, MalformedError
from crypto.frame import (
    _HEAD,
    Frame,
    FrameType,
    Origin,
    _signed_parts,
    decode_frame,
    encode_frame,
)
from crypto.mailbox import (
    FRAME_SIZES,
    NOTICE_SIZES,
    _notice_place,
    _seal,
    open_notice,
    open_own_copy,
)
from crypto.padding import FRAME_HEADER, bucket
from crypto.private.age_open import open_all as open_as_desk
from crypto.promise import sign_promise, verify_promise
from crypto.signing import public_from_seed, sign
from crypto.xwing import recipient_from_seed
from tests.fuzz.target import Target, chosen, counting_rng, fixed, require, ways
from whistle.intake.dossier import _cipher, open_dossier, seal_dossier

SEED = fixed("signer")
KEY = fixed("key")
PLACE = fixed("place", 16)
REPLY = fixed("reply")
STEP = 256


# ---- age -----------------------------------------------------------------------------------------
def age_header(data: bytes) -> None:
    """One header has one form; whatever the strict check passes, the parser reads."""
    for cut in (len(data) // 2, len(data) - 1):
        if cut > 0:
            try_parse_header(data[:cut])
    header = parse_header(data)
    again = VERSION_LINE + b"".join(one.encode() for one in header.stanzas) + MAC_PREFIX[:3]
    require(again == header.covered, "a header has two forms")
    require(data[: len(again)] == again, "a header is not what was read")


def containers() -> list[bytes]:
    """A reply and a message to three people."""
    rng = counting_rng()
    people = [recipient_from_seed(fixed(f"person {number}")) for number in range(3)]
    plain = bytes(FRAME_SIZES[0])
    reply = seal_all([recipient_from_seed(REPLY)], plain, rng)
    return [reply, seal_all(people, plain, rng)]


def other_headers() -> list[bytes]:
    """Headers of other recipients, which a stock age file may have."""
    mac = b"--- " + b"A" * 43 + b"\n"
    stanzas = (
        b"-> X25519 " + b"A" * 43 + b"\n" + b"A" * 43 + b"\n",
        b"-> scrypt " + b"A" * 22 + b" 18\n" + b"A" * 43 + b"\n",
        b"-> x-grease a b\n" + b"A" * 64 + b"\n\n",
    )
    return [VERSION_LINE + stanza + mac for stanza in stanzas]


def container(data: bytes) -> None:
    """Server and reader look at the same bytes; what passes the first can be read by the second."""
    way, data = chosen(data, 2)
    if way:
        open_single(ReplySeed(REPLY), data)
        open_as_desk(REPLY, data)
        return
    info = check_container(data)
    head, payload = split(data)
    require(head + payload == data, "a container is cut in the wrong place")
    require(len(parse_header(data).stanzas) == info.recipients, "stanzas are counted in two ways")


def age_stream(data: bytes) -> None:
    """A payload of one to three chunks, changed in one place, whole or in pieces."""
    if len(data) < 4:
        return
    work, times, at = data[0] % 5, data[1] % 4, int.from_bytes(data[2:4], "big")
    plain = data[4:] * (1 + times * stream.CHUNK // max(1, len(data) - 4))
    sealed = bytearray(stream.seal_all(KEY, plain))
    where = at * 7919 % len(sealed)
    if work == 1:
        sealed[where] ^= 1 + at % 255
    elif work == 2:
        del sealed[where:]
    elif work == 3:
        sealed += data
    elif work == 4:
        sealed = sealed[stream.SEALED_CHUNK :] + sealed[: stream.SEALED_CHUNK]
    opener = stream.StreamOpener(KEY)
    opened = opener.update(sealed[:where]) + opener.update(sealed[where:]) + opener.final()
    require(opened == plain, "a changed payload opens")
    require(stream.open_all(KEY, sealed) == plain, "whole and in pieces differ")


# ---- frames and boxes ----------------------------------------------------------------------------
def frame(data: bytes) -> None:
    """One frame, one encoding; with `way` 1 the signature fits whatever it says."""
    way, data = chosen(data, 2)
    data = data[: FRAME_SIZES[1]]
    data = data.ljust(bucket(len(data), FRAME_SIZES), b"\0")
    if way:
        data = _signed(data)
    found = decode_frame(data)
    seed = SEED if found.sender is not None else None
    require(found.sender in (None, public_from_seed(SEED)), "a signature by somebody else")
    require(encode_frame(found, seed) == data, "a frame has two encodings")


def _signed(data: bytes) -> bytes:
    head = bytearray(data[: _HEAD.size - 32] + public_from_seed(SEED))
    head[7] |= 1
    length = int.from_bytes(head[-36:-32], "big")
    body = data[FRAME_HEADER : FRAME_HEADER + length]
    signature = sign(SEED, Domain.FRAME_SIGNATURE, *_signed_parts(bytes(head), body))
    return bytes(head) + signature + data[FRAME_HEADER:]


def frames() -> list[bytes]:
    """Unsigned and signed ones, without their padding."""
    made = [
        Frame(kind, Origin.DESK, fixed("instance"), PLACE, PLACE, KEY, KEY, day, body)
        for kind, day, body in (
            (FrameType.REPLY, 20000, b'{"v":1}'),
            (FrameType.REPORT, 0, b""),
            (FrameType.NOTE, 1, b"x" * 5000),
        )
    ]
    unsigned = [encode_frame(one, None).rstrip(b"\0") for one in made]
    return ways(unsigned, [encode_frame(one, SEED).rstrip(b"\0") for one in made])


def boxes(data: bytes) -> None:
    """Notices, own copies and dossiers whose seal fits, and such that are no boxes."""
    way, data = chosen(data, 4)
    rng = counting_rng()
    if way == 0:
        plain = data.ljust(bucket(len(data), NOTICE_SIZES), b"\0")
        open_notice(KEY, PLACE, 1, _seal(KEY, plain, _notice_place(PLACE, 1), rng))
    elif way == 1:
        plain = data.ljust(bucket(len(data), FRAME_SIZES), b"\0")
        place = label(Domain.OWN_COPY, PLACE, PLACE)
        open_own_copy(KEY, PLACE, PLACE, _seal(KEY, plain, place, rng))
    elif way == 2:
        plain = data + bytes(-len(data) % STEP)
        nonce = rng(12)
        open_dossier(KEY, PLACE, nonce + _cipher(KEY).encrypt(nonce, plain, PLACE))
    else:
        _never(open_notice, KEY, PLACE, 1, data)
        _never(open_own_copy, KEY, PLACE, PLACE, data)
        open_dossier(KEY, PLACE, data)


def _never(opening: object, *arguments: object) -> None:
    try:
        opening(*arguments)  # type: ignore[operator]
    except CryptoError:
        return
    require(condition=False, what="bytes of nobody open")


def sealed_texts() -> list[bytes]:
    """What is inside of boxes."""
    meta = b'{"act":{"seq":1},"day":"2026-04-07"}'
    notice = struct.pack(">II", len(meta), 3) + meta + b"abc"
    text = "Halo, é".encode()
    own = struct.pack(">I", len(text)) + text
    units = b'{"excluded":["kelurahan-1"]}'
    box = seal_dossier(KEY, PLACE, frozenset({"a"}), counting_rng())
    return ways([notice], [own, bytes(4)], [struct.pack(">H", len(units)) + units], [box])


def promise(data: bytes) -> None:
    """136 bytes, signed; with `way` 1 by the right key."""
    way, data = chosen(data, 2)
    if way:
        data = data[:72].ljust(72, b"\0") + sign(SEED, Domain.PROMISE, data[:72].ljust(72, b"\0"))
    found = verify_promise(public_from_seed(SEED), data)
    again = sign_promise(SEED, found.instance_id, found.commitment, found.day)
    require(again == data, "a promise has two forms")


def promises() -> list[bytes]:
    """One, in both ways."""
    made = sign_promise(SEED, fixed("instance"), KEY, date(2026, 4, 7))
    return ways([made], [made[:72]])


# ---- bundles -------------------------------------------------------------------------------------
def bundle(data: bytes) -> None:
    """The head of `WHB1`, in its one form."""
    length = head_length(data[:PREFIX])
    if len(data) < PREFIX + length:
        raise MalformedError("the head has not arrived")
    head = parse_head(data[PREFIX : PREFIX + length])
    require(head.encode() == data[: PREFIX + length], "a bundle head has two forms")
    require(head.total > length, "a bundle is shorter than its head")
    try:
        head.verify(fixed("instance"), data[PREFIX + length :])
    except AuthenticationError:
        return


def bundles() -> list[bytes]:
    """With and without files and commitment."""
    some = (BundleBlob(fixed("blob", 16).hex(), 67195),)
    return [
        BundleHead(
            lookup_id=PLACE, auth_public=public_from_seed(SEED), signature=fixed("sig", 64),
            mailbox_key=KEY, dossier=fixed("dossier", 284), recipients=("penyidik-1",),
            container=5668, blobs=blobs, commitment=committed,
        ).encode()
        for blobs, committed in (((), None), (some, KEY))
    ]  # fmt: skip


_REFUSALS = (MalformedError, AuthenticationError)
TARGETS = (
    Target(
        "age_header", age_header, _REFUSALS, lambda: [one[:5000] for one in containers()]
        + other_headers(), (b"-> ", b"\n--- ", b"mlkem768x25519", VERSION_LINE), 8192,
    ),
    Target(
        "container", container, _REFUSALS, lambda: ways(containers(), containers()[:1]),
        (b"-> mlkem768x25519 ", b"\n--- "), 16384,
    ),
    Target(
        "age_stream", age_stream, _REFUSALS,
        lambda: [bytes([work, times, 3, 7]) + b"isi" for work in range(5) for times in range(3)],
        max_len=512,
    ),
    Target("frame", frame, _REFUSALS, frames, (b"WHF1",), 6144),
    Target("boxes", boxes, _REFUSALS, sealed_texts, (b'"excluded"', b"[]", b"{}"), 1024),
    Target("promise", promise, _REFUSALS, promises, (b"WHP1",), 256),
    Target("bundle", bundle, _REFUSALS, bundles, (b"WHB1", b"null"), 4096),
)  # fmt: skip
