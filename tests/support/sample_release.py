# SPDX-License-Identifier: AGPL-3.0-or-later
"""A release of an invented city, with stand-ins for the log: for tests of pages and folders."""

import hashlib
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from case_mgmt.catalogue import demo_catalogue
from case_mgmt.publication.history import Window
from tests.support.org import Org, make_org
from tests.support.sample_figures import sample_figures, sample_suppression, sample_tables
from whistle.release.inputs import EarlierRelease, LogHead, ReleaseInputs

PEOPLE = (
    ("penyidik-1", "investigator", "inspektorat-1"),
    ("penyidik-2", "investigator", "inspektorat-2"),
    ("pengawas", "supervisor", "inspektorat-pengaduan"),
    ("penerbit", "publisher", "inspektorat-pengaduan"),
    ("auditor", "auditor", "inspektorat-pengaduan"),
)
TODAY = date(2026, 10, 2)


def release_org(tmp_path: Path) -> Org:
    """An organisation with a publisher and an auditor."""
    return make_org(tmp_path, TODAY, people=PEOPLE)


def sample_inputs(org: Org, **changes: Any) -> ReleaseInputs:
    """Inputs of a first release."""
    names = ("manifest.json", "manifest.sig", "policy.json")
    inputs = ReleaseInputs(
        id="2026-q3",
        instance_id=org.instance_id,
        organisation={
            **{name: (org.dir / name).read_bytes() for name in names},
            "log-policy.txt": b"quorum none\n",
        },
        catalogue=demo_catalogue(),
        period=Window(date(2026, 7, 1), date(2026, 9, 27)),
        as_of=date(2026, 9, 27),
        log=LogHead(f"whistle/{org.instance_id.hex()}", 1234, hashlib.sha256(b"root").digest()),
        log_files={"checkpoint": b"checkpoint\n", "tile/0/000.p/1": bytes(32)},
        canaries=b'{"revealed":[],"v":1}',
        figures=sample_figures(),
        tables=sample_tables(),
        suppression=sample_suppression(),
    )
    return replace(inputs, **changes)


def second_inputs(org: Org, **changes: Any) -> ReleaseInputs:
    """Inputs of a release that has one before it."""
    earlier = EarlierRelease("2026-q2", "ab" * 32, sample_figures(), sample_tables())
    return sample_inputs(org, earlier=(earlier,), **changes)
