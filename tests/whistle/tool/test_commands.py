# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sealed with the tool, delivered in every way, read with the code: over a real intake."""

import os
import shutil
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from case_mgmt.model import ActKind, State
from crypto.attachment import ciphertext_size
from crypto.frame import Origin
from crypto.manifest import instance_fingerprint_words
from crypto.padding import padme
from tests.support.http_reporter import HttpReporter, visible
from tests.support.intake import Intake
from tests.support.office import Case, Office
from tests.whistle.tool.running import pinned, tool, write_answers


async def seal(intake: Intake, folder: Path, *words: object, **answers: str) -> Any:
    done = await tool(
        "seal", *words, "--manifest", intake.org.dir, *pinned(intake), "--json",
        "--answers", write_answers(folder, **answers), "--out", folder / "b.whb",
    )  # fmt: skip
    assert done.code == 0, done.err
    return done.json


async def read(intake: Intake, code: str, *words: object) -> Any:
    return await tool("read", "--site", intake.base, *pinned(intake), "--json", *words, typed=code)


@pytest.mark.parametrize("lang", ["id", "en"])
async def test_sent_then_answered_then_read(intake: Intake, tmp_path: Path, lang: str) -> None:
    photo = tmp_path / "foto.jpg"
    photo.write_bytes(os.urandom(2_500_000))
    sealed = await seal(intake, tmp_path, photo, "--send", intake.base)
    assert sealed["sent"]
    assert sealed["day"] == intake.calendar.day.isoformat()
    office = Office(intake)
    (case,) = await office.collect()
    assert case.frame.origin is Origin.TOOL
    assert case.body.fields == {"story": "Biaya administrasi diminta."}
    assert [blob["size"] for blob in case.record["blobs"]] == [ciphertext_size(padme(2_500_000))]
    done = await read(intake, sealed["receipt"][lang])
    assert (done.code, done.json["state"], done.json["acts"]) == (0, "received", [])
    await answer(office, case)
    done = await read(intake, sealed["receipt"][lang])
    assert done.code == 0, done.err
    shown = done.json
    assert (shown["state"], shown["verified"]) == ("assessing", True)
    assert [act["signer"] for act in shown["acts"]] == ["cases", "penyidik-1"]
    assert shown["timeline"][-1]["text"] == "Laporan sudah dibaca."
    assert shown["due"]
    assert shown["overdue_since"] is None
    intake.calendar.pass_days(200)
    assert (await read(intake, sealed["receipt"][lang])).json["overdue_since"] is not None


async def answer(office: Office, case: Case) -> None:
    assert await office.act(case, ActKind.RECEIVED, State.RECEIVED) == 200
    more = {"text": "Laporan sudah dibaca."}
    assert await office.act(case, ActKind.TRANSITION, State.ASSESSING, **more) == 200


async def test_for_people(intake: Intake, tmp_path: Path) -> None:
    done = await tool(
        "seal", "--manifest", intake.org.dir, *pinned(intake), "--send", intake.base,
        "--answers", write_answers(tmp_path), "--out", tmp_path / "b.whb",
    )  # fmt: skip
    assert done.code == 0, done.err
    for part in ("Indonesian: ", "English: ", "Write it on paper", "Arrived", "DEMO", "Sealed to:"):
        assert part in done.out
    words = done.out.split("English: ")[1].splitlines()[0]
    office = Office(intake)
    (case,) = await office.collect()
    await answer(office, case)
    shown = await tool("read", "--site", intake.base, *pinned(intake), typed=words)
    assert shown.code == 0, shown.err
    for part in ("Being assessed", "Laporan sudah dibaca.", "signed: penyidik-1", "due by"):
        assert part in shown.out
    assert words not in shown.out + shown.err


async def test_bundle_by_hand_on_the_page_without_script(intake: Intake, tmp_path: Path) -> None:
    sealed = await seal(intake, tmp_path)
    assert not sealed["sent"]
    page = await upload(intake, (tmp_path / "b.whb").read_bytes())
    assert "answer=200" in page
    again = await upload(intake, (tmp_path / "b.whb").read_bytes())
    assert "answer=200" in again
    assert len(await Office(intake).collect()) == 1
    assert (await read(intake, sealed["receipt"]["id"])).json["state"] == "received"
    async with HttpReporter(intake.base) as reporter:
        status = visible(await reporter.look(sealed["receipt"]["id"].split()))
    assert "Diterima" in status


async def upload(intake: Intake, data: bytes) -> str:
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("bundle", data, filename="bundle.whb")
    async with (
        aiohttp.ClientSession() as session,
        session.post(intake.base + "/en/sealed", data=form) as answered,
    ):
        return f"answer={answered.status} " + await answered.text()


async def test_damaged_bundle_is_refused(intake: Intake, tmp_path: Path) -> None:
    await seal(intake, tmp_path)
    data = bytearray((tmp_path / "b.whb").read_bytes())
    data[-1] ^= 1
    assert "answer=422" in await upload(intake, bytes(data))
    assert "answer=422" in await upload(intake, bytes(data[:-1]))
    assert await Office(intake).records() == []


async def test_pinned_by_words_over_the_site(intake: Intake, tmp_path: Path) -> None:
    words = " ".join(instance_fingerprint_words(intake.org.instance_id, "en"))
    flags = ("--manifest", intake.base, "--answers", write_answers(tmp_path), "--json")
    done = await tool("seal", *flags, "--words", words, "--out", tmp_path / "b.whb")
    assert done.code == 0, done.err
    wrong = " ".join(instance_fingerprint_words(bytes(32), "en"))
    done = await tool("seal", *flags, "--words", wrong, "--out", tmp_path / "c.whb")
    assert done.code == 1
    assert "do not belong" in done.err
    done = await tool("seal", *flags, "--out", tmp_path / "c.whb")
    assert done.code == 1
    assert not (tmp_path / "c.whb").exists()


async def test_site_with_another_list_gets_nothing(intake: Intake, tmp_path: Path) -> None:
    older = tmp_path / "older"
    shutil.copytree(intake.org.dir, older)
    intake.org.rewrite(serial=2)
    intake.calendar.seconds += 3600
    done = await tool(
        "seal", "--manifest", older, *pinned(intake), "--send", intake.base, "--json",
        "--answers", write_answers(tmp_path), "--out", tmp_path / "b.whb",
    )  # fmt: skip
    assert done.code == 1
    assert not done.json["sent"]
    assert "seal again" in done.err
    assert (tmp_path / "b.whb").exists()
    assert await Office(intake).records() == []


async def test_forged_act_is_named(intake: Intake, tmp_path: Path) -> None:
    """The mailbox key is shared: a box alone proves nothing."""
    sealed = await seal(intake, tmp_path, "--send", intake.base)
    office = Office(intake)
    (case,) = await office.collect()
    assert await office.act(case, ActKind.RECEIVED, State.RECEIVED) == 200
    await office.act(
        case, ActKind.TRANSITION, State.ASSESSING, text="Palsu.", signer="device stranger"
    )
    done = await read(intake, sealed["receipt"]["en"])
    assert done.code == 1
    assert not done.json["verified"]
    assert set(done.json["acts"][1]["problems"]) == {"signer", "message"}
    people = await tool(
        "read", "--site", intake.base, *pinned(intake), typed=sealed["receipt"]["en"]
    )
    assert "WARNING" in people.out


@pytest.mark.parametrize(
    ("code", "part"),
    [
        ("", "no code"),
        ("one two three", "always has 12 words"),
        ("season hockey runner beacon baggage hawk satisfy sudden travel polar segment foggy",
         "no report with this code"),
        ("season hockey runner beacon baggage hawk satisfy sudden travel polar segment season",
         "do not fit together"),
        ("seazon hockey runner beacon baggage hawk satisfy sudden travel polar segment foggy",
         "Word 1 is not in the word list"),
    ],
)  # fmt: skip
async def test_codes_that_open_nothing(intake: Intake, code: str, part: str) -> None:
    done = await read(intake, code)
    assert done.code == 1
    assert part in done.err
    assert not any(word in done.err for word in code.split() if len(word) > 5)


async def test_the_code_is_no_argument(intake: Intake) -> None:
    done = await tool("read", "--site", intake.base, *pinned(intake), "season", "hockey")
    assert done.code == 2


@pytest.mark.parametrize(
    ("site", "part"),
    [
        ("https://example.org", "address"),
        ("http://example.org", "address"),
        ("http://127.0.0.1/path", "address"),
        ("http://" + "a" * 56 + ".onion", "wrong character"),
        ("http://pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion", "--proxy"),
    ],
)
async def test_addresses(intake: Intake, site: str, part: str) -> None:
    done = await tool("read", "--site", site, *pinned(intake), typed="x")
    assert done.code == 1
    assert part in done.err


async def test_no_tor_running(intake: Intake) -> None:
    onion = "http://pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"
    code = "season hockey runner beacon baggage hawk satisfy sudden travel polar segment foggy"
    done = await tool(
        "read", "--site", onion, "--proxy", "socks5://127.0.0.1:9", *pinned(intake), typed=code
    )
    assert done.code == 1
    assert "cannot be reached" in done.err
