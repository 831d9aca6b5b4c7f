# SPDX-License-Identifier: AGPL-3.0-or-later
"""An operator at work: `whistle backup, restore, rotate` as processes, with an identity offline."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from tests.support.service import PROGRAMS

PASSPHRASE = "kertas-di-laci-besi"
CHEAP = ("--memory-mib", "64")


class Operator:
    """Somebody with a drawer: identity, passphrases, root key, the shelf of backups."""

    def __init__(self, drawer: Path, state: Path) -> None:
        self.drawer = drawer
        self.state = state
        self.shelf = drawer / "shelf"
        drawer.mkdir(exist_ok=True)
        self.passphrase = drawer / "passphrase"
        self.passphrase.write_text(PASSPHRASE)
        self.identity = drawer / "backup.identity"

    def make_identity(self) -> None:
        self.call(
            "whistle-desk", "backup", "new", "--out", self.identity,
            "--passphrase-file", self.passphrase, *CHEAP,
        )  # fmt: skip

    @property
    def recipient(self) -> Path:
        return self.identity.with_suffix(".recipient")

    @property
    def instance(self) -> str:
        """As printed on paper."""
        paper = self.drawer / "instance"
        if not paper.exists():
            shutil.copyfile(self.state / "org" / "instance.id", paper)
        return paper.read_text().strip()

    def backup(self, *flags: str | Path) -> str:
        """Adds a backup."""
        return self.call(
            "whistle", "backup", "make", "--state", self.state, "--to", self.shelf,
            "--recipient", self.recipient, *flags,
        )  # fmt: skip

    def opening(self) -> list[str | Path]:
        """Flags that open a backup."""
        return [
            "--from", self.shelf, "--identity", self.identity, "--instance", self.instance,
            "--passphrase-file", self.passphrase,
        ]  # fmt: skip

    def restore(self, target: Path, *flags: str | Path) -> str:
        return self.call("whistle", "restore", "--state", target, *self.opening(), *flags)

    def drill(self, *flags: str | Path) -> str:
        return self.call("whistle", "backup", "drill", *self.opening(), *flags)

    def sign_draft(self, state: Path, root: Path, passphrase: Path) -> Path:
        """Signs a manifest's draft with the root key, as on the offline computer."""
        signed = self.drawer / "signed"
        shutil.rmtree(signed, ignore_errors=True)
        self.call(
            "whistle-desk", "root", "sign", "--root", root, "--passphrase-file", passphrase,
            "--manifest-draft", state / "draft" / "manifest-draft.json", "--out", signed,
        )  # fmt: skip
        return signed

    def call(self, *words: str | Path, wanted: int = 0) -> str:
        """What a command printed, errors included."""
        command = [str(PROGRAMS / str(words[0])), *map(str, words[1:])]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=240,
            stdin=subprocess.DEVNULL, env={**os.environ, "LANG": "en"},
        )  # fmt: skip
        text = done.stdout + done.stderr
        assert done.returncode == wanted, text
        return text

    def manifest(self) -> dict[str, object]:
        """The manifest in force."""
        found: dict[str, object] = json.loads((self.state / "org" / "manifest.json").read_bytes())
        return found
