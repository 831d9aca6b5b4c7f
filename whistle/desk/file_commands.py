# SPDX-License-Identifier: AGPL-3.0-or-later
"""The command `files`: saves what reporters sent; opens stock age files; makes clean copies.

Originals are always saved as they came. What a stock age file holds, and the clean copy, lie beside
them under names of their own, and all of them are in SHA256SUMS. A file that does not open, or of
which there is no clean copy, is said and does not stop the others.
"""

import argparse
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from case_mgmt.desk.evidence import EvidenceFile
from crypto.rng import Rng
from whistle.desk import json_views
from whistle.desk.casefile import CaseFile
from whistle.desk.cleaning import CleanCopy, clean_copy
from whistle.desk.connection import Surroundings, workbench_of
from whistle.desk.errors import GateRefusedError, SandboxError
from whistle.desk.json_views import Json
from whistle.desk.material import Material, content_of
from whistle.desk.sandbox import require_sandbox
from whistle.desk.saving import once, prepare_folder, save, save_as, save_checksums
from whistle.desk.terminal import Terminal, error_text
from whistle.desk.workbench import Workbench


@dataclass(frozen=True)
class _Fetch:
    """One run of the command."""

    bench: Workbench
    case: CaseFile
    folder: Path
    rng: Rng
    terminal: Terminal
    sums: list[tuple[str, Path]] = field(default_factory=list)
    """Hash and file of everything saved."""


async def files(args: argparse.Namespace, terminal: Terminal, surroundings: Surroundings) -> None:
    """Saves every attachment of a case, opened and verified, under safe names.

    Raises: SandboxError before anything is fetched, if clean copies cannot be made here.
    """
    if args.clean:
        require_sandbox("clean")
    async with workbench_of(args, terminal, surroundings) as bench:
        case = await bench.open(args.case)
        prepare_folder(args.to)
        fetch = _Fetch(bench, case, args.to, surroundings.rng, terminal)
        listed = [await _fetched(fetch, file, clean=args.clean) for file in case.files]
    checksums = await save_checksums(args.to, fetch.sums, surroundings.rng)
    if terminal.as_json:
        sums = None if checksums is None else str(checksums)
        terminal.result({"case": case.record.summary.case, "files": listed, "checksums": sums})
        return
    if checksums is None:
        terminal.say("desk.cli.no_files")
    else:
        terminal.line(str(checksums), "quiet")


async def _fetched(fetch: _Fetch, file: EvidenceFile, *, clean: bool) -> Json:
    """Saves one file and what belongs to it; what `--json` says about it."""
    terminal, material = fetch.terminal, Material(fetch.case, file)
    async with fetch.bench.attachment(fetch.case, file) as pieces:
        path = await save(fetch.folder, file, pieces, fetch.rng)
    fetch.sums.append((file.ref.sha256, path))
    _say_saved(terminal, path, file.ref.size, file.ref.sha256)
    listed = json_views.file_json(file, str(path))
    if file.risky:
        terminal.warn(terminal.texts.t("desk.file.risky_named", name=path.name))
    if material.is_sealed_inside:
        listed["opened"] = await _opened(fetch, material)
    if clean and (listed["opened"] is None or listed["opened"]["problem"] is None):
        listed["clean"] = await _clean(fetch, material)
    return listed


async def _opened(fetch: _Fetch, material: Material) -> Json:
    """Saves what a stock age file holds."""
    counted = _Counted()
    try:
        async with content_of(fetch.bench, material) as pieces:
            path = await save_as(fetch.folder, material.name, counted.through(pieces), fetch.rng)
    except GateRefusedError as error:
        _say_problem(fetch.terminal, material, error)
        return json_views.unopened_json(error)
    digest = counted.digest.hexdigest()
    fetch.sums.append((digest, path))
    if not fetch.terminal.as_json:
        fetch.terminal.say("desk.age.opened", name=material.file.name)
    _say_saved(fetch.terminal, path, counted.size, digest)
    if material.risky:
        fetch.terminal.warn(fetch.terminal.texts.t("desk.file.risky_named", name=path.name))
    return json_views.opened_json(path.name, str(path), counted.size, digest)


async def _clean(fetch: _Fetch, material: Material) -> Json:
    """Makes and saves the clean copy."""
    try:
        copy = await clean_copy(fetch.bench, material)
    except SandboxError as error:
        _say_problem(fetch.terminal, material, error)
        return json_views.unclean_json(error)
    path = await save_as(fetch.folder, copy.name, once(copy.content), fetch.rng)
    fetch.sums.append((copy.sha256, path))
    _say_saved(fetch.terminal, path, len(copy.content), copy.sha256)
    _say_traces(fetch.terminal, copy)
    return json_views.clean_json(copy, str(path))


@dataclass
class _Counted:
    """Size and hash of pieces that pass."""

    size: int = 0
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    async def through(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The same pieces."""
        async for piece in pieces:
            self.size += len(piece)
            self.digest.update(piece)
            yield piece


def _say_saved(terminal: Terminal, path: Path, size: int, sha256: str) -> None:
    if not terminal.as_json:
        terminal.line(f"{path}  {terminal.texts.number(size)} B  sha256 {sha256}")


def _say_problem(
    terminal: Terminal, material: Material, error: GateRefusedError | SandboxError
) -> None:
    terminal.warn(f"{material.file.name}: {error_text(error, terminal.texts)}")


def _say_traces(terminal: Terminal, copy: CleanCopy) -> None:
    """What was removed, in plain words, under the copy."""
    if terminal.as_json:
        return
    for line in trace_lines(copy, terminal):
        terminal.line(f"  {line}", "quiet")


def trace_lines(copy: CleanCopy, terminal: Terminal) -> list[str]:
    """One sentence about what was removed, one about what was not if there is any."""
    texts = terminal.texts
    removed = ", ".join(texts.t(f"desk.trace.{trace}") for trace in copy.traces)
    left = ", ".join(texts.t(f"desk.trace.{trace}") for trace in copy.traces_left)
    lines = [texts.t("desk.clean.removed", what=removed) if removed else texts.t("desk.clean.none")]
    return [*lines, texts.t("desk.clean.left", what=left)] if left else lines
