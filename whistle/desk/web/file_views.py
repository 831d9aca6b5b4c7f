# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the page of one file shows: plain values for its template."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from case_mgmt.desk.evidence import EvidenceFile
from case_mgmt.desk.opening import OpenedFollowUp, OpenedReport
from whistle.desk.cleaning import CleanCopy
from whistle.desk.labels import Labels
from whistle.desk.looking import Preview
from whistle.desk.material import Material
from whistle.desk.terminal import error_text

PHOTO_KINDS: Final = frozenset({"jpeg", "png", "tiff", "heic"})


@dataclass(frozen=True)
class CopyView:
    """A clean copy: both hashes, and in words what was removed and what was not."""

    copy: CleanCopy
    removed: str
    left: str
    names: str


@dataclass(frozen=True)
class FileView:
    """The page of one file. `pictures` are addresses that hold the picture themselves."""

    case: str
    file: EvidenceFile
    name: str
    risky: bool
    is_age: bool
    is_photo: bool
    """Whether it is of a kind cameras make, which names place and device."""
    origin: str
    message: OpenedReport | OpenedFollowUp
    preview: Preview
    pictures: Sequence[str]
    problem: str
    copy: CopyView | None


def file_view(
    material: Material, preview: Preview, copy: CleanCopy | None, labels: Labels
) -> FileView:
    """Everything the page shows."""
    case, file = material.case, material.file
    message = next(each for each in case.thread.messages if file in case.files_of(each))
    return FileView(
        case=case.record.summary.case,
        file=file,
        name=material.name,
        risky=material.risky,
        is_age=material.is_sealed_inside,
        is_photo=file.ref.stripped or preview.kind in PHOTO_KINDS,
        origin=message.origin.name.lower(),
        message=message,
        preview=preview,
        pictures=["data:image/png;base64," + b64encode(png).decode() for png in preview.pictures],
        problem="" if preview.problem is None else error_text(preview.problem, labels.texts),
        copy=None if copy is None else _copy_view(copy, labels),
    )


def _copy_view(copy: CleanCopy, labels: Labels) -> CopyView:
    def words(traces: Sequence[str]) -> str:
        return ", ".join(labels.texts.t(f"desk.trace.{trace}") for trace in traces)

    names = ", ".join(sorted(set(copy.found) - set(copy.left)))
    return CopyView(copy, words(copy.traces), words(copy.traces_left), names)
