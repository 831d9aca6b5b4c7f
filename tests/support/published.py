# SPDX-License-Identifier: AGPL-3.0-or-later
"""A really signed release of a simulated city, and everything that signs: to tamper with.

town = Town.found(tmp_path, today)   organisation, log key, three witnesses, of which two must sign
folder = town.publish(city, "2026-q1", tmp_path / "r1")
town.reseal(folder)                  lists the files again and signs, as a dishonest office would
town.relog(folder, leaves)           rewrites the log, with honest or absent witnesses
"""

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from case_mgmt.figures.city import city_figures
from case_mgmt.publication.check import cases_from
from case_mgmt.publication.leaves import Leaf
from crypto.encoding import canonical_json
from crypto.signing import public_from_seed
from crypto.tlog.checkpoint import Checkpoint, sign_checkpoint
from crypto.tlog.cosignature import cosign
from crypto.tlog.lines import KeyType, public_key
from crypto.tlog.note import SignerKey, VerifierKey
from crypto.tlog.policy import Log, Witness, simple_policy
from crypto.tlog.tiles import write_tiles
from crypto.tlog.tree import Tree
from tests.support.city import City
from tests.support.org import Org, make_org, seed
from tests.support.sample_figures import sample_suppression, sample_tables
from whistle.release.sheets import SHEETS, sheet_files
from whistle.release.signing import sign

PEOPLE = (
    ("penyidik-1", "investigator", "inspektorat-1"),
    ("penyidik-2", "investigator", "inspektorat-2"),
    ("pengawas", "supervisor", "inspektorat-pengaduan"),
    ("penerbit", "publisher", "diskominfo"),
    ("auditor", "auditor", "luar"),
)
SIGNERS = ("penerbit", "auditor")
WITNESSES = ("kampus", "pers", "lembaga")
QUORUM = 2
WITNESSED = 1_700_000_000


@dataclass(frozen=True)
class Town:
    """An organisation with a log."""

    org: Org
    log_key: SignerKey

    @classmethod
    def found(cls, folder: Path, today: date, root: str = "root") -> "Town":
        """Make the keys, the policy and the manifest."""
        org = make_org(folder, today, people=PEOPLE, root=root)
        log_key = SignerKey(f"whistle/{org.instance_id.hex()}", seed("service log"))
        witnesses = [
            Witness(
                name,
                VerifierKey(name, KeyType.COSIGNATURE, public_key(seed(f"witness {name}"))),
            )
            for name in WITNESSES
        ]
        policy = simple_policy(Log(log_key.verifier), witnesses, QUORUM).encode()
        (org.dir / "log-policy.txt").write_text(policy, "utf-8")
        digest = hashlib.sha256(policy.encode()).hexdigest()
        services = {**org.manifest["services"], "log": public_from_seed(log_key.seed).hex()}
        org.rewrite(
            files={**org.manifest["files"], "log-policy.txt": digest}, services=services,
            not_before="2020-01-01", not_after="2040-01-01",
        )  # fmt: skip
        return cls(org, log_key)

    def checkpoint(self, entries: Sequence[bytes], witnesses: Sequence[str] = WITNESSES) -> str:
        """The signed and cosigned checkpoint of these entries."""
        tree = Tree()
        for entry in entries:
            tree.append(entry)
        text = Checkpoint(self.log_key.name, tree.size, tree.root())
        note = sign_checkpoint(text, self.log_key)
        lines = [
            cosign(seed(f"witness {each}"), each, text.text(), WITNESSED) for each in witnesses
        ]
        return note + "".join(lines)

    def log_files(
        self, entries: Sequence[bytes], witnesses: Sequence[str] = WITNESSES
    ) -> dict[str, bytes]:
        """`log/…` of a release."""
        tree = Tree()
        for entry in entries:
            tree.append(entry)
        files = {f"log/{path}": data for path, data in write_tiles(entries, tree).items()}
        return {**files, "log/checkpoint": self.checkpoint(entries, witnesses).encode()}

    def publish(self, city: City, name: str, out: Path, previous: Path | None = None) -> Path:
        """A whole release of the city as it stands."""
        for file in ("manifest.json", "manifest.sig", "policy.json", "log-policy.txt"):
            write(out / file, (self.org.dir / file).read_bytes())
        revealed = [
            {"case": each.pseudonym.hex(), "secret": each.log_secret.hex()}
            for each in city.canaries
        ]
        write(out / "canaries.json", canonical_json({"v": 1, "revealed": revealed}))
        head = {"v": 1, "id": name, "instance": self.org.instance_id.hex(), "reason": None}
        before = None
        if previous is not None:
            earlier = json.loads((previous / "release.json").read_bytes())
            before = {"id": earlier["id"], "sha256": digest_of(previous).hex()}
        write(
            out / "release.json",
            canonical_json({**head, "previous": before, "definitions": "2026-1"}),
        )
        self.relog(out, city.leaves)
        return out

    def relog(
        self, folder: Path, leaves: Sequence[Leaf], witnesses: Sequence[str] = WITNESSES
    ) -> None:
        """Give a release this log, with figures counted from it, and sign everything."""
        shutil.rmtree(folder / "log", ignore_errors=True)
        entries = [leaf.encode() for leaf in leaves]
        for path, data in self.log_files(entries, witnesses).items():
            write(folder / path, data)
        tree = Tree()
        for entry in entries:
            tree.append(entry)
        day = leaves[-1].period
        self.amend(
            folder,
            as_of=day.isoformat(),
            period={"from": leaves[0].period.isoformat(), "to": day.isoformat()},
            log={"origin": self.log_key.name, "size": tree.size, "root": tree.root().hex()},
        )
        self.recount(folder, leaves)

    def recount(self, folder: Path, leaves: Sequence[Leaf]) -> None:
        """Figures as they follow from the leaves, then everything signed."""
        revealed = json.loads((folder / "canaries.json").read_bytes())["revealed"]
        canaries = {bytes.fromhex(each["case"]) for each in revealed}
        figures = city_figures(cases_from(leaves), leaves[-1].period, canaries)
        write(folder / "data/figures.json", canonical_json(figures))
        tables = sample_tables()
        write(folder / "data/tables.json", canonical_json(tables))
        write(folder / "data/suppression.json", canonical_json(sample_suppression()))
        for path, data in sheet_files(figures, tables).items():
            write(folder / path, data)
        write(folder / "datapackage.json", json.dumps(_PACKAGE).encode())
        self.reseal(folder)

    def amend(self, folder: Path, **changes: Any) -> None:
        """Change members of release.json; nothing is signed again."""
        head = json.loads((folder / "release.json").read_bytes())
        write(folder / "release.json", canonical_json({**head, **changes}))

    def reseal(self, folder: Path, signers: Sequence[str] = SIGNERS) -> None:
        """List all files anew and sign, as an office would that means to deceive."""
        paths = [
            path for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name not in {"release.json", "release.sig"}
        ]  # fmt: skip
        files = {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in paths
        }
        self.amend(folder, files=files)
        (folder / "release.sig").unlink(missing_ok=True)
        for person in signers:
            sign(folder, person, self.org.identities[person].device_seed)


_PACKAGE = {
    "resources": [
        {
            "name": sheet.name,
            "path": sheet.path,
            "schema": {
                "fields": [{"name": name, "type": kind} for name, kind in sheet.columns.items()]
            },
        }
        for sheet in SHEETS
    ],
}


def digest_of(folder: Path) -> bytes:
    """SHA-256 of a release's release.json."""
    return hashlib.sha256((folder / "release.json").read_bytes()).digest()


def write(path: Path, data: bytes) -> None:
    """Write a file and its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
