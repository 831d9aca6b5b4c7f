# SPDX-License-Identifier: AGPL-3.0-or-later
"""Clean copies for hand-over: what a file shows, without what it says about the people behind it.

- mat2 makes them in the sandbox, in its thorough mode: pictures and pages are drawn anew.
- The original is not touched; both hashes stand beside each other, so that anybody can tell later
  which of the two was handed over.
- What mat2 does not know is refused with the list of what it knows; nothing is passed on as clean
  that was not cleaned.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from case_mgmt.desk.evidence import safe_name
from case_mgmt.desk.jail_answer import Cleaned, JailAnswerError, read_cleaned
from case_mgmt.desk.kinds import CLEANABLE, FileKind
from case_mgmt.desk.traces import Trace, traces_of
from whistle.desk.errors import SandboxError
from whistle.desk.material import Held, Material, held
from whistle.desk.sandbox import Job, require_sandbox, run_job
from whistle.desk.workbench import Workbench

FFMPEG: Final = Path("/usr/bin/ffmpeg")
_MARK: Final = "-bersih"


@dataclass(frozen=True)
class CleanCopy:
    """A clean copy beside its original. `found` and `left` are names of metadata."""

    name: str
    content: bytes
    sha256: str
    original_sha256: str
    found: tuple[str, ...]
    left: tuple[str, ...]

    @property
    def traces(self) -> tuple[Trace, ...]:
        """What was removed, in groups that have words."""
        return traces_of(set(self.found) - set(self.left))

    @property
    def traces_left(self) -> tuple[Trace, ...]:
        """What could not be removed."""
        return traces_of(self.left)


async def clean_copy(bench: Workbench, material: Material) -> CleanCopy:
    """Makes the clean copy. Raises: SandboxError, GateRefusedError, UnreachableError."""
    require_sandbox("clean")
    async with held(bench, material) as content:
        _require_cleanable(content.kind)
        cleaned = await _cleaned(content)
        return CleanCopy(
            name=_name(material.name, content.kind),
            content=cleaned.content,
            sha256=hashlib.sha256(cleaned.content).hexdigest(),
            original_sha256=content.sha256,
            found=cleaned.found,
            left=cleaned.left,
        )


def _require_cleanable(kind: FileKind) -> None:
    if not kind.cleanable:
        raise SandboxError("desk.clean.unsupported", kinds=", ".join(CLEANABLE).upper())
    if kind.needs_ffmpeg and not FFMPEG.exists():
        raise SandboxError("desk.sandbox.no_tool", package="ffmpeg")


async def _cleaned(content: Held) -> Cleaned:
    answer = await run_job(Job("clean", content.kind.suffix, content.stream.fileno()))
    try:
        return read_cleaned(answer)
    except JailAnswerError as error:
        raise SandboxError(f"desk.sandbox.{error.code}") from error


def _name(name: str, kind: FileKind) -> str:
    """The original's name, marked, with the ending of what it really is."""
    stem = name.rpartition(".")[0] or name
    return safe_name(f"{stem[:80]}{_MARK}{kind.suffix}")
