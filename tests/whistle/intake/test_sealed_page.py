# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page for sealed files: bundles and stock age files in, everything else refused."""

import re
from collections.abc import Callable

import pytest

from crypto.age.writer import seal_all
from crypto.attachment import ciphertext_size
from crypto.body import ReportBody
from crypto.bundle import parse_head
from crypto.encoding import unb64
from crypto.frame import Origin
from crypto.private.open_report import open_attachment
from crypto.promise import commitment, verify_promise
from crypto.rng import system_rng
from crypto.signing import public_from_seed
from crypto.xwing import recipient_from_seed
from tests.support.intake import Answer, Intake, multipart, text_part
from tests.support.office import Office
from tests.support.sealed_client import Sealer, seal_file
from whistle.errors import UndecidedError
from whistle.intake import bundles

FILES = [seal_file(system_rng(100_000)), seal_file(b"kecil", "b.txt", "text/plain")]


async def send(intake: Intake, content: bytes, name: str = "bundle", **texts: str) -> Answer:
    head = f'name="{name}"; filename="laporan.whb"\r\nContent-Type: application/octet-stream'
    parts = [text_part(key, value) for key, value in texts.items()]
    return await intake.post("/en/sealed", multipart(*parts, (head.encode(), content)))


async def test_a_bundle_is_stored_and_confirmed(intake: Intake) -> None:
    sealer = Sealer(intake.org, origin=Origin.TOOL)
    bundle = sealer.bundle("Diminta lagi.", FILES)
    answer = await send(intake, bundle)
    assert answer.status == 200, answer.text
    promise = re.search(r'<p class="blob">([\w-]+)</p>', answer.text)
    assert promise is not None
    service = public_from_seed(intake.org.service_seeds["intake"])
    assert verify_promise(service, unb64(promise[1])).commitment == commitment(sealer.keys)
    office = Office(intake)
    (case,) = await office.collect()
    assert case.frame.origin is Origin.TOOL
    assert case.body.fields["story"] == "Diminta lagi."
    assert case.record["blobs"] == sorted(
        ({"id": one.id, "size": len(one.data)} for one in FILES), key=lambda one: str(one["id"])
    )
    for one in FILES:
        blob = await intake.feed("GET", f"/feed/v1/blobs/{one.id}")
        assert blob.body == one.data
    assert intake.blob_files() == sorted(one.id for one in FILES)
    view = intake.services.store.thread(sealer.keys.lookup_id)
    assert view is not None
    assert view.mode == "tool"

    again = await send(intake, bundle)
    assert (again.status, promise[0] in again.text) == (200, True)
    assert len(await office.records()) == 1
    assert intake.blob_files() == sorted(one.id for one in FILES)


async def test_a_bundle_without_files(intake: Intake) -> None:
    assert (await send(intake, Sealer(intake.org).bundle("x"))).status == 200
    assert len(await Office(intake).records()) == 1


def flipped(at: Callable[[bytes], int]) -> Callable[[bytes], bytes]:
    def change(bundle: bytes) -> bytes:
        place = at(bundle)
        return bundle[:place] + bytes([bundle[place] ^ 1]) + bundle[place + 1 :]

    return change


def container_at(bundle: bytes) -> int:
    return 8 + int.from_bytes(bundle[4:8], "big")


def first_blob_at(bundle: bytes) -> int:
    return container_at(bundle) + parse_head(bundle[8 : container_at(bundle)]).container


DAMAGE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "magic": (flipped(lambda _b: 3), "damaged"),
    "head length": (flipped(lambda _b: 4), "damaged"),
    "head": (flipped(lambda _b: 12), "damaged"),
    "container header": (flipped(container_at), "damaged"),
    "container payload": (flipped(lambda b: first_blob_at(b) - 1), "damaged"),
    "blob header": (flipped(first_blob_at), "damaged"),
    "more": (lambda b: b + b"x", "damaged"),
    "cut head": (lambda b: b[:100], "short"),
    "cut container": (lambda b: b[: container_at(b) + 50], "short"),
    "cut blob": (lambda b: b[:-1], "short"),
    "no blobs": (lambda b: b[: first_blob_at(b)], "short"),
    "magic only": (lambda _b: b"WHB1", "short"),
    "nothing": (lambda _b: b"", "none"),
    "text": (lambda _b: b"a letter that is not sealed at all", "damaged"),
    "armored": (lambda _b: b"-----BEGIN AGE ENCRYPTED FILE-----\n", "damaged"),
}


@pytest.mark.parametrize("name", DAMAGE)
async def test_damaged_bundles_leave_nothing(intake: Intake, name: str) -> None:
    change, problem = DAMAGE[name]
    sealer = Sealer(intake.org)
    answer = await send(intake, change(sealer.bundle("x", FILES)))
    assert answer.status == 422
    texts = intake.services.organisation.pages.texts("en")
    assert texts.t(f"sealed.problem_{problem}")[:30] in answer.text
    assert intake.blob_files() == []
    assert intake.services.store.thread(sealer.keys.lookup_id) is None


async def test_bundles_of_others(intake: Intake) -> None:
    sealer, other = Sealer(intake.org), Sealer(intake.org)
    stranger = type(intake.org)(**{**vars(intake.org), "instance_id": public_from_seed(bytes(32))})
    assert (await send(intake, Sealer(stranger).bundle("x"))).status == 422
    mine, theirs = sealer.bundle("x"), other.bundle("x")
    exchanged = mine[: container_at(mine)] + theirs[container_at(theirs) :]
    assert (await send(intake, exchanged)).status == 422
    assert (await send(intake, mine)).status == 200
    assert (await send(intake, sealer.bundle("y"))).status == 422
    assert len(await Office(intake).records()) == 1


async def test_a_stored_blob_is_never_written_over(intake: Intake) -> None:
    assert (await send(intake, Sealer(intake.org).bundle("x", FILES))).status == 200
    forged = seal_file(b"lain")
    taken = type(forged)(forged.data, FILES[1].reference)
    answer = await send(intake, Sealer(intake.org).bundle("y", [seal_file(b"x"), taken]))
    assert answer.status == 422
    assert intake.services.blobs.path(FILES[1].id).read_bytes() == FILES[1].data
    assert intake.blob_files() == sorted(one.id for one in FILES)


async def test_a_stock_age_file_becomes_a_report_with_a_receipt(intake: Intake) -> None:
    seeds = [one.recipient_seed for one in intake.org.identities.values()]
    content = seal_all([recipient_from_seed(one) for one in seeds], b"surat\n" * 999, system_rng)
    answer = await send(intake, content)
    assert answer.status == 200, answer.text
    assert len(re.findall(r"<li>[a-z]+</li>", answer.text)) == 24
    (case,) = await Office(intake).collect()
    assert case.body.fields == {"story": "Sent as an age file"}
    assert case.frame.origin is Origin.ARRIVAL
    (reference,) = case.body.attachments
    assert (reference.type, reference.name) == ("application/age-encryption", "laporan.whb")
    blob = await intake.feed("GET", f"/feed/v1/blobs/{reference.id}")
    assert open_attachment(reference, blob.body) == content
    assert ReportBody.parse(case.frame.body).lang == "en"


async def test_pressing_twice_with_an_age_file(intake: Intake) -> None:
    page = await intake.raw(b"GET /en/sealed HTTP/1.1\r\nHost: x\r\n\r\n")
    token = re.search(r'name="token" value="([^"]+)"', page.text)
    assert token is not None
    content = seal_all([recipient_from_seed(bytes(32))], b"x", system_rng)
    pages = [await send(intake, content, token=token[1]) for _ in range(2)]
    assert pages[0].body == pages[1].body
    assert len(await Office(intake).records()) == 1


AGE = seal_all([recipient_from_seed(bytes(32))], b"x", system_rng)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (AGE.replace(b"mlkem768x25519", b"X25519"), "recipients"),
        (b"age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 18\n" + b"A" * 43
         + b"\n--- " + b"A" * 43 + b"\n" + bytes(99), "recipients"),
        (AGE.replace(b"\n--- ", b"\n-> other x\n\n--- ", 1), "recipients"),
        (AGE.replace(b"--- ", b"--- !"), "damaged"),
        (AGE[:1000], "short"),
        (AGE[: 1627 + 20], "short"),
        (b"age-encryption.org/v1\n", "short"),
        (b"age-encryption.org/v1\n" + b"-> x\n" * 40_000, "damaged"),
        (AGE + bytes(400_000), "too_large"),
    ],
)  # fmt: skip
async def test_other_age_files_are_refused(intake: Intake, content: bytes, problem: str) -> None:
    answer = await send(intake, content)
    assert answer.status == 422
    texts = intake.services.organisation.pages.texts("en")
    assert texts.t(f"sealed.problem_{problem}")[:30] in answer.text
    assert intake.blob_files() == []
    assert await Office(intake).records() == []


async def test_a_file_under_another_name_is_malformed(intake: Intake) -> None:
    assert (await send(intake, AGE, "file")).status == 400


async def test_another_site_cannot_send(intake: Intake) -> None:
    body = multipart((b'name="bundle"; filename="x"', AGE))
    answer = await intake.post("/en/sealed", body, headers=b"Sec-Fetch-Site: cross-site\r\n")
    assert answer.status == 403


def test_the_largest_bundle_holds_five_files() -> None:
    assert bundles.largest_bundle(300_000) > 5 * ciphertext_size(303_104)


async def test_a_bundle_that_may_be_stored_keeps_its_files(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def undecided(*_: object) -> bool:
        raise UndecidedError

    sealer = Sealer(intake.org)
    data = sealer.bundle("x", FILES)
    with monkeypatch.context() as patch:
        patch.setattr(type(intake.services.store), "add_report", undecided)
        assert (await send(intake, data)).status == 503
    assert len(intake.blob_files()) == len(FILES)
    assert intake.services.disk.memory.used == 0


async def test_a_bundle_without_room_in_memory_is_told_to_come_back(intake: Intake) -> None:
    budget = intake.services.disk.memory
    budget.take(budget._most)
    try:
        assert (await send(intake, Sealer(intake.org).bundle("x", FILES))).status == 503
    finally:
        budget.give_back(budget._most)
    assert budget.used == 0
    assert intake.blob_files() == []
