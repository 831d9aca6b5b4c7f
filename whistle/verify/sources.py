# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where a reporter's or an auditor's check takes its log from: a release, or the site's own files.

Invariant: whichever it is, organisation, witnesses and entries are verified alike.

Source: docs/spec/verify.md section 6.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crypto.encoding import unhex
from crypto.errors import MalformedError
from whistle.verify.faults import Fault, FaultError, Verdict
from whistle.verify.folder import MAX_FILE, RELEASE, Release
from whistle.verify.organisation import Organisation, open_organisation
from whistle.verify.publiclog import (
    CHECKPOINT,
    PublicLog,
    accept_checkpoint,
    broken_rules,
    policy_of,
    read_log,
)
from whistle.verify.release import Trust, verify_base

INSTANCE: Final = "instance.id"


@dataclass(frozen=True)
class Source:
    """A verified log, and whose it is."""

    organisation: Organisation
    log: PublicLog


def open_source(folder: Path, trust: Trust, verdict: Verdict) -> Source:
    """Verify the log of a release, or of a folder with `log/` and the organisation's files.

    Notes each check in `verdict`; raises FaultError when there is no log to use.
    """
    if (folder / RELEASE).exists():
        base = verify_base(Release.open(folder), trust, verdict)
        return Source(base.organisation, base.log)
    read = _reader(folder)
    with verdict.checking("organisation") as facts:
        organisation = open_organisation(_required(read), _claimed(read), trust.pin)
        facts["serial"] = organisation.manifest.serial
    with verdict.checking("witnesses") as facts:
        note = _required(read)(CHECKPOINT)
        accepted = accept_checkpoint(note, policy_of(organisation), organisation.instance_id)
        if trust.policy is not None:
            accept_checkpoint(note, trust.policy, organisation.instance_id)
        facts["count"] = len(accepted.witnesses)
        facts["names"] = ", ".join(each.name for each in accepted.witnesses) or "–"
    with verdict.checking("entries") as facts:
        log = read_log(read, accepted, organisation.instance_id)
        facts["count"] = len(log.entries)
    verdict.judge("rules", broken_rules(log), count=len(log.leaves))
    return Source(organisation, log)


def _reader(folder: Path) -> Callable[[str], bytes | None]:
    def read(path: str) -> bytes | None:
        target = folder / path
        try:
            if target.stat().st_size > MAX_FILE:
                return None
            return target.read_bytes()
        except OSError:
            return None

    return read


def _required(read: Callable[[str], bytes | None]) -> Callable[[str], bytes]:
    def required(path: str) -> bytes:
        data = read(path)
        if data is None:
            raise FaultError(Fault.FILE_MISSING, path)
        return data

    return required


def _claimed(read: Callable[[str], bytes | None]) -> bytes | None:
    data = read(INSTANCE)
    try:
        return None if data is None else unhex(data.decode("ascii").strip(), 32)
    except (MalformedError, UnicodeDecodeError):
        return None
