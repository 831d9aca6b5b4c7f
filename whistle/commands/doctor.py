# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle doctor`: looks, changes nothing, and says how to mend each thing it finds.

Each check is one function from a `Patient` to findings; the table CHECKS is the list of them.
"""

import argparse
import json
import resource
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import date, timedelta
from importlib.metadata import packages_distributions
from pathlib import Path

import case_mgmt
import crypto
import onion
import whistle
from crypto.errors import CryptoError
from crypto.manifest import Manifest, verify_manifest
from whistle import clock
from whistle.cases.witnessed import NAME, WitnessFile
from whistle.commands.checkup import check_stored
from whistle.commands.findings import Finding, Level, Patient
from whistle.layout import Layout
from whistle.swap import disk_swap
from whistle.witness.client import ALARMING, Outcome

DISTRIBUTION = "whistle-intake"
OUR_PACKAGES = ("whistle", "crypto", "onion", "case_mgmt")
TOR_FLOOR = (0, 4, 9, 11)
"""Older tor can crash with proof of work on (TROVE-2026-020) or let a rendezvous point pose as us.
"""

MANIFEST_WARNING = timedelta(days=30)
BACKUP_AGE = timedelta(days=2)
DISK_LOW_BYTES = 2 * 1024**3
OTHERS = stat.S_IRWXG | stat.S_IRWXO
KEY_HEX_DIGITS = 64
DEMO_UTC_OFFSET = 7

ALARMS = {
    Outcome.CONFLICT: "it has seen another history of the log",
    Outcome.AHEAD: "it has seen a longer log than this one",
}
WITNESS_ALARM = (
    "stop the case server; compare the witness's checkpoint with this log; if the database was put "
    "back from an older backup, restore the newest one; never make a new log under the same key"
)
MARKS: dict[Level, str] = {"ok": "✓", "warn": "!", "bad": "✗"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `whistle doctor`."""
    parser.add_argument("--state", type=Path, default=Path("state"), help="state directory")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(args: argparse.Namespace) -> int:
    """Prints all findings; exit code 1 if one of them is bad."""
    patient = Patient(Layout(args.state.absolute()), clock.today(DEMO_UTC_OFFSET))
    findings = examine(patient)
    if args.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2, ensure_ascii=False))
    else:
        for finding in findings:
            print(f" {MARKS[finding.level]} {finding.what}")
            if finding.mend:
                print(f"     mend: {finding.mend}")
    return 1 if any(finding.level == "bad" for finding in findings) else 0


def examine(patient: Patient) -> list[Finding]:
    """Runs every check."""
    return [finding for check in CHECKS for finding in check(patient)]


def check_package_ownership(_: Patient) -> Iterator[Finding]:
    """SECURITY: a foreign `crypto` package would silently replace the sealing code."""
    owners = packages_distributions()
    strangers = sorted(
        {owner for name in OUR_PACKAGES for owner in owners.get(name, ())} - {DISTRIBUTION}
    )
    if strangers:
        yield Finding(
            "bad",
            f"other packages install files into ours: {', '.join(strangers)}",
            "make a fresh virtual environment with nothing but whistle in it",
        )
    else:
        yield Finding("ok", "our four packages belong to us alone")


def check_package_provenance(_: Patient) -> Iterator[Finding]:
    """All four packages must come from one folder."""
    parents = {
        Path(module.__file__ or "").resolve().parent.parent
        for module in (whistle, crypto, onion, case_mgmt)
    }
    if len(parents) == 1:
        yield Finding("ok", "our four packages come from one folder")
    else:
        yield Finding(
            "bad", "our packages come from different folders",
            "start with the installed `whistle` program, not with `python -m` in a foreign folder",
        )  # fmt: skip


def check_founded(patient: Patient) -> Iterator[Finding]:
    """Is there an organisation at all?"""
    if patient.layout.is_founded:
        yield Finding("ok", f"an organisation is founded in {patient.layout.state}")
    else:
        yield Finding(
            "bad", f"no organisation in {patient.layout.state}",
            "`whistle run` makes a demo, `whistle init` a real one",
        )  # fmt: skip


def _manifest(patient: Patient) -> Manifest:
    org = patient.layout.org
    instance = bytes.fromhex((org / "instance.id").read_text(encoding="ascii").strip())
    data, signature = (org / "manifest.json").read_bytes(), (org / "manifest.sig").read_bytes()
    return verify_manifest(data, signature, instance, patient.today)


def check_manifest(patient: Patient) -> Iterator[Finding]:
    """Signature and dates of the recipient manifest."""
    if not patient.layout.is_founded:
        return
    try:
        manifest = _manifest(patient)
    except (CryptoError, OSError, ValueError) as error:
        yield Finding(
            "bad", f"the manifest cannot be used ({type(error).__name__})",
            "sign it again with `whistle-desk root sign` and copy the result into org/",
        )  # fmt: skip
        return
    left = manifest.not_after - patient.today
    if left < MANIFEST_WARNING:
        yield Finding(
            "warn", f"the manifest expires in {left.days} days",
            "sign a new one with a higher serial: `whistle-desk root sign`",
        )  # fmt: skip
    else:
        yield Finding("ok", f"the manifest is signed and valid for {left.days} more days")
    if patient.today < manifest.not_before:
        yield Finding("bad", "the clock is before the manifest's first day", "set the system clock")


def check_permissions(patient: Patient) -> Iterator[Finding]:
    """Folders 0700, keys 0600."""
    layout = patient.layout
    folders = [layout.state, layout.intake, layout.cases, layout.tor, layout.people, layout.root]
    keys = [*layout.state.glob("*/*.key"), *layout.people.glob("*")]
    open_to_others = [
        path
        for path in (*folders, *keys)
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & OTHERS
    ]
    for path in open_to_others:
        mode = "700" if path.is_dir() else "600"
        yield Finding("bad", f"others can reach {path}", f"chmod {mode} {path}")
    if layout.state.exists() and not open_to_others:
        yield Finding("ok", "keys and folders are private to this user")


def check_key_files(patient: Patient) -> Iterator[Finding]:
    """A database key of a wrong length would silently become a passphrase (SQLCipher)."""
    for folder in (patient.layout.intake, patient.layout.cases):
        for name in ("db.key", "service.key"):
            path = folder / name
            if not path.exists():
                continue
            text = path.read_text(encoding="ascii", errors="replace").strip()
            if len(text) != KEY_HEX_DIGITS or not set(text) <= set("0123456789abcdef"):
                yield Finding(
                    "bad", f"{path} does not hold 64 hexadecimal digits",
                    "restore this file from the backup; without it the database cannot be opened",
                )  # fmt: skip


def check_witnesses(patient: Patient) -> Iterator[Finding]:
    """SECURITY: a witness that holds another history of the log is an alarm, never a passing fault
    (tests/whistle/commands/test_doctor.py::test_a_witness_that_saw_another_history)."""
    for name, outcome in WitnessFile(patient.layout.cases / NAME).recall().items():
        if outcome is Outcome.COSIGNED:
            yield Finding("ok", f"witness {name} cosigned the log")
        elif outcome in ALARMING:
            yield Finding("bad", f"witness {name}: {ALARMS[outcome]}", WITNESS_ALARM)
        else:
            yield Finding(
                "warn", f"witness {name} did not cosign ({outcome})",
                "ask whoever runs it; the log goes out while the others suffice",
            )  # fmt: skip


def check_rotation(patient: Patient) -> Iterator[Finding]:
    """A key that waits is a rotation that was interrupted, or not signed yet."""
    state = patient.layout.state
    for path in sorted([*state.glob("*/*.key.next"), *state.glob("tor/hs-*.next")]):
        action = "database" if path.name == "db.key.next" else "finish"
        yield Finding(
            "warn", f"{path} waits to come into force",
            f"stop the servers, then: whistle rotate {action} --state {state}",
        )  # fmt: skip


def check_backup(patient: Patient) -> Iterator[Finding]:
    """What came after the last backup is lost with this machine."""
    try:
        memory = json.loads((patient.layout.state / "backup" / "memory.json").read_bytes())
        number, day = int(memory["number"]), date.fromisoformat(memory["day"])
    except (OSError, ValueError, KeyError, TypeError):
        yield Finding("warn", "no backup was ever made here", "docs/runbooks/backup.md")
        return
    level: Level = "ok" if patient.today - day <= BACKUP_AGE else "warn"
    yield Finding(
        level, f"backup {number} was made on {day}",
        "" if level == "ok" else "is the timer running? docs/runbooks/backup.md",
    )  # fmt: skip


def check_tor(_: Patient) -> Iterator[Finding]:
    """Is the tor daemon there and new enough?"""
    program = shutil.which("tor")
    if program is None:
        yield Finding("bad", "tor is not installed", "apt install tor")
        return
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    words = done.stdout.split()
    text = words[2].rstrip(".") if len(words) > 2 else "?"
    numbers = tuple(int(part) for part in text.split("-")[0].split(".") if part.isdigit())
    if numbers < TOR_FLOOR:
        floor = ".".join(map(str, TOR_FLOOR))
        yield Finding("warn", f"tor {text} is older than {floor}", "apt update && apt install tor")
    else:
        yield Finding("ok", f"tor {text}")


def check_swap(_: Patient) -> Iterator[Finding]:
    """Plaintext in memory must not reach a disk through swap."""
    if disk_swap():
        yield Finding(
            "warn", "swap is on: report text in memory may reach the disk",
            "swapoff -a and remove it from /etc/fstab; or, if its key is new at every boot, "
            "start with --allow-swap",
        )  # fmt: skip
    else:
        yield Finding("ok", "no swap")


def check_core_dumps(_: Patient) -> Iterator[Finding]:
    """A core dump would hold report text."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_CORE)
    if soft == 0:
        yield Finding("ok", "no core dumps in this shell (the servers switch them off themselves)")
    else:
        yield Finding(
            "warn", "core dumps are on in this shell", "ulimit -c 0 (LimitCORE=0 in units)"
        )


def check_disk(patient: Patient) -> Iterator[Finding]:
    """Room for reports."""
    existing = patient.layout.state if patient.layout.state.exists() else Path("/")
    free = shutil.disk_usage(existing).free
    if free < DISK_LOW_BYTES:
        yield Finding("bad", f"only {free // 1024**2} MiB free", "make room on the disk")
    else:
        yield Finding("ok", f"{free // 1024**3} GiB free")


CHECKS: tuple[Callable[[Patient], Iterator[Finding]], ...] = (
    check_package_ownership,
    check_package_provenance,
    check_founded,
    check_manifest,
    check_permissions,
    check_key_files,
    check_witnesses,
    check_rotation,
    check_backup,
    check_tor,
    check_swap,
    check_core_dumps,
    check_disk,
    check_stored,
)
