# SPDX-License-Identifier: AGPL-3.0-or-later
"""Hands a sealed report to the intake: in pieces over its client interface, or as one file on its
page for bundles.

Invariants:

* a piece is only sent while the intake does not have it, so a broken connection costs one piece;
* sending again changes nothing: same thread and same container give the same answer;
* success is a promise signed by the intake's key in the key list, for this receipt, and nothing
  less.

Source: docs/spec/client-api.md.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from typing import IO, Final

import aiohttp

from crypto.bundle import BundleBlob
from crypto.domains import Domain
from crypto.encoding import b64, unb64, unhex
from crypto.errors import CryptoError
from crypto.promise import PROMISE_LENGTH, commitment, verify_promise
from crypto.receipt import ReceiptKeys
from crypto.rng import Rng
from crypto.signing import sign
from whistle.i18n import Language
from whistle.tool.errors import NetworkError, RefusedBySiteError
from whistle.tool.keylist import KeyList
from whistle.tool.network import Site
from whistle.tool.sealing import Sealed

PIECE: Final = 1024 * 1024
ATTEMPTS: Final = 6
PAUSE: Final = 2.0  # seconds, more after each attempt
ACTION_READ: Final = 1
ACTION_APPEND: Final = 2
_PROMISE_CHARACTERS: Final = -(-PROMISE_LENGTH * 4 // 3)

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Delivered:
    """What the intake promised."""

    day: date
    promise: str


async def prove(site: Site, keys: ReceiptKeys, instance_id: bytes, action: int) -> dict[str, str]:
    """Return the members by which the intake knows the owner of a thread. Raises: NetworkError."""
    nonce = (await site.json("GET", "/api/v1/nonce")).get("nonce")
    try:
        raw = unhex(nonce, 32)
    except CryptoError as error:
        raise NetworkError("tool.answer") from error
    parts = (instance_id, raw, bytes([action]), keys.lookup_id)
    signature = sign(keys.auth_seed, Domain.REPORTER_AUTH, *parts)
    return {"lookup_id": keys.lookup_id.hex(), "nonce": raw.hex(), "signature": b64(signature)}


async def send(
    site: Site, sealed: Sealed, keys: KeyList, rng: Rng, progress: Progress = lambda _a, _b: None
) -> Delivered:
    """Deliver over the client interface. Raises: NetworkError."""
    uploads = [(blob, b64(rng(32))) for blob in sealed.head.blobs]
    total = sum(blob.size for blob in sealed.head.blobs)
    at = 0
    for blob, upload in uploads:
        report = _Offset(progress, at, total)
        await _send_blob(site, blob, upload, _Window(sealed.blobs, at, blob.size), report)
        at += blob.size
    return await _send_report(site, sealed, keys, uploads)


async def send_bundle(site: Site, sealed: Sealed, keys: KeyList, lang: Language) -> Delivered:
    """Deliver as a file on the page for bundles, all at once. Raises: NetworkError."""
    whole = BytesIO()
    sealed.write(whole)
    form = aiohttp.FormData(default_to_multipart=True)
    whole.seek(0)
    form.add_field("bundle", whole, filename="bundle.whb", content_type="application/octet-stream")
    page = (await site.post_form(f"/{lang}/sealed", form)).decode("utf-8", "replace")
    for line in page.replace("<", "\n").replace(">", "\n").splitlines():
        if len(line.strip()) == _PROMISE_CHARACTERS:
            try:
                return check_promise(line.strip(), sealed.keys, keys)
            except NetworkError:
                continue
    raise NetworkError("tool.no_promise")


def check_promise(text: str, own: ReceiptKeys, keys: KeyList) -> Delivered:
    """Verify that the intake holds this report. Raises: NetworkError."""
    try:
        data = unb64(text)
        promise = verify_promise(keys.manifest.services["intake"], data)
    except (CryptoError, KeyError) as error:
        raise NetworkError("tool.no_promise") from error
    if promise.instance_id != keys.instance_id or promise.commitment != commitment(own):
        raise NetworkError("tool.no_promise")
    return Delivered(promise.day, text)


@dataclass(frozen=True)
class _Window:
    """One attachment inside the file of all of them."""

    file: IO[bytes]
    start: int
    size: int

    def piece(self, number: int) -> bytes:
        """Return a piece."""
        offset = number * PIECE
        self.file.seek(self.start + offset)
        return self.file.read(min(PIECE, self.size - offset))


@dataclass(frozen=True)
class _Offset:
    progress: Progress
    before: int
    total: int

    def say(self, done: int) -> None:
        """Tell how much of everything has arrived."""
        self.progress(self.before + done, self.total)


async def _send_blob(
    site: Site, blob: BundleBlob, upload: str, window: _Window, report: _Offset
) -> None:
    pieces = -(-blob.size // PIECE)
    headers = {"Whistle-Upload": upload, "Whistle-Size": str(blob.size)}
    for attempt in range(ATTEMPTS):
        try:
            missing = await _missing(site, blob, upload, pieces)
            for number in missing:
                path = f"/api/v1/blobs/{blob.id}/{number}"
                await site.request("PUT", path, window.piece(number), headers)
                report.say(min((number + 1) * PIECE, blob.size))
            return
        except RefusedBySiteError:
            raise
        except NetworkError:
            if attempt == ATTEMPTS - 1:
                raise
            await asyncio.sleep(PAUSE * (attempt + 1))


async def _missing(site: Site, blob: BundleBlob, upload: str, pieces: int) -> list[int]:
    path = f"/api/v1/blobs/{blob.id}"
    answer = await site.json("GET", path, None, {"Whistle-Upload": upload})
    received = answer.get("received")
    if not isinstance(received, list):
        raise NetworkError("tool.answer")
    return [number for number in range(pieces) if number not in received]


async def _send_report(
    site: Site, sealed: Sealed, keys: KeyList, uploads: list[tuple[BundleBlob, str]]
) -> Delivered:
    head = sealed.head
    report = {
        "auth_public": head.auth_public.hex(),
        "mailbox_key": head.mailbox_key.hex(),
        "commitment": commitment(sealed.keys).hex(),
        "dossier": b64(head.dossier),
        "recipients": list(head.recipients),
        "container": b64(sealed.container),
        "blobs": [{"id": blob.id, "size": blob.size, "upload": up} for blob, up in uploads],
    }
    for attempt in range(ATTEMPTS):
        try:
            proof = await prove(site, sealed.keys, keys.instance_id, ACTION_APPEND)
            answer = await site.json("POST", "/api/v1/reports", {**report, **proof})
            return check_promise(str(answer.get("promise")), sealed.keys, keys)
        except RefusedBySiteError:
            raise
        except NetworkError:
            if attempt == ATTEMPTS - 1:
                raise
            await asyncio.sleep(PAUSE * (attempt + 1))
    raise NetworkError("tool.unreachable")
