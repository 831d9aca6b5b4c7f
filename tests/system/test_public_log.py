# SPDX-License-Identifier: AGPL-3.0-or-later
"""From reports to a verified release with nothing faked: servers, desks, witnesses are processes.

Reports, an act, a later message → end of the week → checkpoint with two of three witnesses → draft,
two signatures, submission → the status page shows the entries → `whistle verify` agrees, and the
promise is kept.  Then the office acts and no batch comes any more: the status page accuses it.
"""

import asyncio
import contextlib
import hashlib
import json
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from case_mgmt.publication.names import LOG
from crypto.encoding import unb64
from crypto.tlog.note import VerifierKey
from crypto.tlog.policy import Witness, parse_policy
from tests.support.http_reporter import HttpReporter, visible
from tests.support.service import PROGRAMS, Service
from tests.support.witnesses import RunningWitness, found, serving
from whistle.commands.founding import log_policy

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

FORM = {
    "unit": "kel-melati", "service": "ktp-pindah", "happened": "asked_paid",
    "how": "spoken", "asked": "under_50k", "paid": "under_50k",
}  # fmt: skip
REPORTS = 10
AHEAD = "8"
"""Days: the week of the reports is over whatever day the test runs on."""
FAR_AHEAD = "40"
"""Days: whatever was to be in the log is overdue, but for what may wait for other reports."""
LATER = "Petugasnya memakai seragam cokelat."
OVERDUE = "padahal dinyatakan akan ada"


def demo_with_witnesses(state: Path, witnesses: list[RunningWitness]) -> tuple[Service, str]:
    """A demo organisation whose root has signed a policy that names these witnesses, quorum 2."""
    service = Service(state, "--no-tor")
    service.start()
    service.stop()
    org = state / "org"
    manifest = json.loads((org / "manifest.json").read_text("utf-8"))
    instance = bytes.fromhex((org / "instance.id").read_text("ascii").strip())
    listed = [Witness(each.name, VerifierKey.parse(each.vkey), each.url) for each in witnesses]
    policy = log_policy(instance, manifest["services"][LOG], listed, 2)
    draft = state / "draft"
    draft.mkdir()
    for name in ("policy.json", "catalogue.json"):
        (draft / name).write_bytes((org / name).read_bytes())
    (draft / "log-policy.txt").write_text(policy, "utf-8")
    manifest["files"]["log-policy.txt"] = hashlib.sha256(policy.encode()).hexdigest()
    manifest["serial"] += 1
    (draft / "manifest-draft.json").write_text(json.dumps(manifest), "utf-8")
    root = ["--root", state / "root/root.key", "--passphrase-file", state / "root/passphrase.txt"]
    program(
        "whistle-desk", "root", "sign", *root, "--manifest-draft", draft / "manifest-draft.json",
        "--out", draft,
    )  # fmt: skip
    program("whistle", "init", "--state", state, "--install", draft)
    return service, parse_policy(policy).logs[0].key.encode()


def program(name: str, *words: str | Path, check: bool = True) -> str:
    """Run one of our programs; its output."""
    done = subprocess.run(
        [PROGRAMS / name, *map(str, words)], capture_output=True, text=True, check=False
    )
    if check and done.returncode != 0:
        raise AssertionError(f"{name} {words[0]}: {done.stdout}{done.stderr}")
    return done.stdout


def fetch(service: Service, path: str) -> bytes:
    with urllib.request.urlopen(service.ready["reporter"].rstrip("/") + path) as answer:
        content: bytes = answer.read()
    return content


async def until_public(service: Service, size: int) -> None:
    """Wait until the intake shows a checkpoint of so many entries."""
    deadline = time.monotonic() + 60
    while True:
        with contextlib.suppress(OSError):
            if int(fetch(service, "/log/checkpoint").split(b"\n")[1]) >= size:
                return
        assert time.monotonic() < deadline, "the log does not become public"
        await asyncio.sleep(0.3)


async def send_reports(service: Service, count: int) -> list[list[str]]:
    codes = []
    async with HttpReporter(service.ready["reporter"]) as reporter:
        for number in range(count):
            draft = await reporter.draft({**FORM, "story": f"Pungutan di loket, nomor {number}"})
            codes.append(await reporter.send(draft))
    return codes


async def write_later(service: Service, code: list[str]) -> None:
    """A later message of the reporter."""
    async with HttpReporter(service.ready["reporter"]) as reporter:
        await reporter.write(await reporter.look(code), LATER)


async def evidence(service: Service, code: list[str]) -> tuple[str, bytes]:
    """The status page's text, and the reporter's file."""
    async with HttpReporter(service.ready["reporter"]) as reporter:
        page = await reporter.look(code)
        text = await reporter.get("/id/status/evidence")
    return visible(page), text.encode()


async def test_from_report_to_verified_release(tmp_path: Path) -> None:
    witnesses = [found(tmp_path, name) for name in ("kampus", "pers", "warga")]
    service, log_key = demo_with_witnesses(tmp_path / "state", witnesses)
    with contextlib.ExitStack() as stack:
        stack.callback(service.stop)
        with contextlib.ExitStack() as running:
            for witness in witnesses:
                running.enter_context(serving(witness, log_key))
            code, case = await reported_and_published(service, tmp_path)
        await withheld(service, code, case)


async def reported_and_published(service: Service, tmp_path: Path) -> tuple[list[str], str]:
    """The first report's code and case, once all of it is in the log and in a release."""
    service.start()
    (code,) = await send_reports(service, 1)
    desk = service.desk("pengawas")
    case = str(desk.wait_for(1)[0]["case"])
    await send_reports(service, REPORTS - 1)
    assert len(desk.wait_for(REPORTS)) == REPORTS
    desk.run("act", case, "--to", "assessing", "--message", "Kami telaah.")
    await write_later(service, code)
    text, _ = await evidence(service, code)
    assert "Masuk catatan publik paling lambat" in text

    service.restart("--no-tor", "--demo-days-ahead", AHEAD)
    await until_public(service, 1 + REPORTS + 1)
    note = fetch(service, "/log/checkpoint")
    accepted = parse_policy(fetch(service, "/log-policy.txt")).require(note)
    assert len(accepted.witnesses) >= 2

    text, paper = await evidence(service, code)
    assert text.count("Ada di catatan publik: nomor") == 2
    assert OVERDUE not in text
    release = publish(service, tmp_path / "2026-release")
    verify(tmp_path, release, paper)
    about = fetch(service, f"/releases/{release.name}/release.json")
    assert about == (release / "release.json").read_bytes()
    return code, case


async def withheld(service: Service, code: list[str], case: str) -> None:
    """No witness signs any more, so no batch gets out: the day the office named passes."""
    before = fetch(service, "/log/checkpoint")
    service.desk("pengawas").run("act", case, "--to", "examining", "--message", "Kami periksa.")
    service.restart("--no-tor", "--demo-days-ahead", FAR_AHEAD)
    text, _ = await evidence(service, code)
    assert fetch(service, "/log/checkpoint") == before
    assert text.count("Ada di catatan publik: nomor") == 2
    assert OVERDUE in text


def publish(service: Service, folder: Path) -> Path:
    """Draft, sign twice, submit; the folder under the release's name."""
    publisher = service.desk("penerbit")
    ahead = ("--demo-days-ahead", AHEAD)
    drafted = publisher.run("publish", "draft", "--out", folder, *ahead)
    release = folder.rename(folder.with_name(drafted["id"]))
    early = publisher.run("publish", "submit", release, *ahead, check=False)
    assert early["exit"] == 1
    for person in ("penerbit", "auditor"):
        keystore = service.ready["keystores"][person]["path"]
        program(
            "whistle", "publish", "sign", release, "--keystore", keystore,
            "--passphrase-file", service.ready["passphrase_file"],
        )  # fmt: skip
    assert publisher.run("publish", "submit", release, *ahead)["status"] == "published"
    deadline = time.monotonic() + 60
    while True:
        with contextlib.suppress(OSError):
            if fetch(service, f"/releases/{release.name}/release.json"):
                return release
        assert time.monotonic() < deadline, "the release does not appear"
        time.sleep(0.3)


def verify(tmp_path: Path, release: Path, paper: bytes) -> None:
    """The verifier's own programs, on files alone."""
    program("whistle", "verify", "release", release)
    file = tmp_path / "whistle-log.json"
    file.write_bytes(paper)
    program("whistle", "verify", "promise", file, "--log", release)
    assert len(unb64(json.loads(paper)["promise"])) == 140
