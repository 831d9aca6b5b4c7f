# SPDX-License-Identifier: AGPL-3.0-or-later
# ruff: noqa: E501 - JavaScript inside
"""The functions that seal and open, inside Firefox, against the vectors of all implementations."""

import base64
import hashlib
import json
import re
from typing import Any

import pytest

from crypto.age import writer
from crypto.attachment import AttachmentSealer
from crypto.body import AttachmentRef
from crypto.private.age_open import open_all
from crypto.private.open_report import open_attachment
from crypto.rng import system_rng
from crypto.xwing import identity_from_age, recipient_from_seed
from tests.support import photos
from tests.support.firefox import Firefox
from tests.support.firefox_page import Page
from tests.support.vectors import FOLDER, cctv_vectors, own_vectors, seed
from whistle.intake.dossier import open_dossier, seal_dossier

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(240)]
V = own_vectors()

OWN = (FOLDER / "in_browser.js").read_text(encoding="utf-8").partition("\n(")[2].strip("\n;)")


async def page_with(firefox: Firefox, script: str) -> Page:
    page = await firefox.new_page()
    await page.goto("about:blank")
    await page.evaluate(script + "; undefined")
    return page


async def call(page: Page, function: str, argument: Any) -> Any:
    answer = await page.evaluate(
        f"(async () => JSON.stringify(await ({function})({json.dumps(argument)})))()"
    )
    return json.loads(answer)


async def test_vectors(scripted: Firefox, functions: str) -> None:
    page = await page_with(scripted, functions)
    assert await call(page, OWN, V) == []
    await compare_c2sp(page)
    await compare_with_python(page)
    await compare_photos(page)
    await compare_sums(page)


async def compare_sums(page: Page) -> None:
    """SHA-256 in two parts, around every edge of a block."""
    data = bytes(range(251)) * 600
    lengths = [*range(130), 1000, 65_535, 65_536, 150_000]
    sums = await call(
        page,
        """a => { const data = Uint8Array.from({length: a.at(-1)}, (_, n) => n % 251);
          return a.map(n => whistle.bytes.hex(new whistle.sum.Sum()
            .update(data.subarray(0, Math.floor(n / 3))).update(data.subarray(Math.floor(n / 3), n)).digest())); }""",
        lengths,
    )
    assert sums == [hashlib.sha256(data[:length]).hexdigest() for length in lengths]


async def compare_c2sp(page: Page) -> None:
    """C2SP vectors with one hybrid identity: files of our profile open, all others are refused."""
    chosen = [
        vector
        for vector in cctv_vectors("hybrid")
        if len(vector.identities) == 1 and vector.identities[0].startswith("AGE-SECRET-KEY-PQ-")
    ]
    assert len(chosen) >= 5
    for vector in chosen:
        argument = {
            "seed": identity_from_age(vector.identities[0]).hex(),
            "file": base64.b64encode(vector.container).decode(),
        }
        opened = await call(
            page,
            """a => { try {
              const file = Uint8Array.from(atob(a.file), c => c.charCodeAt(0));
              return whistle.bytes.hex(whistle.bytes.digest(whistle.age.open(whistle.bytes.unhex(a.seed, 32), file)));
            } catch { return null; } }""",
            argument,
        )
        expected = vector.payload_sha256 if vector.expect == "success" else None
        if vector.expect == "success" and not _own_profile(vector.container):
            expected = None
        assert opened == expected, vector.name


def _own_profile(container: bytes) -> bool:
    head = container.partition(b"\n---")[0]
    stanzas = re.findall(rb"^-> (\S+)", head, re.M)
    return bool(stanzas) and set(stanzas) == {b"mlkem768x25519"}


async def compare_with_python(page: Page) -> None:
    """What the browser seals Python opens, and the reverse."""
    one, two = seed("one"), seed("two")
    sealed = await call(
        page,
        """a => whistle.bytes.b64(whistle.age.seal(a.seeds.map(s =>
          whistle.keys.recipientOf(whistle.bytes.unhex(s, 32))), whistle.bytes.utf8(a.text)))""",
        {"seeds": [one.hex(), two.hex()], "text": "pungli " * 20_000},
    )
    container = base64.urlsafe_b64decode(sealed + "==")
    assert open_all(one, container) == open_all(two, container) == b"pungli " * 20_000
    theirs = writer.seal_all([recipient_from_seed(one)], b"balasan", system_rng)
    flip = bytearray(theirs)
    flip[-1] ^= 1
    opened = await call(
        page,
        """a => a.files.map(f => { try { return whistle.bytes.text(whistle.age.open(
          whistle.bytes.unhex(a.seed, 32), Uint8Array.from(atob(f), c => c.charCodeAt(0)))); } catch { return null; } })""",
        {
            "seed": one.hex(),
            "files": [base64.b64encode(each).decode() for each in (theirs, bytes(flip))],
        },
    )
    assert opened == ["balasan", None]
    await _dossiers(page)
    await _attachments(page)


async def _dossiers(page: Page) -> None:
    state, lookup = seed("state"), seed("lookup")[:16]
    excluded = frozenset({"kel-1", "inspektorat-1"})
    theirs = seal_dossier(state, lookup, excluded, system_rng)
    mine, opened = await call(
        page,
        """a => { const {unhex, hex} = whistle.bytes; const [s, l] = [unhex(a.s, 32), unhex(a.l, 16)];
          return [hex(whistle.boxes.sealDossier(s, l, a.excluded)),
            whistle.boxes.openDossier(s, l, unhex(a.box, a.box.length / 2))]; }""",
        {"s": state.hex(), "l": lookup.hex(), "excluded": sorted(excluded), "box": theirs.hex()},
    )
    assert open_dossier(state, lookup, bytes.fromhex(mine)) == excluded
    assert len(mine) == 2 * len(theirs)
    assert opened == sorted(excluded)


async def _attachments(page: Page) -> None:
    """A sealed file is the same whatever order its pieces are made in, and opens in Python."""
    for size in (0, 1, 65_536, 65_537, 1_200_000):
        pieces, reference, length = await call(
            page,
            """async size => {
              const content = Uint8Array.from({length: size}, (_, i) => (i * 7) & 255);
              const file = new File([content], 'catatan.bin', {type: 'application/x-thing'});
              const sealed = await whistle.files.SealedFile.of({file, strip: true, name: 'x'});
              const count = Math.ceil(sealed.size / whistle.files.PIECE);
              const inOrder = [], again = [];
              for (let n = 0; n < count; n++) inOrder.push(whistle.bytes.b64std(await sealed.piece(n)));
              for (let n = count - 1; n >= 0; n--) again.unshift(whistle.bytes.b64std(await sealed.piece(n)));
              if (inOrder.join() !== again.join()) throw new Error('pieces differ');
              return [inOrder, sealed.reference(), sealed.size];
            }""",
            size,
        )
        blob = b"".join(base64.b64decode(piece + "=" * (-len(piece) % 4)) for piece in pieces)
        assert len(blob) == length
        content = bytes((i * 7) & 255 for i in range(size))
        reference = AttachmentRef.from_json(reference)
        assert open_attachment(reference, blob) == content
        sealer = AttachmentSealer(system_rng)
        assert len(sealer.update(content) + sealer.final("x", "y/z")[0]) == len(blob)


async def compare_photos(page: Page) -> None:
    """Hidden data goes, the orientation stays, the picture's own bytes do not change."""
    cases: dict[str, tuple[bytes, bytes | None]] = {
        "turned": (photos.jpeg(6), photos.bare_jpeg(photos.orientation_exif(6))),
        "turned, little-endian": (photos.jpeg(8, little=True), photos.bare_jpeg(photos.orientation_exif(8))),
        "upright": (photos.jpeg(1), photos.bare_jpeg(b"")),
        "png": (photos.png(), photos.bare_png()),
        "cut short": (photos.jpeg()[:-60], None),
        "no photo": (b"\xff\xd8" + bytes(100), None),
        "something else": (b"%PDF-1.7", None),
        "empty": (b"", None),
    }  # fmt: skip
    names = list(cases)
    cleaned = await call(
        page,
        """a => a.map(p => { const clean = whistle.photos.stripPhoto(Uint8Array.from(atob(p), c => c.charCodeAt(0)));
          return clean && whistle.bytes.hex(clean); })""",
        [base64.b64encode(cases[name][0]).decode() for name in names],
    )
    for name, found in zip(names, cleaned, strict=True):
        expected = cases[name][1]
        assert found == (None if expected is None else expected.hex()), name
        assert found is None or photos.SECRET.hex() not in found
    turned = await call(
        page,
        "p => whistle.bytes.hex(whistle.photos.stripPhoto(Uint8Array.from(atob(p), c => c.charCodeAt(0))))",
        base64.b64encode(photos.png(3)).decode(),
    )
    assert b"eXIf".hex() in turned
    assert photos.SECRET.hex() not in turned
    assert hashlib.sha256(bytes.fromhex(turned)).digest() != hashlib.sha256(photos.png(3)).digest()
