# SPDX-License-Identifier: AGPL-3.0-or-later
"""The commands against a real case server: what they do, say, and with which exit code."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from case_mgmt.acts import message_hash
from crypto.body import ReplyBody
from tests.whistle.desk.bureau import Bureau, Reporter, running_bureau
from tests.whistle.desk.commands import at_terminal, desk, run
from whistle.desk.arguments import build_parser
from whistle.desk.cli import language

ASSESSING = "Laporan Anda sudah kami baca."
EXAMINING = "Kami memeriksa buku tamu loket 2."
CLOSING = "Terbukti; petugas ditindak dan KTP Anda siap."
KTP = {"story": "Empat kali datang.", "unit": "kel-melati", "service": "ktp-pindah"}


@pytest.fixture
async def bureau(tmp_path: Path) -> AsyncIterator[Bureau]:
    async with running_bureau(tmp_path) as made:
        yield made


async def waiting(bureau: Bureau, case: str) -> str:
    """The hash of the closing that waits for a second person."""
    shown = (await desk(bureau, "pengawas", "show", case)).json
    return str(shown["proposal"]["act"])


def colleague(person: str) -> str:
    return "penyidik-2" if person == "penyidik-1" else "penyidik-1"


async def examined(bureau: Bureau, reporter: Reporter) -> tuple[str, str]:
    """A case under examination and the person who handles it."""
    case = reporter.report(KTP)
    owner = bureau.assignee(case)
    for target, text in (("assessing", ASSESSING), ("examining", EXAMINING)):
        done = await desk(bureau, owner, "act", case, "--to", target, "--message", text)
        assert done.json["status"] == "committed"
    return case, owner


async def test_the_main_job(bureau: Bureau) -> None:
    reporter = Reporter(bureau)
    case, owner = await examined(bureau, reporter)
    proposed = await desk(bureau, owner, "act", case, "--to", "upheld_action", "--message", CLOSING)
    assert proposed.json["status"] == "awaiting_second"
    assert proposed.json["state"] == "examining"
    assert proposed.json["proposal"] == {"to": "upheld_action", "by": owner}
    second = colleague(owner)
    seen = (await desk(bureau, second, "show", case)).json
    assert seen["proposal"]["text"] == CLOSING
    assert seen["proposal"]["problem"] is None
    confirmed = await desk(bureau, second, "act", case, "--to", "upheld_action")
    assert (confirmed.json["status"], confirmed.json["state"]) == ("confirmed", "upheld_action")
    assert confirmed.json["warning"] is None
    entry = bureau.history(case)[-1]
    frame, _raw = reporter.read(entry.container)
    assert ReplyBody.parse(frame.body).text == CLOSING
    assert entry.signed.act.message == message_hash(entry.container)


async def test_a_second_person_with_other_words_is_told(bureau: Bureau) -> None:
    case, owner = await examined(bureau, Reporter(bureau))
    words = ("act", case, "--to", "upheld_action", "--message")
    await desk(bureau, owner, *words, CLOSING)
    done = await desk(bureau, colleague(owner), *words, "Kata lain dari orang kedua.")
    assert done.json["status"] == "confirmed"
    assert "not the one you just gave" in done.json["warning"]


async def test_the_proposer_cannot_confirm(bureau: Bureau) -> None:
    case, owner = await examined(bureau, Reporter(bureau))
    words = ("act", case, "--to", "upheld_action", "--message", CLOSING)
    await desk(bureau, owner, *words)
    again = await desk(bureau, owner, *words)
    assert again.code == 1
    assert "second person" in again.err
    confirm = await desk(bureau, owner, "confirm", case, "--act", await waiting(bureau, case))
    assert confirm.code == 1


async def test_confirm_and_return(bureau: Bureau) -> None:
    case, owner = await examined(bureau, Reporter(bureau))
    words = ("act", case, "--to", "insufficient", "--reason", "no_contact", "--message", CLOSING)
    second = colleague(owner)
    assert (await desk(bureau, second, "confirm", case, "--act", "00" * 32)).code == 1
    await desk(bureau, owner, *words)
    returned = await desk(bureau, second, "return", case)
    assert (returned.json["status"], returned.json["proposal"]) == ("returned", None)
    assert (await desk(bureau, second, "return", case)).code == 1
    await desk(bureau, owner, *words)
    act = await waiting(bureau, case)
    assert (await desk(bureau, second, "confirm", case, "--act", "00" * 32)).code == 1
    done = await desk(bureau, second, "confirm", case, "--act", act)
    assert (done.json["status"], done.json["state"]) == ("confirmed", "insufficient")
    assert done.json["confirmed"]["reason"] == "no_contact"
    assert bureau.history(case)[-1].signed.hash == act


async def test_confirm_says_which_or_asks(bureau: Bureau) -> None:
    case, owner = await examined(bureau, Reporter(bureau))
    await desk(bureau, owner, "act", case, "--to", "upheld_action", "--message", CLOSING)
    for flags in ((), ("--lang", "en")):
        done = await desk(bureau, colleague(owner), "confirm", case, *flags)
        assert (done.code, done.out) == (2, "")
    assert "--act HASH" in done.err
    assert len(bureau.history(case)) == 4


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("ya\n", 0), ("n\n", 1), ("", 1)])
async def test_at_a_terminal_the_words_are_shown_and_asked_about(
    bureau: Bureau, typed: str, code: int
) -> None:
    case, owner = await examined(bureau, Reporter(bureau))
    await desk(bureau, owner, "act", case, "--to", "upheld_action", "--message", CLOSING)
    words = ["confirm", case, *bureau.words(colleague(owner)), "--lang", "en"]
    done = await asyncio.to_thread(at_terminal, typed, *words)
    assert done.code == code, done.err
    asked = done.out.index("Sign this closing as the second person? [y/N]")
    assert done.out.index(CLOSING) < asked
    assert done.out.index(f"{owner} proposes to close: Upheld, action taken") < asked
    assert ("confirmed as second person" in done.out) == (code == 0)
    assert len(bureau.history(case)) == 4 + (code == 0)


async def test_the_proposer_is_not_even_asked(bureau: Bureau) -> None:
    case, owner = await examined(bureau, Reporter(bureau))
    await desk(bureau, owner, "act", case, "--to", "upheld_action", "--message", CLOSING)
    words = ["confirm", case, *bureau.words(owner), "--lang", "en"]
    done = await asyncio.to_thread(at_terminal, "y\n", *words)
    assert (done.code, done.out) == (1, "")


async def test_a_second_person_with_another_reason_is_refused(bureau: Bureau) -> None:
    case, owner = await examined(bureau, Reporter(bureau))
    words = ("act", case, "--to", "outside_mandate", "--message", CLOSING, "--reason")
    await desk(bureau, owner, *words, "police")
    refused = await desk(bureau, colleague(owner), *words, "kpk")
    assert (refused.code, "another reason" in refused.err) == (1, True)
    assert bureau.history(case)[-1].signed.act.target == "examining"
    done = await desk(bureau, colleague(owner), *words, "police")
    assert (done.json["status"], done.json["warning"]) == ("confirmed", None)


async def test_the_second_person_is_told_what_was_confirmed(bureau: Bureau) -> None:
    case, owner = await examined(bureau, Reporter(bureau))
    words = ("act", case, "--to", "insufficient", "--reason", "no_contact", "--message", CLOSING)
    await desk(bureau, owner, *words)
    said = await desk(bureau, colleague(owner), *words[:4], "--lang", "en")
    assert said.code == 0
    for text in (CLOSING, "The reporter will read:", f"{owner} proposes to close", "Reason: "):
        assert text in said.out


async def test_acting_as_second_person_asks_nothing(bureau: Bureau) -> None:
    case, owner = await examined(bureau, Reporter(bureau))
    words = ("act", case, "--to", "upheld_action", "--message", CLOSING)
    await desk(bureau, owner, *words)
    done = await desk(bureau, colleague(owner), *words)
    assert (done.json["status"], done.json["confirmed"]["text"]) == ("confirmed", CLOSING)


async def test_a_message_by_the_reporter_unsettles_a_proposal(bureau: Bureau) -> None:
    reporter = Reporter(bureau)
    case, owner = await examined(bureau, reporter)
    await desk(bureau, owner, "act", case, "--to", "upheld_action", "--message", CLOSING)
    act = await waiting(bureau, case)
    reporter.add("Ada bukti baru.")
    done = await desk(bureau, colleague(owner), "confirm", case, "--act", act)
    assert done.code == 1


async def test_list_orders_by_deadline(bureau: Bureau) -> None:
    first = Reporter(bureau).report(KTP)
    bureau.pass_days(2)
    second = Reporter(bureau).report(KTP)
    listed = (await desk(bureau, "pengawas", "list")).json
    assert [case["case"] for case in listed["cases"]] == [first, second]
    assert listed["today"] == "2026-04-09"
    assert listed["cases"][0]["allowed"] == [
        {"to": "assessing", "needs_second": False, "needs_reason": False},
        {"to": "set_aside", "needs_second": True, "needs_reason": True},
    ]
    bureau.pass_days(10)
    people = await desk(bureau, "pengawas", "list", "--lang", "id")
    assert people.out.count("Lewat tenggat sejak") == 2
    assert "\x1b[" not in people.out


async def test_list_without_cases(bureau: Bureau) -> None:
    assert (await desk(bureau, "pengawas", "list")).json["cases"] == []
    people = await desk(bureau, "pengawas", "list", "--lang", "en")
    assert people.out == "There is no case for you.\n"


async def test_show_for_people(bureau: Bureau) -> None:
    reporter = Reporter(bureau)
    case = reporter.report(KTP, [("foto.jpg", b"isi")])
    reporter.add("Saya ingat sesuatu.")
    owner = bureau.assignee(case)
    await desk(bureau, owner, "note", case, "--text", "Hubungi Dukcapil.")
    await desk(bureau, owner, "update", case, "--message", "Kami sedang menelaahnya.")
    shown = (await desk(bureau, owner, "show", case, "--lang", "id")).out
    for words in (
        case, "Disegel saat tiba", "Empat kali datang.", "Kelurahan Melati", "biaya resmi",
        "Rp\u00a00", "foto.jpg", "Saya ingat sesuatu.", "Hubungi Dukcapil.",
        "Kami sedang menelaahnya.", "sah",
    ):  # fmt: skip
        assert words in shown


async def test_show_as_json(bureau: Bureau) -> None:
    reporter = Reporter(bureau)
    case = reporter.report(KTP, [("foto.jpg", b"isi")])
    reporter.add("Saya ingat sesuatu.", [("lagi.jpg", b"dua")])
    shown = (await desk(bureau, "pengawas", "show", case)).json
    assert shown["report"]["fields"] == KTP
    assert shown["report"]["origin"] == "arrival"
    assert shown["report"]["files"][0]["name"] == "foto.jpg"
    assert shown["messages"][0]["text"] == "Saya ingat sesuatu."
    assert shown["messages"][0]["files"][0]["position"] == 2
    assert [act["kind"] for act in shown["history"]] == ["received", "assign", "follow_up"]
    assert shown["verified"] is True
    assert shown["remarks"] == []


async def test_who_is_accused_sees_nothing(bureau: Bureau) -> None:
    case = Reporter(bureau).report({"story": "x", "unit": "inspektorat-1"})
    assert (await desk(bureau, "penyidik-1", "list")).json["cases"] == []
    assert (await desk(bureau, "penyidik-1", "show", case)).code == 1
    assert (await desk(bureau, "penyidik-2", "show", case)).code == 0


async def test_files_are_saved_safely(bureau: Bureau, tmp_path: Path) -> None:
    content = bytes(range(256)) * 1000
    case = Reporter(bureau).report(
        KTP, [("../../foto.jpg", content), ("foto.jpg", b"dua"), ("struk\u202egpj.exe", b"MZ")]
    )
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "foto.jpg").write_bytes(b"mine")
    done = await desk(bureau, "pengawas", "files", case, "--to", folder)
    paths = [Path(file["path"]) for file in done.json["files"]]
    names = ["foto (2).jpg", "foto (2) (2).jpg", "strukgpj.exe"]
    assert [path.name for path in paths] == names
    assert paths[0].read_bytes() == content
    assert (folder / "foto.jpg").read_bytes() == b"mine"
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["foto.jpg", "SHA256SUMS", *names]
    )
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir() if path.name in names)
    sums = Path(done.json["checksums"])
    assert sums.stat().st_mode & 0o077 == 0
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    lines = [f"{digest}  {path.name}" for digest, path in zip(digests, paths, strict=True)]
    assert sums.read_text().splitlines() == lines
    assert [file["risky"] for file in done.json["files"]] == [False, False, True]
    people = await desk(bureau, "pengawas", "files", case, "--to", folder, "--lang", "en")
    assert "may run a program" in people.err


async def test_a_reporters_file_cannot_be_the_list_of_checksums(
    bureau: Bureau, tmp_path: Path
) -> None:
    case = Reporter(bureau).report(KTP, [("SHA256SUMS", b"palsu")])
    done = (await desk(bureau, "pengawas", "files", case, "--to", tmp_path / "out")).json
    assert Path(done["checksums"]).name == "SHA256SUMS (2)"
    assert Path(done["checksums"]).read_text().endswith("  SHA256SUMS\n")


async def test_no_files_no_checksums(bureau: Bureau, tmp_path: Path) -> None:
    case = Reporter(bureau).report(KTP)
    done = (await desk(bureau, "pengawas", "files", case, "--to", tmp_path / "out")).json
    assert (done["files"], done["checksums"]) == ([], None)


async def test_a_damaged_file_leaves_nothing(bureau: Bureau, tmp_path: Path) -> None:
    case = Reporter(bureau).report(KTP, [("foto.jpg", b"isi")])
    (blob,) = (bureau.folder / "cases" / "blobs").iterdir()
    raw = bytearray(blob.read_bytes())
    raw[-40] ^= 1
    blob.write_bytes(raw)
    done = await desk(bureau, "pengawas", "files", case, "--to", tmp_path / "out")
    assert done.code == 1
    assert list((tmp_path / "out").iterdir()) == []


async def test_extension(bureau: Bureau) -> None:
    reporter = Reporter(bureau)
    case, owner = await examined(bureau, reporter)
    words = ("extend", case, "--message", "Kami menunggu dokumen dari dinas.", "--until")
    refused = await desk(bureau, owner, *words, "2026-07-31")
    assert refused.code == 1
    assert "reason" in refused.err
    done = await desk(bureau, owner, *words, "2026-07-31", "--reason", "awaiting_documents")
    assert done.json["status"] == "committed"
    shown = (await desk(bureau, owner, "show", case)).json
    assert shown["overall_due"] == "2026-07-31"
    assert shown["history"][-1]["until"] == "2026-07-31"
    assert shown["history"][-1]["text"].endswith(
        "\n\nKeputusan diambil paling lambat 31 Juli 2026."
    )
    assert shown["remarks"] == []
    frame, _raw = reporter.read(bureau.history(case)[-1].container)
    assert ReplyBody.parse(frame.body).text == shown["history"][-1]["text"]


async def test_assign_is_for_supervisors(bureau: Bureau) -> None:
    case = Reporter(bureau).report(KTP)
    owner = bureau.assignee(case)
    refused = await desk(bureau, owner, "assign", case, "--person", colleague(owner))
    assert refused.code == 1
    done = await desk(bureau, "pengawas", "assign", case, "--person", colleague(owner))
    assert done.json["status"] == "committed"
    assert bureau.assignee(case) == colleague(owner)
    assert (await desk(bureau, "pengawas", "assign", case, "--person", "nobody")).code == 1


async def test_message_from_a_file(bureau: Bureau, tmp_path: Path) -> None:
    reporter = Reporter(bureau)
    case = reporter.report(KTP)
    path = tmp_path / "pesan.txt"
    path.write_text("Baris satu.\r\n\r\nBaris dua yang lebih panjang.\n")
    owner = bureau.assignee(case)
    words = ("act", case, "--to", "assessing", "--message-file")
    assert (await desk(bureau, owner, *words, path)).json["status"] == "committed"
    frame, _raw = reporter.read(bureau.history(case)[-1].container)
    assert ReplyBody.parse(frame.body).text == "Baris satu.\n\nBaris dua yang lebih panjang."
    assert (await desk(bureau, owner, *words, tmp_path / "none")).code == 2
    path.write_bytes(b"\xff\xfe")
    assert (await desk(bureau, owner, *words, path)).code == 2
    path.write_bytes(b"a" * 300_000)
    assert (await desk(bureau, owner, *words, path)).code == 2


REFUSED = {
    "not in the table": (("--to", "examining", "--message", EXAMINING), 1, "no such step"),
    "unfinished template": (("--to", "assessing", "--message", "Kami [x] nanti"), 1, "square"),
    "no message": (("--to", "assessing"), 1, "say something"),
    "unknown code": (("--to", "closed", "--message", EXAMINING), 2, "There are: received"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_refusals(bureau: Bureau, name: str) -> None:
    words, code, sentence = REFUSED[name]
    case = Reporter(bureau).report(KTP)
    done = await desk(bureau, bureau.assignee(case), "act", case, *words)
    assert (done.code, done.out) == (code, "")
    assert sentence in done.err
    assert done.err.startswith("whistle-desk: ")
    assert len(bureau.history(case)) == 2


async def test_only_who_is_assigned_decides(bureau: Bureau) -> None:
    case = Reporter(bureau).report(KTP)
    other = colleague(bureau.assignee(case))
    words = ("act", case, "--to", "assessing", "--message", ASSESSING)
    done = await desk(bureau, other, *words)
    assert done.code == 1
    assert "assigned" in done.err
    assert (await desk(bureau, "pengawas", *words)).json["status"] == "committed"


async def test_a_refused_step_stores_nothing(bureau: Bureau) -> None:
    case = Reporter(bureau).report(KTP)
    owner = bureau.assignee(case)
    await desk(bureau, owner, "act", case, "--to", "examining", "--message", EXAMINING)
    shown = (await desk(bureau, owner, "show", case)).json
    assert (shown["notes"], shown["remarks"]) == ([], [])


async def test_wrong_case_numbers(bureau: Bureau) -> None:
    assert (await desk(bureau, "pengawas", "show", "WH-00000000")).code == 1
    for text in ("../organisation", "WH-ILOU0000", "", "WH-0000000"):
        assert (await desk(bureau, "pengawas", "show", text)).code == 2
    case = Reporter(bureau).report(KTP)
    assert (await desk(bureau, "pengawas", "show", f" {case.lower()} ")).code == 0


async def test_wrong_passphrase(bureau: Bureau, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("salah salah salah\n")
    words = ["list", *bureau.words("pengawas")]
    words[words.index("--passphrase-file") + 1] = str(wrong)
    done = await asyncio.to_thread(run, *words, "--lang", "id")
    assert done.code == 4
    assert "Kata sandinya salah" in done.err


async def test_unreachable_server_says_what_to_check(bureau: Bureau) -> None:
    words = bureau.words("pengawas")
    words[words.index("--server") + 1] = "http://127.0.0.1:9"
    done = await asyncio.to_thread(run, "list", *words, "--lang", "en")
    assert done.code == 3
    assert "Check that it runs" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("wanted", "environment", "expected"),
    [(None, {}, "id"), (None, {"LANG": "id_ID.UTF-8"}, "id"), (None, {"LANG": "C.UTF-8"}, "en"),
     (None, {"LANG": "id_ID", "LC_ALL": "en_GB"}, "en"), ("id", {"LANG": "C"}, "id"),
     ("en", {}, "en")],
)  # fmt: skip
def test_language(wanted: str | None, environment: dict[str, str], expected: str) -> None:
    assert language(wanted, environment) == expected


def test_usage_errors_are_2() -> None:
    assert run("act", "WH-00000000").code == 2
    assert run("list", "--key", "x").code == 2
    assert run().code == 2


def test_every_command_has_help() -> None:
    parser = build_parser()
    for words in (("list",), ("act",), ("serve",), ("keys", "new"), ("root", "sign")):
        assert run(*words, "--help").out.startswith("usage: whistle-desk")
    assert "Exit codes" in parser.format_help()


def test_until_is_a_day() -> None:
    args = build_parser().parse_args(
        ["extend", "WH-00000000", "--until", "2026-07-31", "--keystore", "k", "--server", "u"]
    )
    assert args.until == date(2026, 7, 31)
    assert run("extend", "WH-00000000", "--until", "besok", "--keystore", "k").code == 2
