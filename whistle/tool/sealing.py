# SPDX-License-Identifier: AGPL-3.0-or-later
"""Seals a report on the reporter's own device; the result is a bundle (docs/spec/offline.md).

Invariants:

* the frame says origin *offline tool* and withholds the day of writing;
* files are sealed while they are read; only sealed bytes touch the disk, in a file without a name
  beside the bundle; the receipt is drawn here and is in none of them;
* nothing about the reporter's files shows outside but their number and size classes.
"""

import mimetypes
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from crypto.attachment import AttachmentSealer
from crypto.body import AttachmentRef, ReportBody
from crypto.bundle import BundleBlob, BundleHead, sign_bundle
from crypto.envelope import seal_message
from crypto.frame import (
    DAY_WITHHELD,
    NO_PREVIOUS,
    Frame,
    FrameType,
    Origin,
    encode_frame,
    recipients_digest,
)
from crypto.promise import commitment
from crypto.receipt import Receipt, ReceiptKeys, derive, generate
from crypto.rng import Rng
from crypto.xwing import identity_to_age
from whistle.i18n import Language
from whistle.intake.dossier import seal_dossier
from whistle.layout import PRIVATE_FILE
from whistle.limits import MAX_BLOBS
from whistle.tool.answers import Answers
from whistle.tool.errors import AnswersError, ToolError
from whistle.tool.keylist import KeyList

FORM: Final = "report@1"
PIECE: Final = 1024 * 1024
Progress = Callable[[str, int], None]


@dataclass(frozen=True, repr=False)
class Sealed:
    """A sealed report: the receipt for the reporter, everything else for the intake.

    `blobs` is a file of all sealed attachments one after the other, open for reading.
    """

    receipt: Receipt
    keys: ReceiptKeys
    head: BundleHead
    container: bytes
    blobs: IO[bytes]

    def write(self, out: IO[bytes]) -> int:
        """Write the bundle; return its size."""
        out.write(self.head.encode() + self.container)
        self.blobs.seek(0)
        while piece := self.blobs.read(PIECE):
            out.write(piece)
        return self.head.total


@contextmanager
def sealed_report(  # noqa: PLR0913, PLR0917 - each is one ingredient of the report
    answers: Answers,
    files: Sequence[Path],
    keys: KeyList,
    lang: Language,
    folder: Path,
    rng: Rng,
    progress: Progress = lambda _name, _size: None,
) -> Iterator[Sealed]:
    """Seal for the length of a block; `folder` is where sealed attachments wait, without a name.

    Raises: AnswersError, KeyListError.
    """
    people = keys.audience(answers.accused)
    if len(files) > MAX_BLOBS:
        raise AnswersError("tool.files_many", most=MAX_BLOBS)
    receipt = generate(rng)
    own = derive(receipt, keys.instance_id)
    with _nameless(folder) as blobs:
        references = []
        sizes = []
        for path in files:
            before = blobs.tell()
            references.append(_seal_file(path, blobs, rng, progress))
            sizes.append(blobs.tell() - before)
        recipients = [person.recipient for person in people]
        frame = Frame(
            type=FrameType.REPORT,
            origin=Origin.TOOL,
            instance_id=keys.instance_id,
            thread_id=own.lookup_id,
            message_id=rng(16),
            prev=NO_PREVIOUS,
            recipients_digest=recipients_digest(recipients),
            day=DAY_WITHHELD,
            body=_body(answers, own, references, lang).encode(),
        )
        container = seal_message(encode_frame(frame, own.sign_seed), recipients, rng)
        head = BundleHead(
            lookup_id=own.lookup_id,
            auth_public=own.auth_public,
            signature=sign_bundle(own.auth_seed, keys.instance_id, own.lookup_id, container),
            mailbox_key=own.mailbox_key,
            dossier=seal_dossier(own.state_key, own.lookup_id, answers.accused, rng),
            recipients=tuple(person.id for person in people),
            container=len(container),
            blobs=tuple(
                BundleBlob(reference.id, size)
                for reference, size in zip(references, sizes, strict=True)
            ),
            commitment=commitment(own),
        )
        yield Sealed(receipt, own, head, container, blobs)


def write_bundle(sealed: Sealed, path: Path) -> int:
    """Write a new bundle only this user can read; return its size. Raises: ToolError."""
    try:
        path.touch(mode=PRIVATE_FILE, exist_ok=False)
        with path.open("r+b") as out:
            return sealed.write(out)
    except FileExistsError as error:
        raise ToolError("tool.exists", file=str(path)) from error
    except OSError as error:
        path.unlink(missing_ok=True)
        raise ToolError("tool.cannot_write", file=str(path)) from error


@contextmanager
def _nameless(folder: Path) -> Iterator[IO[bytes]]:
    try:
        file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed below
    except OSError as error:
        raise ToolError("tool.cannot_write", file=str(folder)) from error
    with file:
        yield file


def _seal_file(path: Path, out: IO[bytes], rng: Rng, progress: Progress) -> AttachmentRef:
    sealer = AttachmentSealer(rng)
    try:
        with path.open("rb") as source:
            while piece := source.read(PIECE):
                out.write(sealer.update(piece))
    except OSError as error:
        raise AnswersError("tool.file_missing", file=str(path)) from error
    kind = mimetypes.guess_type(path.name, strict=False)[0] or "application/octet-stream"
    tail, reference = sealer.final(path.name, kind)
    out.write(tail)
    progress(reference.name, reference.size)
    return reference


def _body(
    answers: Answers, own: ReceiptKeys, references: Sequence[AttachmentRef], lang: Language
) -> ReportBody:
    return ReportBody(
        lang=lang,
        form=FORM,
        fields=answers.fields,
        reply_identity=identity_to_age(own.reply_seed),
        attachments=tuple(references),
    )
