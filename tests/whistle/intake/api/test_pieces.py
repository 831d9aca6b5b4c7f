# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pieces: any order, again and again, durable, bounded, and nobody else's."""

import asyncio
import os
from datetime import UTC, datetime

import pytest

from crypto.encoding import b64
from crypto.rng import system_rng
from tests.support.intake import Calendar, Intake
from tests.support.sealed_client import SealedClient, SealedFile, Sealer, seal_file
from whistle import limits
from whistle.intake import pieces, upload_table, uploads
from whistle.limits import PIECE

FILE = seal_file(system_rng(3 * PIECE + 5000))


def fresh(file: SealedFile = FILE) -> SealedFile:
    """The same bytes as another upload."""
    return seal_file(system_rng(3 * PIECE + 5000)) if file is FILE else file


async def state(client: SealedClient, file: SealedFile) -> object:
    return (await client.call("GET", f"/api/v1/blobs/{file.id}", **file.headers))[1]


async def test_out_of_order_and_repeated_pieces_make_the_file(
    intake: Intake, client: SealedClient
) -> None:
    assert await state(client, FILE) == {"size": None, "received": []}
    for number in (3, 0, 2, 0, 1, 3):
        assert await client.put(FILE, number) == 200
    assert await state(client, FILE) == {"size": len(FILE.data), "received": [0, 1, 2, 3]}
    path = intake.services.blobs.path(FILE.id)
    assert path.read_bytes() == FILE.data
    assert datetime.fromtimestamp(path.stat().st_mtime, UTC) == datetime(2026, 4, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "change"),
    [
        (0, lambda piece: piece[:-1]),
        (0, lambda piece: piece + b"x"),
        (0, lambda _piece: b""),
        (3, lambda piece: piece[:-1]),  # a truncated last piece
        (3, lambda piece: piece + b"x"),
        (3, lambda piece: piece.ljust(PIECE, b"x")),
        (4, lambda _piece: b"x"),
        (9999, lambda _piece: b"x"),
    ],
)
async def test_pieces_of_a_wrong_size_leave_nothing(
    intake: Intake, client: SealedClient, number: int, change: object
) -> None:
    data = change(FILE.pieces[min(number, 3)])  # type: ignore[operator]
    status, answer = await client.call(
        "PUT", f"/api/v1/blobs/{FILE.id}/{number}", data, **FILE.headers
    )
    assert (status, answer) == (400, {"error": "piece"})
    assert intake.blob_files() == []
    assert await state(client, FILE) == {"size": None, "received": []}


async def test_other_bytes_are_refused_and_change_nothing(
    intake: Intake, client: SealedClient
) -> None:
    await client.put(FILE, 0)
    for at in (0, PIECE // 2, PIECE - 1):
        other = bytearray(FILE.pieces[0])
        other[at] ^= 1
        assert await client.put(FILE, 0, bytes(other)) == 409
    assert intake.services.blobs.path(FILE.id).read_bytes() == FILE.pieces[0]


async def test_a_foreign_upload_key_gets_nothing(client: SealedClient) -> None:
    await client.put(FILE, 0)
    thief = SealedFile(FILE.data, FILE.reference)
    assert await client.put(thief, 0) == 409
    assert await client.put(thief, 1) == 409
    assert await state(client, thief) == {"size": None, "received": []}
    assert await state(client, FILE) == {"size": len(FILE.data), "received": [0]}


async def test_another_size_for_the_same_id_is_refused(client: SealedClient) -> None:
    await client.put(FILE, 0)
    longer = seal_file(system_rng(4 * PIECE))
    headers = {**FILE.headers, "Whistle-Size": str(len(longer.data))}
    answer = await client.call("PUT", f"/api/v1/blobs/{FILE.id}/1", FILE.pieces[1], **headers)
    assert answer == (409, {"error": "conflict"})


GOOD = FILE.headers
HOSTILE = [
    ({}, 400, "bad_request"),
    ({"Whistle-Size": GOOD["Whistle-Size"]}, 400, "bad_request"),
    ({"Whistle-Upload": GOOD["Whistle-Upload"]}, 400, "bad_request"),
    *[
        ({**GOOD, "Whistle-Upload": value}, 400, "bad_request")
        for value in ("", "x", b64(bytes(31)), b64(bytes(33)), "=" * 43, "ü" * 43, "A" * 44)
    ],
    *[
        ({**GOOD, "Whistle-Size": value}, 400, "bad_request")
        for value in ("", "-1", "0", "1e6", "0x10", "1 2", "9" * 13, "٣", "1_000")
    ],
    *[
        ({**GOOD, "Whistle-Size": str(len(FILE.data) + change)}, 400, "size")
        for change in (-1, 1, -16, 16, 1024)
    ],
    ({**GOOD, "Whistle-Size": "1"}, 400, "size"),
    ({**GOOD, "Whistle-Size": "67194"}, 400, "size"),
    ({**GOOD, "Whistle-Size": "999999999999"}, 413, "too_large"),
    ({**GOOD, "Content-Encoding": "gzip"}, 415, "media_type"),
    ({**GOOD, "Sec-Fetch-Site": "cross-site"}, 403, "cross_site"),
    ({**GOOD, "Origin": "http://elsewhere.example"}, 403, "cross_site"),
]


async def test_hostile_headers(intake: Intake) -> None:
    for headers, status, code in HOSTILE:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
        head = b"PUT /api/v1/blobs/%s/0 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 3\r\n"
        answer = await intake.raw(head % (FILE.id.encode(), intake.port) + lines + b"\r\nabc")
        assert (answer.status, answer.body) == (status, b'{"error":"%s"}' % code.encode()), headers
    assert intake.blob_files() == []


OTHER = [
    ("PUT", "/api/v1/blobs/xyz/0", 404),
    ("PUT", f"/api/v1/blobs/{'A' * 32}/0", 404),
    ("PUT", f"/api/v1/blobs/{'a' * 31}/0", 404),
    ("PUT", f"/api/v1/blobs/{'a' * 32}/00", 404),
    ("PUT", f"/api/v1/blobs/{'a' * 32}/-1", 404),
    ("PUT", f"/api/v1/blobs/{'a' * 32}/99999", 404),
    ("PUT", f"/api/v1/blobs/{'a' * 32}/0/x", 404),
    ("GET", "/api/v1/blobs/..%2fintake.db", 404),
    ("GET", f"/api/v1/blobs/{'a' * 32}", 400),
    ("DELETE", f"/api/v1/blobs/{'a' * 32}", 405),
    ("POST", "/api/v1/nonce", 405),
    ("GET", "/api/v1/reports", 405),
    ("GET", "/api/v2/nonce", 404),
]


async def test_other_paths_answer_in_json(client: SealedClient) -> None:
    for method, path, wanted in OTHER:
        status, answer = await client.call(method, path)
        assert (status, set(answer)) == (wanted, {"error"}), path


async def test_a_piece_in_chunks_without_a_length(client: SealedClient) -> None:
    async def slowly() -> object:
        for at in range(0, PIECE, 100_000):
            yield FILE.pieces[0][at : min(at + 100_000, PIECE)]

    path = f"/api/v1/blobs/{FILE.id}/0"
    async with client._session.put(
        client._base + path, data=slowly(), headers=FILE.headers
    ) as answer:
        assert answer.status == 200


async def broken_put(
    intake: Intake, file: SealedFile, number: int, sent: int
) -> asyncio.StreamWriter:
    """Begin a piece and stop in the middle; the connection stays open."""
    _reader, writer = await asyncio.open_connection("127.0.0.1", intake.port)
    piece = file.pieces[number]
    head = "".join(f"{name}: {value}\r\n" for name, value in file.headers.items())
    writer.write(
        f"PUT /api/v1/blobs/{file.id}/{number} HTTP/1.1\r\nHost: x\r\n"
        f"Content-Length: {len(piece)}\r\n{head}\r\n".encode()
    )
    writer.write(piece[:sent])
    await writer.drain()
    await asyncio.sleep(0.1)
    return writer


async def test_a_stalled_connection_does_not_hold_its_piece(
    intake: Intake, client: SealedClient
) -> None:
    stalled = await broken_put(intake, FILE, 0, 700_000)
    assert await client.put(FILE, 0) == 200
    stalled.write(FILE.pieces[0][700_000:])
    stalled.close()
    await asyncio.sleep(0.1)
    assert intake.services.blobs.path(FILE.id).read_bytes() == FILE.pieces[0]


async def test_a_broken_first_piece_leaves_no_file(intake: Intake) -> None:
    writer = await broken_put(intake, FILE, 0, 700_000)
    assert intake.blob_files() == [FILE.id]
    writer.close()
    for _ in range(50):
        await asyncio.sleep(0.02)
        if not intake.blob_files():
            break
    assert intake.blob_files() == []


async def test_the_same_piece_at_once(intake: Intake, client: SealedClient) -> None:
    statuses = await asyncio.gather(*(client.put(FILE, 0) for _ in range(8)))
    assert set(statuses) <= {200, 409}
    assert 200 in statuses
    assert intake.services.blobs.path(FILE.id).read_bytes() == FILE.pieces[0]


async def test_different_bytes_at_once_never_mix(intake: Intake, client: SealedClient) -> None:
    wanted = [bytes([number]) * PIECE for number in range(6)]
    statuses = await asyncio.gather(*(client.put(FILE, 1, data) for data in wanted))
    assert statuses.count(200) == 1
    stored = intake.services.blobs.path(FILE.id).read_bytes()[PIECE : 2 * PIECE]
    assert stored == wanted[statuses.index(200)]


async def test_durable_before_acknowledged(
    intake: Intake, client: SealedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    sync, add = os.fsync, upload_table.UploadTable.add

    def synced(descriptor: int) -> None:
        order.append("sync")
        sync(descriptor)

    async def added(*args: object) -> None:
        order.append("add")
        await add(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(pieces.os, "fsync", synced)
    monkeypatch.setattr(upload_table.UploadTable, "add", added)
    assert await client.put(FILE, 0) == 200
    assert order == ["sync", "sync", "add"]  # the bytes, the folder, the row
    order.clear()
    assert await client.put(FILE, 0) == 200
    assert order == []


async def test_a_failing_disk_is_no_acknowledgement(
    intake: Intake, client: SealedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(pieces.os, "pwrite", full)
        assert await client.put(FILE, 0) == 503
    assert await state(client, FILE) == {"size": None, "received": []}
    assert await client.put(FILE, 0) == 200


async def test_quota_of_bytes(client: SealedClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_table, "MAX_UNCLAIMED", 2 * PIECE)
    assert [await client.put(FILE, number) for number in range(3)] == [200, 200, 413]
    answer = await client.call("PUT", f"/api/v1/blobs/{FILE.id}/2", FILE.pieces[2], **FILE.headers)
    assert answer == (413, {"error": "quota"})


async def test_quota_of_uploads(
    intake: Intake, client: SealedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_table, "MAX_UPLOADS", 1)
    assert await client.put(FILE, 0) == 200
    other = fresh()
    assert await client.put(other, 0) == 413
    assert intake.blob_files() == [FILE.id]


async def test_a_nearly_full_disk_refuses(
    client: SealedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "DISK_RESERVE", 1 << 60)
    assert await client.put(FILE, 0) == 503


async def test_what_nobody_takes_expires(
    intake: Intake, client: SealedClient, calendar: Calendar
) -> None:
    other = fresh()
    await client.put(FILE, 0)
    await client.put(other, 0)
    calendar.pass_days(1)
    assert await intake.services.pieces.expire(calendar.day) == 0
    await client.put(other, 1)
    calendar.pass_days(1)
    assert await intake.services.pieces.expire(calendar.day) == 1
    assert intake.blob_files() == [other.id]
    assert await state(client, FILE) == {"size": None, "received": []}
    assert await client.put(FILE, 1) == 200
    assert await state(client, FILE) == {"size": len(FILE.data), "received": [1]}


async def test_an_upload_in_use_does_not_expire(
    intake: Intake, client: SealedClient, calendar: Calendar
) -> None:
    await client.put(FILE, 0)
    writer = await broken_put(intake, FILE, 1, 1000)
    calendar.pass_days(5)
    assert await intake.services.pieces.expire(calendar.day) == 0
    writer.close()
    await asyncio.sleep(0.2)
    assert await intake.services.pieces.expire(calendar.day) == 1
    assert intake.blob_files() == []


async def test_a_taken_id_cannot_be_sent_again(
    intake: Intake, client: SealedClient, sealer: Sealer
) -> None:
    file = seal_file(b"kecil")
    await client.upload(file)
    assert (await client.report(sealer, sealer.report("x", [file])))[0] == 200
    assert await client.put(file, 0) == 409
    assert await state(client, file) == {"size": None, "received": []}
    assert intake.services.blobs.path(file.id).read_bytes() == file.data


async def test_limits_fit_each_other() -> None:
    assert limits.PIECE == 1_048_576
    assert limits.HARD_MAX_FILE // PIECE < 9999
    assert limits.MAX_FILE_BYTES <= limits.HARD_MAX_FILE
