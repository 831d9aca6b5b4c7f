# SPDX-License-Identifier: AGPL-3.0-or-later
"""Previews: the text of a text file, or pictures that the sandbox drew; never the file itself.

- Text is decoded here and escaped by whoever shows it; formatting characters are taken out, so that
  it reads as it is stored.
- Everything else is drawn in the sandbox, a few pages at most, and comes back as pixels.
- No preview is no error: `problem` says why, and the file can still be saved.
"""

from dataclasses import dataclass, replace
from typing import Final

from case_mgmt.desk.jail_answer import JailAnswerError, Pages, png_of, read_pages
from case_mgmt.desk.kinds import HEAD_BYTES, OTHER, text_of
from whistle.desk.casefile import CaseFile
from whistle.desk.errors import DeskError, SandboxError
from whistle.desk.material import Held, Material, held
from whistle.desk.sandbox import Job, Task, run_job
from whistle.desk.terminal import printable
from whistle.desk.workbench import Workbench
from whistle.limits import KIB, MIB

MAX_PREVIEW: Final = 64 * MIB  # larger files are not fetched to be looked at
MAX_SHOWN_TEXT: Final = 256 * KIB  # of an age file whose text stands in the report
MAX_SHOWN_FILES: Final = 4


@dataclass(frozen=True)
class Preview:
    """What can be seen of a file. `pictures` are PNG files of our own making."""

    kind: str
    size: int | None = None
    sha256: str | None = None
    text: str | None = None
    is_cut: bool = False
    pictures: tuple[bytes, ...] = ()
    pages: int = 0
    cleanable: bool = False
    problem: DeskError | None = None


async def look(bench: Workbench, material: Material) -> Preview:
    """The preview of a file; what went wrong is part of it."""
    if material.file.ref.size > MAX_PREVIEW:
        problem = SandboxError("desk.look.too_large")
        return Preview(OTHER.code, problem=problem, cleanable=True)
    try:
        async with held(bench, material, MAX_PREVIEW) as content:
            return await _preview(content)
    except DeskError as error:
        return Preview(OTHER.code, problem=error)


@dataclass(frozen=True)
class Inside:
    """The text sealed in a stock age file; None with a problem, or when it is no short text."""

    text: str | None
    problem: DeskError | None = None


async def texts_inside(bench: Workbench, case: CaseFile) -> dict[int, Inside]:
    """What the short age files of a case say, by position."""
    sealed = [Material(case, file) for file in case.files]
    sealed = [
        each for each in sealed if each.is_sealed_inside and each.file.ref.size <= MAX_SHOWN_TEXT
    ]
    return {each.file.position: await _inside(bench, each) for each in sealed[:MAX_SHOWN_FILES]}


async def _inside(bench: Workbench, material: Material) -> Inside:
    try:
        async with held(bench, material, MAX_SHOWN_TEXT) as content:
            text = None
            if content.kind.look == "text":
                content.stream.seek(0)
                text = text_of(content.stream.read())
            return Inside(None if text is None else printable(text))
    except DeskError as error:
        return Inside(None, error)


async def _preview(content: Held) -> Preview:
    kind = content.kind
    base = Preview(kind.code, content.size, content.sha256, cleanable=kind.cleanable)
    if kind.look == "text":
        text = printable(text_of(content.head) or "")
        return replace(base, text=text, is_cut=content.size > HEAD_BYTES)
    if kind.look == "none":
        return replace(base, problem=SandboxError("desk.look.no_preview"))
    try:
        pages = await _drawn(content)
    except SandboxError as error:
        return replace(base, problem=error)
    pictures = tuple(png_of(picture) for picture in pages.pictures)
    return replace(base, pictures=pictures, pages=pages.total)


async def _drawn(content: Held) -> Pages:
    task: Task = "picture" if content.kind.look == "picture" else "pages"
    answer = await run_job(Job(task, content.kind.suffix, content.stream.fileno()))
    try:
        return read_pages(answer)
    except JailAnswerError as error:
        raise SandboxError(f"desk.sandbox.{error.code}") from error
